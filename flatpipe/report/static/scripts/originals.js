"use strict";
// What there is to see of an original: the preview that the run made, and the file itself where that is needed and there.

flatpipe.originals = (() => {
  const SHOWN = /\.(png|apng|jpe?g|gif|webp|avif|bmp)$/i;
  // ^ formats that browsers show

  // The file itself, when it would show the same pixels: not one frame of several, for it would move.
  function fileOf(detail) {
    const isOneOfSeveral = detail.notes.some((note) => note.startsWith("frame "));
    return !isOneOfSeveral && SHOWN.test(detail.original) ? detail.original : "";
  }

  // Whether the file at a link is there: true or false, null where a browser cannot tell.
  const isThere = (link) => (SHOWN.test(link) ? read(link).then((image) => image !== null) : Promise.resolve(null));

  function read(source) {
    return new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => resolve(null);
      image.src = source;
    });
  }

  // Shows an original in an <img>: the preview at once, the file when the preview has too few pixels. `told` is called
  // when what is shown has changed.
  function open(image, row, detail, original, told = () => {}) {
    const preview = original ? flatpipe.pictureOf(row, original.preview) : "";
    const file = fileOf(detail);
    const longest = Math.max(detail.width, detail.height);
    let known = longest;
    // ^ pixels of the preview's longer side, once it is there
    let state = file ? "unasked" : "none";
    let scale = 0;

    function show(source, isExact) {
      image.src = source;
      image.classList.toggle("exact", isExact);
      // ^ these are the image's own pixels, and may be shown as such
      if (isExact) state = "shown";
      told();
    }

    function want(wanted) {
      scale = wanted;
      if (state === "unasked" && (scale >= 0.99 || isTooSmall())) need();
    }
    const isTooSmall = () => scale * longest > 1.02 * known;

    async function need() {
      state = "asked";
      const found = await read(file);
      if (state !== "asked") return;
      state = "none";
      const isSame = found && found.naturalWidth === detail.width && found.naturalHeight === detail.height;
      if (isSame || (found && !preview)) show(file, isSame);
      told();
    }

    async function begin() {
      image.classList.remove("exact");
      image.removeAttribute("src");
      if (!preview) return file ? need() : undefined;
      image.src = preview;
      const found = await read(preview);
      if (!found || state === "shown" || state === "closed") return undefined;
      known = Math.max(found.naturalWidth, found.naturalHeight);
      if (known === longest && preview.endsWith(".png")) show(preview, true);
      return want(scale);
    }
    begin();

    return {
      isThere: Boolean(preview || file),
      // Told the scale, in pixels of the screen for one of the image's.
      want,
      words: () => (state === "shown" || !preview || !isTooSmall() ? "original" : `preview, ${known} px`),
      close() { state = "closed"; },
    };
  }

  return { open, isThere, fileOf };
})();
