"use strict";
// The flat image and, wiped over it, the original.

flatpipe.stage = (() => {
  const get = (id) => document.getElementById(id);
  const [stage, frame, flat, original, wipe, zoom] = ["stage", "frame", "flat", "original", "wipe", "zoom"].map(get);
  const AT_ONCE = 48e6;
  // ^ pixels that are decoded ahead, over all k of an image
  let detail = null;
  let ready = new Map();

  const source = (k) => `${detail.folder}/${flatpipe.flatName(k)}`;

  function open(opened, originalSource, name) {
    detail = opened;
    ready = new Map();
    original.hidden = !originalSource;
    original.removeAttribute("src");
    if (originalSource) original.src = originalSource;
    original.alt = `${name}, original`;
    get("wipe-control").hidden = !originalSource;
    for (const tag of ["line", "tag-original", "tag-flat"]) get(tag).hidden = !originalSource;
    flat.removeAttribute("src");
    flat.width = original.width = detail.width;
    flat.height = original.height = detail.height;
    resize();
    setWipe(wipe.value);
  }

  function show(k, name) {
    flat.src = source(k);
    flat.alt = `${name} in ${k} colours`;
    loadAhead(k);
  }

  // The neighbours of k, nearest first, as many as memory is meant for: they then appear without a blink.
  function loadAhead(k) {
    const most = Math.max(2, Math.floor(AT_ONCE / (detail.width * detail.height)));
    const near = detail.flats.map((row) => row[0]).sort((one, other) => Math.abs(one - k) - Math.abs(other - k)).slice(0, most);
    for (const old of ready.keys()) if (!near.includes(old)) ready.delete(old);
    for (const other of near) {
      if (ready.has(other)) continue;
      const image = new Image();
      image.src = source(other);
      ready.set(other, image);
    }
  }

  function setWipe(percent) {
    wipe.value = percent;
    frame.style.setProperty("--wipe", `${wipe.value}%`);
    wipe.setAttribute("aria-valuetext", `${wipe.value} % original`);
    get("tag-original").classList.toggle("away", wipe.value < 12);
    get("tag-flat").classList.toggle("away", wipe.value > 88);
  }

  function resize() {
    if (!detail) return;
    const [width, height] = [detail.width || 1, detail.height || 1];
    const times = zoom.value === "fit" ? fitted(width, height) : Number(zoom.value);
    frame.style.width = `${width * times}px`;
    frame.style.height = `${height * times}px`;
    // Enlarged or true to size: every pixel crisp. Made smaller: averaged, or lines would break up.
    frame.classList.toggle("crisp", times * devicePixelRatio >= 0.999);
    stage.classList.toggle("zoomed", zoom.value !== "fit");
  }

  function fitted(width, height) {
    const room = { width: stage.clientWidth, height: Math.max(220, innerHeight * 0.66) };
    return Math.min(room.width / width, room.height / height);
  }

  function drag(event) {
    const box = frame.getBoundingClientRect();
    setWipe(Math.round(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width))));
  }

  function start() {
    wipe.addEventListener("input", () => setWipe(wipe.value));
    zoom.addEventListener("change", resize);
    new ResizeObserver(resize).observe(stage);
    frame.addEventListener("pointerdown", (event) => {
      if (original.hidden || event.button || (event.pointerType === "touch" && zoom.value !== "fit")) return;
      frame.setPointerCapture(event.pointerId);
      drag(event);
    });
    frame.addEventListener("pointermove", (event) => { if (frame.hasPointerCapture(event.pointerId)) drag(event); });
  }

  return { start, open, show };
})();
