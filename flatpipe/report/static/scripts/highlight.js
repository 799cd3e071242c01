"use strict";
// A colour's pixels, and a pixel's colour. A page from a disk may not read the pixels of its pictures, but it may draw
// them: the difference of the flat image and a colour is black exactly where they are equal, and a filter makes that a
// veil over all the others, or a mark on the colour that a pixel has.

flatpipe.highlight = (() => {
  const get = (id) => document.getElementById(id);
  const veil = get("veil");
  let [room, flat, marks] = [null, null, []];
  const copy = flatpipe.room.image({ class: "flat" });
  // ^ of the flat image, always ready: one that came late would leave all of it veiled for a moment
  const over = flatpipe.element("canvas", { width: 1, height: 1 });
  let [pinned, isQueued, pointed] = [false, false, null];
  const pixel = flatpipe.element("canvas", { width: 1, height: 1 });
  const paint = (canvas) => canvas.getContext("2d");

  function start(shownFlat) {
    flat = shownFlat;
    room = flatpipe.room.create(veil);
    room.frame.append(copy);
    veil.append(over);
  }

  function fill(canvas, hex) {
    const pen = paint(canvas);
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = hex;
    pen.fillRect(0, 0, 1, 1);
  }

  function unveil() {
    veil.hidden = true;
    get("stage").classList.remove("veiled");
  }

  function drawVeil(draw, lens, size) {
    draw(over);
    veil.hidden = false;
    room.place(lens, size);
    get("stage").classList.add("veiled");
  }

  // Which pixel of the flat image is under a pointer: all marks are drawn anew, a mark is seen where colours are equal.
  function point(at) {
    pointed = at;
    if (isQueued) return;
    isQueued = true;
    requestAnimationFrame(() => { isQueued = false; drawMarks(); });
  }

  function takePixel() {
    const pen = paint(pixel);
    pen.clearRect(0, 0, 1, 1);
    pen.drawImage(flat, pointed.x, pointed.y, 1, 1, 0, 0, 1, 1);
  }

  function drawMarks() {
    const isOn = pointed && flat.complete && flat.naturalWidth > pointed.x && flat.naturalHeight > pointed.y;
    get("palette").classList.toggle("pointed", Boolean(isOn));
    if (!isOn) return;
    takePixel();
    for (const { canvas, hex } of marks) {
      fill(canvas, hex);
      const pen = paint(canvas);
      pen.globalCompositeOperation = "difference";
      pen.drawImage(pixel, 0, 0);
    }
  }

  return {
    start, point,
    // What the stage shows now: whatever was highlighted of the one before is over.
    turnTo(source) { copy.src = source; flatpipe.highlight.clear(); },
    // Marks for the chips: [{ canvas, hex }].
    setMarks(found) { marks = found; if (pointed) point(pointed); },
    showColor(hex, lens, size) { drawVeil((canvas) => fill(canvas, hex), lens, size); },
    // All pixels of the colour that one pixel has, until they are let go.
    pinPixel(at, lens, size) {
      pointed = at;
      drawMarks();
      drawVeil((canvas) => { const pen = paint(canvas); pen.globalCompositeOperation = "copy"; pen.drawImage(pixel, 0, 0); pen.globalCompositeOperation = "source-over"; }, lens, size);
      pinned = true;
    },
    get isPinned() { return pinned; },
    pin() { pinned = true; },
    clear() { pinned = false; pointed = null; unveil(); drawMarks(); },
    unveil,
    place(lens, size) { if (!veil.hidden) room.place(lens, size); },
  };
})();
