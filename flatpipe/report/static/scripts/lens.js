"use strict";
// How large an image is shown, and which of its places is in the middle: one lens may hold for several images at once.
// `times` is how much larger than fitted; `x` and `y` are parts of the image's width and height.

flatpipe.lens = (() => {
  const LARGEST = 64;
  // ^ pixels of the screen for one of the image's, at most
  const LARGEST_FIT = 256;
  // ^ pixels of the page for one of the image's when it is fitted: one pixel alone need not fill a window
  const FITTED = { times: 1, x: 0.5, y: 0.5 };
  const clamped = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
  const snapped = (length, start) => Math.round((start + length) * devicePixelRatio) / devicePixelRatio - start;
  const fitScale = (room, size) => Math.min(room.width / size.width, room.height / size.height, LARGEST_FIT);
  const actualTimes = (room, size) => 1 / devicePixelRatio / fitScale(room, size);

  // How large an element is, and what its corner has of a pixel.
  function roomOf(host) {
    const { left, top } = host.getBoundingClientRect();
    return { width: host.clientWidth, height: host.clientHeight, left: left % 1, top: top % 1 };
  }

  // Where an image of a size lies in a room, in pixels of the page; whole pixels of the screen, so that edges are sharp.
  function placed(lens, room, size) {
    const scale = fitScale(room, size) * lens.times;
    const start = (length, shown, middle) => within(length, shown, lens.times, length / 2 - middle * shown);
    const [width, height] = [size.width * scale, size.height * scale];
    const left = snapped(start(room.width, width, lens.x), room.left);
    return { scale, width, height, left, top: snapped(start(room.height, height, lens.y), room.top) };
  }

  // Where an image begins that would begin at `start`: enlarged it covers the place that it has when fitted, smaller it
  // stays there. So zooming in at a point never has to move it.
  function within(length, shown, times, start) {
    const beside = (length - shown / times) / 2;
    const other = length - beside - shown;
    return clamped(start, Math.min(beside, other), Math.max(beside, other));
  }

  // With the middle that the image can have in its room.
  function settled(lens, room, size) {
    if (isFitted(lens)) return FITTED;
    const scale = fitScale(room, size) * lens.times;
    const middle = (length, shown, wanted) => (length / 2 - within(length, shown, lens.times, length / 2 - wanted * shown)) / shown;
    return { times: lens.times, x: middle(room.width, size.width * scale, lens.x), y: middle(room.height, size.height * scale, lens.y) };
  }

  // So many times larger or smaller, with the place of the image that is at `at` staying there.
  function zoomed(lens, room, size, at, factor) {
    const [before, fit] = [placed(lens, room, size), fitScale(room, size)];
    const least = Math.min(1, actualTimes(room, size));
    const times = clamped(lens.times * factor, least, Math.max(1, LARGEST / devicePixelRatio / fit));
    const [width, height] = [size.width * fit * times, size.height * fit * times];
    const held = (start, shown, place) => (place - start) / shown;
    const x = (room.width / 2 - at.x) / width + held(before.left, before.width, at.x);
    const y = (room.height / 2 - at.y) / height + held(before.top, before.height, at.y);
    return settled({ times, x, y }, room, size);
  }

  function moved(lens, room, size, across, down) {
    const { width, height } = placed(lens, room, size);
    return settled({ times: lens.times, x: lens.x - across / width, y: lens.y - down / height }, room, size);
  }

  const isFitted = (lens) => Math.abs(lens.times - 1) < 1e-3;
  const isMovable = (lens) => lens.times > 1 + 1e-3;

  // A lens that tells whoever asked when it changes.
  function create() {
    const listeners = [];
    let now = FITTED;
    return {
      get now() { return now; },
      set(next) { now = next; for (const tell of listeners) tell(now); },
      onChange(listener) { listeners.push(listener); },
      reset() { this.set(FITTED); },
    };
  }

  return { create, roomOf, placed, settled, zoomed, moved, isFitted, isMovable, actualTimes, fitScale, FITTED };
})();
