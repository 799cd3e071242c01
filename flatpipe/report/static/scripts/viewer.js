"use strict";
// One image: what the chosen k means for stage, film, palette, curve, cube and links.

flatpipe.viewer = (() => {
  const { page, rows } = flatpipe;
  const get = (id) => document.getElementById(id);
  const slider = get("k");
  let [row, detail, k, left] = [-1, null, 0, ""];
  let changed = () => {};

  async function open(wantedRow, wantedK, wantedLeft) {
    if (row !== wantedRow || !detail) {
      row = wantedRow;
      detail = null;
      get("work").hidden = true;
      showHead();
      const found = await flatpipe.detail(wantedRow).catch(() => null);
      if (row !== wantedRow) return;
      if (!found) return fail("The details of this image could not be read.");
      const original = found.pictures ? await flatpipe.originalOf(wantedRow).catch(() => null) : null;
      if (row !== wantedRow) return;
      detail = found;
      fill(original, wantedLeft);
    }
    if (detail.flats.length) setK(wantedK || k || detail.suggested);
  }

  function showHead() {
    flatpipe.play.stop();
    flatpipe.showName(get("name"), rows.names[row]);
    document.title = `${rows.names[row]} – flatpipe`;
    get("about").textContent = "";
    get("failure").hidden = get("nothing").hidden = true;
    for (const [id, step] of [["before", -1], ["after", 1]]) get(id).disabled = flatpipe.overview.neighbour(row, step) === undefined;
  }

  function fail(text) {
    get("failure").hidden = !text;
    get("failure").textContent = text;
  }

  function fill(original, wantedLeft) {
    fail(detail.failure);
    get("nothing").hidden = detail.flats.length > 0 || Boolean(detail.failure);
    get("work").hidden = !detail.flats.length;
    if (!detail.flats.length) return;
    const ks = detail.flats.map((flat) => flat[0]);
    [slider.min, slider.max] = [0, ks.length - 1];
    // ^ places in the list of k, which may have gaps
    get("k-control").hidden = ks.length < 2;
    get("cube-panel").hidden = !original;
    if (!ks.includes(k)) k = 0;
    flatpipe.palette.forget();
    flatpipe.stage.open(detail, row, original, rows.names[row], wantedLeft || left);
    flatpipe.film.open(row, detail, choose);
    flatpipe.play.open(ks, (wanted, fade) => setK(wanted, fade));
    flatpipe.cube.open(original);
    flatpipe.files.open(detail, rows.names[row]);
  }

  // A k that a person chose: a sweep that plays gives way.
  function choose(wanted) {
    flatpipe.play.stop();
    setK(wanted);
  }

  function setK(wanted, fade = 0) {
    const flat = flatpipe.flatFor(detail, wanted);
    k = flat[0];
    slider.value = detail.flats.indexOf(flat);
    flatpipe.fillRange(slider);
    get("k-value").textContent = k;
    slider.setAttribute("aria-valuetext", `${flatpipe.counted(k, "colour")}, ${flatpipe.decibels(flat[2])}`);
    showFigures(flat);
    flatpipe.stage.show(flat, fade);
    flatpipe.film.mark(k);
    flatpipe.palette.show(rows.names[row], flat);
    showGroup();
    flatpipe.curve.show(detail, k);
    flatpipe.cube.show(flatpipe.palette.shown().colors);
    flatpipe.files.showLinks(detail, k);
    changed(row, k, left);
  }

  function showFigures(flat) {
    const [, n, mse, bytes] = flat;
    const size = `${flatpipe.number(detail.width)} × ${flatpipe.number(detail.height)} ${detail.width * detail.height === 1 ? "pixel" : "pixels"}`;
    get("about").textContent = [size, flatpipe.colorsLeft(n, detail.colors), ...detail.notes].join(" · ");
    get("about").title = get("about").textContent;
    const costly = flat.slice(6).flatMap((value, at) => (value === null ? [] : `${flatpipe.metricName(page.metrics[at])} ${flatpipe.metricValue(value, at)}`));
    get("figures").textContent = [flatpipe.decibels(mse), ...costly, ...(mse ? [`mse ${flatpipe.decimal(mse)}`] : []), flatpipe.size(bytes)].join(" · ");
    get("best").disabled = k === detail.suggested;
    get("best").textContent = k === detail.suggested ? "suggested" : `Suggested: ${detail.suggested}`;
  }

  // The way to all images that have this palette.
  async function showGroup() {
    const place = get("palette-group");
    if (!place) return;
    const [shownRow, number] = [row, flatpipe.groupOf(row)];
    place.hidden = number < 0;
    if (number < 0) return;
    const group = (await flatpipe.groups())[number];
    if (shownRow !== row) return;
    place.href = flatpipe.address.made({ group: group.link, k });
    place.textContent = `shared by ${flatpipe.counted(group.images, "image")}: ${flatpipe.groupName(group.name)}`;
  }

  function stepK(step) {
    const at = Math.min(detail.flats.length - 1, Math.max(0, Number(slider.value) + step));
    choose(detail.flats[at][0]);
  }

  function go(step) {
    const next = flatpipe.overview.neighbour(row, step);
    if (next !== undefined) flatpipe.address.go({ image: flatpipe.linkOf(next), k: k || "", left, ...flatpipe.overview.parts() });
  }

  // The other side of a flip: all of the left, or all of the right.
  function flip() {
    if (flatpipe.stage.hasLeft) flatpipe.wipe.set(flatpipe.wipe.percent > 50 ? 0 : 100);
  }

  const isReady = () => Boolean(detail?.flats.length);

  function toggleFull() {
    const isFull = document.body.classList.toggle("full");
    get("full").setAttribute("aria-pressed", isFull);
    if (isFull) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  }

  function leave() {
    if (document.body.classList.contains("full")) return toggleFull();
    if (flatpipe.palette.release()) return undefined;
    return get("back").click();
  }

  function start() {
    for (const part of ["stage", "cube"]) flatpipe[part].start();
    slider.addEventListener("input", () => choose(detail.flats[slider.value][0]));
    get("best").addEventListener("click", () => choose(detail.suggested));
    get("before").addEventListener("click", () => go(-1));
    get("after").addEventListener("click", () => go(1));
    get("play").addEventListener("click", () => flatpipe.play.toggle(k));
    get("full").addEventListener("click", toggleFull);
    document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && document.body.classList.contains("full")) toggleFull(); });
    flatpipe.curve.onChoose(choose);
    flatpipe.stage.onSwipe(go);
    flatpipe.stage.onLeft((shown) => { left = shown; if (isReady() && k) changed(row, k, left); });
  }

  return {
    start, open, stepK, go, flip, leave, toggleFull, isReady,
    play: () => flatpipe.play.toggle(k),
    suggest: () => choose(detail.suggested),
    onChange(listener) { changed = listener; },
    close() { flatpipe.play.stop(); if (document.body.classList.contains("full")) toggleFull(); },
  };
})();
