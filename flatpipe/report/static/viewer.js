"use strict";
// One image: what the slider's k means for stage, palette, curves, cube and links.

flatpipe.viewer = (() => {
  const { page, rows } = flatpipe;
  const get = (id) => document.getElementById(id);
  const slider = get("k");
  let [row, detail, k] = [-1, null, 0];
  let changed = () => {};

  async function open(wantedRow, wantedK) {
    if (row !== wantedRow || !detail) {
      row = wantedRow;
      detail = null;
      get("work").hidden = true;
      showHead();
      const found = await flatpipe.detail(wantedRow).catch(() => null);
      if (row !== wantedRow) return;
      if (!found) return fail("The details of this image could not be read.");
      const points = found.pictures ? await flatpipe.pointsOf(wantedRow).catch(() => null) : null;
      if (row !== wantedRow) return;
      detail = found;
      fill(points);
    }
    if (detail.flats.length) setK(wantedK || k || detail.suggested);
  }

  function showHead() {
    get("name").textContent = rows.names[row];
    document.title = `${rows.names[row]} – flatpipe`;
    get("about").textContent = "";
    get("failure").hidden = get("nothing").hidden = true;
    for (const [id, step] of [["before", -1], ["after", 1]]) get(id).disabled = flatpipe.overview.neighbour(row, step) === undefined;
  }

  function fail(text) {
    get("failure").hidden = !text;
    get("failure").textContent = text;
  }

  function fill(points) {
    const facts = detail.width ? [`${detail.width} × ${detail.height} pixels`, `${flatpipe.number(detail.colors)} colours`, ...detail.notes] : [];
    get("about").textContent = facts.join(" · ");
    fail(detail.failure);
    get("nothing").hidden = detail.flats.length > 0;
    get("work").hidden = !detail.flats.length;
    if (!detail.flats.length) return;
    const ks = detail.flats.map((flat) => flat[0]);
    [slider.min, slider.max] = [0, ks.length - 1];
    // ^ places in the list of k, which may have gaps
    get("cube-panel").hidden = !points;
    if (!ks.includes(k)) k = 0;
    flatpipe.stage.open(detail, originalSource(points), rows.names[row]);
    flatpipe.cube.open(points);
    flatpipe.files.open(detail, row, rows.names[row]);
  }

  // The preview made by the run; without one, the input file itself when browsers show its format.
  function originalSource(points) {
    if (points) return flatpipe.pictureOf(row, points.preview);
    return /\.(png|apng|jpe?g|gif|webp|avif|bmp)$/i.test(detail.original) ? detail.original : "";
  }

  function setK(wanted) {
    const ks = detail.flats.map((flat) => flat[0]);
    k = ks.reduce((best, other) => (Math.abs(other - wanted) < Math.abs(best - wanted) ? other : best));
    const flat = detail.flats[ks.indexOf(k)];
    slider.value = ks.indexOf(k);
    get("k-value").textContent = k;
    const decibels = flatpipe.psnr(flat[2]);
    const quality = Number.isFinite(decibels) ? `${decibels.toFixed(1)} dB PSNR` : "exact";
    slider.setAttribute("aria-valuetext", `${k} colours, ${quality}`);
    const obtained = flat[1] === k ? "" : `${flat[1]} colours, as the image has no more · `;
    const costly = flat.slice(6).map((value, at) => (value === null ? "" : ` · ${flatpipe.metricName(page.metrics[at])} ${flatpipe.metricValue(value, at)}`)).join("");
    get("figures").textContent = `${obtained}${quality}${costly} · mse ${flat[2].toFixed(1)} · ${flatpipe.size(flat[3])}`;
    get("best").disabled = k === detail.suggested;
    get("best").textContent = k === detail.suggested ? "suggested" : `Suggested: ${detail.suggested}`;
    flatpipe.stage.show(k, rows.names[row]);
    flatpipe.palette.show(flat);
    flatpipe.curve.show(detail, k);
    flatpipe.cube.show(flatpipe.palette.colorsOf(flat));
    flatpipe.files.showLinks(detail, k);
    changed(row, k);
  }

  function stepK(step) {
    slider.value = Number(slider.value) + step;
    setK(detail.flats[slider.value][0]);
  }

  function go(step) {
    const next = flatpipe.overview.neighbour(row, step);
    if (next !== undefined) location.hash = `image=${flatpipe.linkOf(next)}&k=${k}`;
  }

  function press(event) {
    if (get("viewer").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") location.hash = "";
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isTaken = event.target.matches("input:not(#k), select, textarea, #stage.zoomed, .scroll");
    if (!step || isTaken || !detail?.flats.length) return;
    event.preventDefault();
    if (event.shiftKey) go(step);
    else stepK(step);
  }

  function start() {
    slider.addEventListener("input", () => setK(detail.flats[slider.value][0]));
    get("best").addEventListener("click", () => setK(detail.suggested));
    get("before").addEventListener("click", () => go(-1));
    get("after").addEventListener("click", () => go(1));
    document.addEventListener("keydown", press);
    flatpipe.curve.onChoose(setK);
    for (const part of ["stage", "palette", "cube", "files"]) flatpipe[part].start();
  }

  return { start, open, onChange(listener) { changed = listener; }, close() { document.title = page.title || document.title; } };
})();
