"use strict";
// The image, large: on the right the flat of the chosen k, on the left the original or the flat of another k, between them
// a border that can be moved; all through one lens.

flatpipe.stage = (() => {
  const { element, wipe, flats } = flatpipe;
  const get = (id) => document.getElementById(id);
  const [stage, left] = ["stage", "left"].map(get);
  const tools = document.querySelector("[data-zooms=stage]");
  const lens = flatpipe.lens.create();
  const [flat, below] = [{ id: "flat" }, { "aria-hidden": "true" }].map((own) => flatpipe.room.image({ class: "flat", ...own }));
  const original = flatpipe.room.image({ id: "original" });
  const other = flatpipe.room.image({ id: "other", class: "flat", hidden: "" });
  let [right, leftRoom] = [null, null];
  let [detail, name, source] = [null, "", null];
  let [leftChanged, swiped] = [() => {}, () => {}];

  const size = () => (detail && detail.width ? { width: detail.width, height: detail.height } : null);
  const room = () => flatpipe.lens.roomOf(stage);
  const target = { lens, size, room, tapped: (at) => tapped(at), swiped: (step) => swiped(step) };
  const inColors = (k) => `${name} in ${flatpipe.counted(k, "colour")}`;

  function open(opened, row, found, shownName, wantedLeft) {
    [detail, name] = [opened, shownName];
    flats.open(detail);
    source?.close();
    source = flatpipe.originals.open(original, row, detail, found, showWords);
    flat.removeAttribute("src");
    flatpipe.highlight.clear();
    get("theatre").style.setProperty("--shape", detail.width / detail.height);
    lens.reset();
    const ks = detail.flats.map(([k]) => k);
    const choices = ks.length > 1 ? ks.map((k) => element("option", { value: k }, `k = ${k}`)) : [];
    if (source.isThere) choices.unshift(element("option", { value: "original" }, "original"));
    left.replaceChildren(...choices);
    stage.classList.toggle("single", choices.length === 0);
    setLeft(wantedLeft);
    wipe.set(choices.length ? 50 : 0);
  }

  // What stands on the left: "original" or a k.
  function setLeft(wanted) {
    const choices = [...left.options].map(({ value }) => value);
    left.value = choices.includes(String(wanted)) ? String(wanted) : choices[0] ?? "";
    const isOriginal = left.value === "original";
    original.hidden = !isOriginal;
    other.hidden = isOriginal || !left.value;
    if (!other.hidden) {
      other.src = flatpipe.flatSource(detail, Number(left.value));
      other.alt = inColors(Number(left.value));
    }
    original.alt = `${name}, original`;
    leftChanged(isOriginal ? "" : left.value);
  }

  // Shows a flat; with `fade`, in so many milliseconds over the one before.
  function show([k, n], fade = 0) {
    turn(flatpipe.flatSource(detail, k), inColors(n), flatpipe.counted(n, "colour"), fade);
    flats.loadAhead(k);
  }

  // The original in the flat's place: the last frame of a sweep.
  const showOriginal = (fade) => turn(original.src, `${name}, original`, "original", fade);

  function turn(to, words, tag, fade) {
    for (const each of flat.getAnimations()) each.cancel();
    const before = flat.getAttribute("src");
    below.hidden = !fade || !before;
    if (!below.hidden) {
      below.src = before;
      flat.animate([{ opacity: 0 }, { opacity: 1 }], fade).finished.then(() => { below.hidden = true; }, () => {});
    }
    flat.src = to;
    flat.alt = words;
    get("right-side").textContent = tag;
    flatpipe.highlight.turnTo(to);
  }

  function place() {
    if (!size() || !stage.clientWidth) return;
    const now = right.place(lens.now, size());
    leftRoom.place(lens.now, size());
    flatpipe.highlight.place(lens.now, size());
    source.want(now.scale * devicePixelRatio);
    stage.classList.toggle("movable", flatpipe.lens.isMovable(lens.now));
    wipe.by(0);
    flatpipe.gestures.showZoom(tools, target);
    showWords();
  }

  function showWords() {
    const words = source?.words();
    const option = left.querySelector("[value=original]");
    if (option && words && option.textContent !== words) option.textContent = words;
  }

  // Where what is seen of the image begins and ends, from the left.
  function seen() {
    const { left: start, width } = right?.now ?? { left: 0, width: stage.clientWidth };
    return [Math.max(0, start), Math.min(stage.clientWidth, start + width)];
  }

  function pixelAt(at) {
    const { left: start, top, scale } = right.now;
    const [x, y] = [Math.floor((at.x - start) / scale), Math.floor((at.y - top) / scale)];
    return x >= 0 && y >= 0 && x < detail.width && y < detail.height ? { x, y } : null;
  }

  function tapped(at) {
    const pixel = pixelAt(at);
    if (flatpipe.highlight.isPinned || !pixel) return flatpipe.highlight.clear();
    return flatpipe.highlight.pinPixel(pixel, lens.now, size());
  }

  function pointed(event) {
    if (event.pointerType !== "mouse" || event.buttons || !right.now || flatpipe.highlight.isPinned) return;
    const box = stage.getBoundingClientRect();
    const isControl = event.target.closest("button, select");
    flatpipe.highlight.point(isControl ? null : pixelAt({ x: event.clientX - box.left, y: event.clientY - box.top }));
  }

  // An enlarged image stays as large as it is when the window changes.
  function keepScale() {
    if (!size() || !stage.clientWidth) return;
    const fit = flatpipe.lens.fitScale(room(), size());
    if (keepScale.fit && !flatpipe.lens.isFitted(lens.now))
      lens.set(flatpipe.lens.settled({ ...lens.now, times: (lens.now.times * keepScale.fit) / fit }, room(), size()));
    keepScale.fit = fit;
  }

  function start() {
    right = flatpipe.room.create(get("right-room"));
    right.frame.append(below, flat);
    leftRoom = flatpipe.room.create(get("left-room"));
    leftRoom.frame.append(original, other);
    flatpipe.highlight.start(flat);
    flatpipe.gestures.attach(stage, target);
    flatpipe.gestures.attachTools(tools, target);
    wipe.start(stage, seen, () => (left.value === "original" ? "original" : `k = ${left.value}`));
    lens.onChange(place);
    new ResizeObserver(() => { keepScale(); place(); }).observe(stage);
    left.addEventListener("change", () => setLeft(left.value));
    stage.addEventListener("pointermove", pointed);
    stage.addEventListener("pointerleave", () => { if (!flatpipe.highlight.isPinned) flatpipe.highlight.point(null); });
  }

  return {
    start, open, show, showOriginal, target,
    get hasOriginal() { return Boolean(source?.isThere); },
    get hasLeft() { return left.options.length > 0; },
    showColor(hex) { if (size()) flatpipe.highlight.showColor(hex, lens.now, size()); },
    onLeft(listener) { leftChanged = listener; },
    onSwipe(listener) { swiped = listener; },
  };
})();
