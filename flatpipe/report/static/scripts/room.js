"use strict";
// A room that shows one image through a lens. Enlarged or true to size every pixel is crisp; made smaller it is averaged,
// or lines would break up. A preview is never crisp: its pixels are not the image's.

flatpipe.room = (() => {
  function create(host) {
    const frame = flatpipe.element("div", { class: "frame" });
    host.append(frame);
    let now = null;

    return {
      frame,
      get now() { return now; },
      place(lens, size) {
        now = flatpipe.lens.placed(lens, flatpipe.lens.roomOf(host), size);
        frame.style.transform = `translate(${now.left}px, ${now.top}px)`;
        frame.style.width = `${now.width}px`;
        frame.style.height = `${now.height}px`;
        frame.classList.toggle("crisp", now.scale * devicePixelRatio >= 0.999);
        return now;
      },
    };
  }

  const image = (attributes) => flatpipe.element("img", { alt: "", draggable: "false", decoding: "sync", ...attributes });

  return { create, image };
})();
