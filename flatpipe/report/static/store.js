"use strict";
// What the page knows: columns of all images, details of those that were opened. Data arrives as scripts, because a
// page opened from a disk may load scripts and may not fetch.

const flatpipe = (() => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const rows = { names: [], ks: [], mses: [], colors: [], palettes: [], keys: [], links: new Map(), errors: new Map(), pictures: "" };
  const listeners = [];
  const details = new Map();
  const points = new Map();
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

  async function detail(row) {
    const shard = Math.floor(row / page.details_per_shard);
    const found = await loaded(details, shard, `gallery/data/details-${digits(shard, 5)}.js`);
    return found[row % page.details_per_shard];
  }

  const pointsOf = (row) => loaded(points, keyOf(row), pictureOf(row, "points.js"));

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
    page, rows, allLoaded, receiveRows, detail, pointsOf, linkOf, findRow, pictureOf,
    receiveDetails: (shard, found) => details.set(shard, found),
    receivePoints: (key, found) => points.set(key, found),
    onRows: (listener) => listeners.push(listener),
    isLoading: () => loadedShards < shards,
    hasPictures: (row) => rows.pictures[row] === "1",
    flatName: (k) => `k${digits(k, page.name_width)}.png`,
    psnr: (mse) => (mse === 0 ? Infinity : 10 * Math.log10((3 * 255 * 255) / mse)),
    metricName: (name) => ({ ssim: "SSIM", ciede2000: "ΔE 2000" })[name] ?? name,
    metricValue: (value, row) => (value === null ? "–" : value.toFixed(page.metrics[row] === "ssim" ? 3 : 2)),
    number: (value) => value.toLocaleString("en"),
    decimal: (value) => (Number.isFinite(value) ? (value >= 100 ? value.toFixed(0) : value.toFixed(1)) : "∞"),
    size: (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`),
    element(tag, attributes = {}, ...children) {
      const made = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      made.append(...children);
      return made;
    },
  };
})();
