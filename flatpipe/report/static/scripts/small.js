"use strict";
// Small flats for every k, drawn from the thumbnail of the original: each of its pixels takes the nearest colour of the
// palette, as the run did with the large one. No file is read for it, so a slider over hundreds of cards is quick.

flatpipe.small = (() => {
  const CELL_BITS = 5, CELLS = 1 << (3 * CELL_BITS);
  // ^ colours that differ in their last three bits take the same colour of the palette
  const MOST = 200;
  // ^ thumbnails whose pixels are remembered: some 40 MB
  const remembered = new Map();
  let cells = null;

  // The pixels of an image's thumbnail; null where there is none, or where flats are the files
  // themselves: of what is not opaque, for squares show behind it, and of what is dithered.
  async function of(row) {
    if (!remembered.has(row)) {
      remembered.set(row, read(row).catch(() => null));
      if (remembered.size > MOST) remembered.delete(remembered.keys().next().value);
    }
    return remembered.get(row);
  }

  async function read(row) {
    if (!flatpipe.hasPictures(row)) return null;
    const original = await flatpipe.originalOf(row);
    if (!original?.opaque) return null;
    const image = new Image();
    image.src = sourceOf(original);
    await image.decode();
    const canvas = flatpipe.element("canvas", { width: image.naturalWidth, height: image.naturalHeight });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  }

  const sourceOf = (original) => `data:image/jpeg;base64,${original.small}`;

  // Each cell's middle in the space that was clustered in, three numbers a cell.
  function cellPlaces() {
    cells = new Float32Array(3 * CELLS);
    const level = (bits) => ((bits << (8 - CELL_BITS)) | (1 << (7 - CELL_BITS)));
    const mask = (1 << CELL_BITS) - 1;
    for (let cell = 0; cell < CELLS; cell++)
      cells.set(flatpipe.colors.inSpace([cell >> (2 * CELL_BITS), (cell >> CELL_BITS) & mask, cell & mask].map(level)), 3 * cell);
    return cells;
  }

  function nearest(cell, places) {
    const at = cells ?? cellPlaces();
    let [best, least] = [0, Infinity];
    for (let color = 0; color < places.length; color++) {
      const place = places[color];
      const [one, two, three] = [at[3 * cell] - place[0], at[3 * cell + 1] - place[1], at[3 * cell + 2] - place[2]];
      const distance = one * one + two * two + three * three;
      if (distance < least) [best, least] = [color, distance];
    }
    return best;
  }

  // Draws the thumbnail in the colours of a palette; without one as it is.
  function draw(canvas, pixels, palette) {
    [canvas.width, canvas.height] = [pixels.width, pixels.height];
    const pen = canvas.getContext("2d");
    if (!palette) return pen.putImageData(pixels, 0, 0);
    const flat = pen.createImageData(pixels.width, pixels.height);
    const [from, to] = [new Uint32Array(pixels.data.buffer), new Uint32Array(flat.data.buffer)];
    const rgbs = palette.map(({ hex }) => flatpipe.colors.rgbOf(hex));
    const words = rgbs.map(([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0);
    const places = rgbs.map(flatpipe.colors.inSpace);
    const known = new Uint32Array(CELLS);
    // ^ 0: not known yet; a colour's word is never 0, as it is opaque
    for (let at = 0; at < from.length; at++) {
      const word = from[at];
      const cell = (word & 0xf8) << 7 | (word & 0xf800) >> 6 | (word & 0xf80000) >> 19;
      to[at] = known[cell] || (known[cell] = words[nearest(cell, places)]);
    }
    return pen.putImageData(flat, 0, 0);
  }

  // Work that may wait, a little of it in each frame, so that scrolling stays smooth. Later work for a key replaces earlier.
  const queue = new Map();
  const BUDGET = 5;
  let isQueued = false;
  function later(key, work) {
    queue.set(key, work);
    if (!isQueued) { isQueued = true; requestAnimationFrame(someWork); }
  }
  function someWork() {
    const until = performance.now() + BUDGET;
    for (const [key, work] of queue) {
      queue.delete(key);
      work();
      if (performance.now() > until) break;
    }
    isQueued = queue.size > 0;
    if (isQueued) requestAnimationFrame(someWork);
  }

  return { of, draw, sourceOf, later };
})();
