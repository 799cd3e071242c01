"use strict";
// The palette of the current k: a strip by share, and colours that a click copies.

flatpipe.palette = (() => {
  const { element } = flatpipe;
  const get = (id) => document.getElementById(id);
  let colors = [];

  function colorsOf(flat) {
    const [, , , , palette, weights] = flat;
    const counts = weights.split(" ").map(Number);
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    return counts.map((count, row) => ({ hex: `#${palette.slice(6 * row, 6 * row + 6)}`, share: count / total }));
  }

  function show(flat) {
    colors = colorsOf(flat);
    get("strip").replaceChildren(...colors.map(({ hex, share }) => {
      const band = element("i");
      band.style.background = hex;
      band.style.flexGrow = share;
      return band;
    }));
    get("palette").replaceChildren(...colors.map(chip));
  }

  function chip({ hex, share }) {
    const percent = `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = hex;
    const button = element("button", { type: "button", class: "chip", "data-copy": hex },
      swatch, element("code", {}, hex), " ", element("span", { class: "soft" }, percent), element("span", { class: "hidden" }, " of the image: copy"));
    return element("li", {}, button);
  }

  // The clipboard where the browser gives it, else the old way: a selected text and a command.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = element("textarea", { class: "hidden", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      const before = document.activeElement;
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      before?.focus({ preventScroll: true });
      if (!done) return toast(`Not copied: ${text}`);
    }
    return toast(text.includes("\n") ? "Palette copied" : `Copied ${text}`);
  }

  let timer = 0;
  function toast(text) {
    const place = get("toast");
    place.textContent = text;
    place.classList.add("shown");
    clearTimeout(timer);
    timer = setTimeout(() => place.classList.remove("shown"), 1600);
  }

  function start() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (button) copy(button.dataset.copy);
    });
    get("copy-all").addEventListener("click", () => copy(colors.map(({ hex }) => hex).join("\n")));
  }

  return { start, show, colorsOf };
})();
