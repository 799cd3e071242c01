"use strict";
// What images have in common: the groups that share palettes, names of colours, and which image uses how much of which.

Object.assign(flatpipe, (() => {
  const { page, rows } = flatpipe;
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const SHARE_DIGITS = 3, WHOLE = 64 ** SHARE_DIGITS - 1;
  const MOST_PALETTES = 60;
  // ^ scripts of palettes that are remembered
  const VALUES = new Uint8Array(128);
  [...DIGITS].forEach((digit, value) => { VALUES[digit.charCodeAt(0)] = value; });
  const called = new Map();
  const palettes = new Map();
  const lists = new Map();
  let legend = [];
  let [k, shards] = [0, new Map()];
  // ^ of one k alone: of a hundred thousand images they are megabytes
  const hexesOf = (text) => Array.from({ length: text.length / 6 }, (_, row) => `#${text.slice(6 * row, 6 * row + 6)}`);
  const padded = (number, width) => String(number).padStart(width, "0");

  function receiveNames(colors, named) {
    legend = colors.map((color) => `#${color}`);
    for (const [hex, name, code] of named) called.set(hex, { name, code });
  }

  function receiveUses(ofK, shard, found) {
    if (ofK === k) shards.set(shard, { ...found, colors: hexesOf(found.colors) });
  }

  function receivePalettes(shard, found) {
    palettes.set(shard, found);
    if (palettes.size > MOST_PALETTES) palettes.delete(palettes.keys().next().value);
  }

  // Reads what there is of the images in `wanted` shards at a k; false when another k was asked for meanwhile.
  async function readUses(wantedK, wanted) {
    if (wantedK !== k) [k, shards] = [wantedK, new Map()];
    const store = shards;
    await Promise.all([...wanted].map((shard) =>
      flatpipe.loaded(store, shard, `gallery/data/uses-k${padded(wantedK, 3)}-${padded(shard, 5)}.js`).catch(() => {})));
    return wantedK === k;
  }

  function number(text, at, width) {
    let value = 0;
    for (let place = at; place < at + width; place++) value = 64 * value + VALUES[text.charCodeAt(place)];
    return value;
  }

  const shardOf = (row) => Math.floor(row / page.common.uses_per_shard);
  const placed = (row) => [shards.get(shardOf(row)), row % page.common.uses_per_shard];

  // Each colour of an image that others may use too, with its share of the image.
  function eachUse(row, visit) {
    const [found, place] = placed(row);
    const text = found?.rows[place] ?? "";
    for (let at = 0; at < text.length; at += found.width + SHARE_DIGITS)
      visit(found.colors[number(text, at, found.width)], number(text, at + found.width, SHARE_DIGITS) / WHOLE);
  }

  // A figure of each image, by its row, NaN where it has none: "mses", or "owns".
  function figureOf(row, name) {
    const [found, place] = placed(row);
    const value = found?.[name]?.[place] ?? -1;
    return value < 0 ? NaN : value;
  }

  function receiveGroups({ names, links, counts }) {
    const known = names.map((name, at) => ({ at, name, link: links[at] || encodeURIComponent(name).replaceAll("%2F", "/") || ".", images: counts[at] }));
    // ^ the top folder's name is empty
    lists.set("all", known);
  }

  async function palettesOf(group) {
    const shard = Math.floor(group / page.common.palettes_per_shard);
    const found = await flatpipe.loaded(palettes, shard, `gallery/data/palettes-${padded(shard, 5)}.js`);
    return found[group % page.common.palettes_per_shard];
  }

  // A group's palette at the k nearest to the one wanted: colours in their order, with their share of all its images.
  function paletteAt({ palettes: known }, wanted) {
    const ks = Object.keys(known).map(Number);
    if (!ks.length) return null;
    const nearest = ks.reduce((best, each) => (Math.abs(each - wanted) < Math.abs(best - wanted) ? each : best));
    const [colors, weights, mse] = known[nearest];
    const counts = JSON.parse(weights);
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    return { k: nearest, mse, colors: hexesOf(colors).map((hex, at) => ({ hex, share: counts[at] / total })) };
  }

  const groupName = (name) => name || "the top folder";

  // "brand red [PMS 185]"; "" for a colour without name and code.
  function calledOf(hex) {
    const { name = "", code = "" } = called.get(hex) ?? {};
    return code ? `${name} [${code}]`.trimStart() : name;
  }

  return {
    receiveNames, receiveUses, receivePalettes, receiveGroups, readUses, eachUse, figureOf, palettesOf, paletteAt, groupName, calledOf, shardOf,
    named: (hex) => called.get(hex) ?? { name: "", code: "" },
    legendColors: () => legend,
    groups: () => flatpipe.loaded(lists, "all", "gallery/data/groups.js"),
    groupOf: (row) => rows.groups[row] ?? -1,
  };
})());
