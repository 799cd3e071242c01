"use strict";
// The palette of the current k beside the image: a band by share, and colours that show their pixels and are copied.
// From one k to the next a colour stays the element that it was, and moves to its new place.

flatpipe.palette = (() => {
  const { element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const MOVE = { duration: 260, easing: "ease-out" };
  const isStill = matchMedia("(prefers-reduced-motion: reduce)");
  const MOST_WORDS = 32;
  // ^ colours up to which each has its words; of more there are swatches alone
  let [name, colors, chips] = ["", [], []];
  let [hovered, pinned] = [null, null];

  function show(shownName, flat) {
    const before = colors;
    [name, colors, pinned, hovered] = [shownName, flatpipe.colors.paletteOf(flat), null, null];
    const from = flatpipe.colors.matched(before, colors);
    const places = new Map(chips.map((chip) => [chip, chip.item.getBoundingClientRect()]));
    const focused = chips.find((chip) => chip.item.contains(document.activeElement));
    const focus = focused && document.activeElement;
    const old = chips;
    chips = colors.map((color, row) => filled(from[row] >= 0 ? old[from[row]] : newChip(), color));
    get("palette").replaceChildren(...chips.map(({ item }) => item));
    get("palette").classList.toggle("many", colors.length > MOST_WORDS);
    get("strip").replaceChildren(...chips.map(({ band }) => band));
    if (chips.includes(focused)) focus.focus({ preventScroll: true });
    if (!isStill.matches) for (const chip of chips) move(chip, places.get(chip));
    flatpipe.highlight.setMarks(chips.map(({ canvas, color }) => ({ canvas, hex: color.hex })));
  }

  function move({ item }, before) {
    const after = item.getBoundingClientRect();
    if (!before) item.animate([{ opacity: 0 }, { opacity: 1 }], MOVE);
    else if (before.x !== after.x || before.y !== after.y)
      item.animate([{ transform: `translate(${before.x - after.x}px, ${before.y - after.y}px)` }, { transform: "none" }], MOVE);
  }

  function newChip() {
    const [band, swatch, hex, share] = [element("i"), element("span", { class: "swatch" }), element("code"), element("span", { class: "share" })];
    const called = element("bdi", { class: "called" });
    const canvas = element("canvas", { width: 1, height: 1 });
    const mark = element("span", { class: "mark", "aria-hidden": "true" }, canvas);
    const pick = element("button", { type: "button", class: "chip", "aria-pressed": "false" },
      swatch, hex, " ", called, " ", share, element("span", { class: "hidden" }, " of the image: show its pixels"));
    const copy = element("button", { type: "button", class: "copy" }, element("i", { class: "icon copying" }));
    const item = element("li", {}, mark, pick, copy);
    const chip = { item, band, swatch, hex, called, share, canvas, pick, copy, color: null };
    pick.addEventListener("click", () => press(chip));
    for (const place of [item, band]) {
      place.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") hover(chip); });
      place.addEventListener("pointerleave", () => hover(null));
    }
    pick.addEventListener("focus", () => { if (pick.matches(":focus-visible")) hover(chip); });
    pick.addEventListener("blur", () => hover(null));
    return chip;
  }

  function filled(chip, color) {
    chip.color = color;
    const percent = flatpipe.percent(color.share);
    chip.swatch.style.background = chip.band.style.background = color.hex;
    chip.band.style.flexGrow = color.share;
    chip.hex.textContent = color.hex;
    chip.share.textContent = percent;
    chip.called.textContent = flatpipe.calledOf(color.hex);
    chip.called.hidden = !chip.called.textContent;
    chip.pick.title = [color.hex, chip.called.textContent, percent].filter(Boolean).join(", ");
    chip.pick.setAttribute("aria-pressed", "false");
    chip.copy.setAttribute("aria-label", `Copy ${color.hex}`);
    chip.copy.dataset.copy = color.hex;
    return chip;
  }

  // A colour under the pointer shows its pixels; one that was pressed keeps showing them.
  function hover(chip) {
    hovered = chip;
    update();
  }

  function press(chip) {
    pinned = pinned === chip ? null : chip;
    for (const each of chips) each.pick.setAttribute("aria-pressed", each === pinned);
    update();
  }

  function update() {
    const chip = hovered ?? pinned;
    if (chip) flatpipe.stage.showColor(chip.color.hex);
    else if (!flatpipe.highlight.isPinned) flatpipe.highlight.unveil();
    flatpipe.cube.point(chip?.color.hex ?? "");
  }

  function release() {
    if (!pinned && !flatpipe.highlight.isPinned) return false;
    if (pinned) press(pinned);
    flatpipe.highlight.clear();
    return true;
  }

  return { show, release, shown: () => ({ name, colors }), forget() { [colors, chips] = [[], []]; } };
})();
