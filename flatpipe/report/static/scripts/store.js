"use strict";
// What the page knows: columns of all images, details of those that were opened. Data arrives as scripts, because a
// page opened from a disk may load scripts and may not fetch.

const flatpipe = (() => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const rows = { names: [], ks: [], mses: [], colors: [], palettes: [], keys: [], links: new Map(), errors: new Map(), groups: [], pictures: "" };
  const listeners = [];
  const MOST_DETAILS = 80, MOST_ORIGINALS = 400;
  // ^ scripts of details and of originals that are remembered: some 20 MB
  const details = new Map();
  const originals = new Map();
  const waiting = new Map();
  const shards = Math.ceil(page.images / page.rows_per_shard);
  let loadedShards = 0;
  let tellLoaded;
  const allLoaded = new Promise((resolve) => { tellLoaded = resolve; });
  if (!page.images) tellLoaded();

  function receiveRows(shard, columns) {
    const first = rows.names.length;
    for (const name of ["names", "ks", "mses", "colors", "palettes"])
      for (const value of columns[name]) rows[name].push(value);
    for (const [group, count] of columns.groups ?? []) for (let left = count; left; left--) rows.groups.push(group);
    rows.keys.push(columns.keys);
    rows.pictures += columns.pictures;
    for (const name of ["links", "errors"])
      for (const [row, text] of Object.entries(columns[name])) rows[name].set(first + Number(row), text);
    loadedShards = shard + 1;
    for (const tell of listeners) tell();
    if (loadedShards >= shards) tellLoaded();
    else setTimeout(() => loadScript(`gallery/data/rows-${digits(loadedShards, 5)}.js`).catch(tellLoaded), 0);
  }

  function loadScript(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${source}?v=${page.version}`;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(`${source} is missing`)); };
      document.head.append(script);
    });
  }

  // One request for a key, however often it is asked for; `store` is filled by the script itself.
  async function loaded(store, key, source) {
    if (!store.has(key)) {
      if (!waiting.has(source)) waiting.set(source, loadScript(source).finally(() => waiting.delete(source)));
      await waiting.get(source);
    }
    return store.get(key);
  }

  // The oldest go: whoever scrolls over a hundred thousand images does not come back to the first.
  function keep(store, key, value, most) {
    store.set(key, value);
    if (store.size > most) store.delete(store.keys().next().value);
  }

  async function detail(row) {
    const shard = Math.floor(row / page.details_per_shard);
    const found = await loaded(details, shard, `gallery/data/details-${digits(shard, 5)}.js`);
    return found[row % page.details_per_shard];
  }

  const originalOf = (row) => loaded(originals, keyOf(row), pictureOf(row, "original.js"));

  // Percent-encoded id of an image: what stands in links to it. Names that are not shown as they are have their own.
  const linkOf = (row) => rows.links.get(row) ?? encodeURIComponent(rows.names[row]).replaceAll("%2F", "/");

  function findRow(link) {
    const id = decoded(link);
    if (id !== null) {
      let row = rows.names.indexOf(id);
      while (row >= 0 && rows.links.has(row)) row = rows.names.indexOf(id, row + 1);
      if (row >= 0) return row;
    }
    for (const [row, other] of rows.links)
      if (id === null ? sameBytes(other, link) : decoded(other) === id) return row;
    return -1;
  }

  // The same for links that may stand in a part of the list that is still to come.
  async function foundRow(link) {
    const row = findRow(link);
    if (row >= 0) return row;
    await allLoaded;
    return findRow(link);
  }

  function decoded(link) {
    try { return decodeURIComponent(link); } catch { return null; }
  }

  // One character per byte.
  const bytesOf = (link) => link.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  const sameBytes = (one, other) => bytesOf(one) === bytesOf(other);
  const digits = (number, width) => String(number).padStart(width, "0");
  const keyOf = (row) => rows.keys[Math.floor(row / page.rows_per_shard)].substr((row % page.rows_per_shard) * 16, 16);
  const pictureOf = (row, kind) => `gallery/pictures/${keyOf(row).slice(0, 2)}/${keyOf(row)}-${kind}`;

  return {
    page, rows, allLoaded, loaded, receiveRows, detail, originalOf, linkOf, findRow, foundRow, pictureOf,
    receiveDetails: (shard, found) => keep(details, shard, found, MOST_DETAILS),
    receiveOriginal: (key, found) => keep(originals, key, found, MOST_ORIGINALS),
    onRows: (listener) => listeners.push(listener),
    isLoading: () => loadedShards < shards,
    hasPictures: (row) => rows.pictures[row] === "1",
    flatName: (k) => `k${digits(k, page.name_width)}.png`,
    // The flat of an image whose k is nearest to the one wanted.
    flatFor: (detail, k) => detail.flats.reduce((best, flat) => (Math.abs(flat[0] - k) < Math.abs(best[0] - k) ? flat : best)),
    flatSource: (detail, k) => `${detail.folder}/${flatpipe.flatName(k)}`,
  };
})();
