"use strict";
// Every k, small, in a strip under the stage: what is shown is marked, a click shows another.

flatpipe.film = (() => {
  const { element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const tiles = new Map();
  let choose = () => {};

  async function open(row, detail, chosen) {
    choose = chosen;
    tiles.clear();
    get("film").hidden = detail.flats.length < 2;
    if (detail.flats.length > 1) for (const flat of detail.flats) tiles.set(flat[0], tile(detail, flat));
    get("film").replaceChildren(...tiles.values());
    if (!tiles.size) return;
    const pixels = await flatpipe.small.of(row);
    for (const flat of detail.flats) {
      const made = tiles.get(flat[0]);
      if (made?.isConnected) flatpipe.small.later(made, () => fill(made, detail, flat, pixels));
    }
  }

  function tile(detail, [k, , mse]) {
    const isSuggested = k === detail.suggested;
    const made = element("button", { type: "button", class: "tile", tabindex: -1, "aria-pressed": "false",
      "aria-label": `${flatpipe.counted(k, "colour")}, ${flatpipe.decibels(mse)}${isSuggested ? ", suggested" : ""}` },
    element("span", { class: "picture" }), element("span", { class: "k" }, `${k}`));
    made.classList.toggle("suggested", isSuggested);
    made.addEventListener("click", () => choose(k));
    return made;
  }

  function fill(made, detail, flat, pixels) {
    const place = made.firstChild;
    const file = element("img", { alt: "", src: flatpipe.flatSource(detail, flat[0]), decoding: "async" });
    if (!pixels) return place.replaceChildren(flatpipe.cards.fitted(file));
    const canvas = element("canvas");
    flatpipe.small.draw(canvas, pixels, flatpipe.colors.paletteOf(flat));
    return place.replaceChildren(flatpipe.cards.fitted(canvas));
  }

  function mark(k) {
    for (const [each, made] of tiles) {
      made.setAttribute("aria-pressed", each === k);
      made.tabIndex = each === k ? 0 : -1;
    }
    const made = tiles.get(k);
    if (made) get("film").scrollTo({ left: made.offsetLeft - (get("film").clientWidth - made.offsetWidth) / 2 });
  }

  return { open, mark };
})();
