"use strict";
// The flats of one image, decoded before they are asked for, so that they appear without a blink.

flatpipe.flats = (() => {
  const AT_ONCE = 48e6;
  // ^ pixels that are decoded ahead, over all k of an image
  let [detail, ready] = [null, new Map()];

  // The neighbours of k, nearest first, as many as memory is meant for.
  function loadAhead(k) {
    const most = Math.max(2, Math.floor(AT_ONCE / (detail.width * detail.height)));
    const near = detail.flats.map((row) => row[0]).sort((one, two) => Math.abs(one - k) - Math.abs(two - k)).slice(0, most);
    for (const old of ready.keys()) if (!near.includes(old)) ready.delete(old);
    for (const each of near) {
      if (ready.has(each)) continue;
      const image = new Image();
      image.src = flatpipe.flatSource(detail, each);
      ready.set(each, image);
    }
  }

  return {
    open(opened) { [detail, ready] = [opened, new Map()]; },
    loadAhead,
    // Until the flat of a k can be shown at once.
    async isReady(k) {
      loadAhead(k);
      await ready.get(k)?.decode().catch(() => {});
    },
  };
})();
