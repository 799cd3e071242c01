"use strict";
// Keys: one table says what each does and where, and is what the page shows under "?".

flatpipe.keys = (() => {
  const { element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const viewer = (act) => () => { if (flatpipe.viewer.isReady()) act(); };
  const zoom = (name) => () => document.querySelector(`#${shownView()} [data-zoom=${name}]`)?.click();
  const pan = (across, down) => () => {
    const { lens, room, size } = flatpipe.stage.target;
    lens.set(flatpipe.lens.moved(lens.now, room(), size(), across, down));
  };
  const PAN = 80;

  const TABLE = {
    overview: ["All images", [
      ["/", "search", () => get("search")?.focus()],
      ["ArrowLeft", "one colour less on all cards", () => stepAll(-1)],
      ["ArrowRight", "one colour more on all cards", () => stepAll(1)],
      ["s", "suggested k for each", () => flatpipe.choice.set(0)],
      ["o", "originals, or flats", () => flipFaces()],
      ["x", "select the card that has the focus", () => pick()],
      ["c", "selected images side by side", () => flatpipe.selection.compare()],
      ["Escape", "let go of a colour, select nothing", () => { if (!flatpipe.legend.release()) flatpipe.selection.clear(); }],
    ]],
    viewer: ["One image", [
      ["ArrowLeft", "one colour less", viewer(() => flatpipe.viewer.stepK(-1))],
      ["ArrowRight", "one colour more", viewer(() => flatpipe.viewer.stepK(1))],
      ["Shift ArrowLeft", "previous image", () => flatpipe.viewer.go(-1)],
      ["Shift ArrowRight", "next image", () => flatpipe.viewer.go(1)],
      [" ", "play or pause the sweep", viewer(() => flatpipe.viewer.play())],
      ["s", "suggested k", viewer(() => flatpipe.viewer.suggest())],
      ["o", "flip: all original, or all flat", viewer(() => flatpipe.viewer.flip())],
      [",", "border to the left", viewer(() => flatpipe.wipe.by(-5))],
      [".", "border to the right", viewer(() => flatpipe.wipe.by(5))],
      ["+", "larger", zoom("in")],
      ["-", "smaller", zoom("out")],
      ["0", "fit", zoom("fit")],
      ["1", "1:1", zoom("actual")],
      ["f", "full screen", () => flatpipe.viewer.toggleFull()],
      ["p", "copy the palette as hex values", viewer(() => flatpipe.copies.as("hex"))],
      ["Escape", "let go of a colour, leave", () => flatpipe.viewer.leave()],
    ]],
    compare: ["Side by side", [
      ["ArrowLeft", "one colour less", () => stepAll(-1)],
      ["ArrowRight", "one colour more", () => stepAll(1)],
      ["s", "suggested k for each", () => flatpipe.choice.set(0)],
      ["o", "originals, or flats", () => flatpipe.compare.flip()],
      ["+", "larger", zoom("in")],
      ["-", "smaller", zoom("out")],
      ["0", "fit", zoom("fit")],
      ["1", "1:1", zoom("actual")],
      ["Escape", "all images", () => get("compare-back").click()],
    ]],
  };
  const GESTURES = [
    ["wheel, two fingers", "zoom at the pointer"], ["drag", "move an enlarged image"], ["double click", "fit, or 1:1"],
    ["click on the image", "all pixels of that colour"], ["click on a colour", "its pixels"], ["swipe", "previous or next image"],
  ];
  const SHOWN = { ArrowLeft: "←", ArrowRight: "→", "Shift ArrowLeft": "⇧ ←", "Shift ArrowRight": "⇧ →", " ": "space", Escape: "esc" };
  const TYPING = "input:not([type=range], [type=checkbox], [type=radio]), select, textarea, .scroll, #cube";
  // ^ what needs letters and arrows itself

  const shownView = () => Object.keys(TABLE).find((view) => !get(view).hidden);

  function stepAll(step) {
    const ks = flatpipe.page.ks;
    const at = flatpipe.choice.k ? ks.indexOf(flatpipe.choice.k) + step : Math.floor(ks.length / 2);
    if (ks.length > 1) flatpipe.choice.set(ks[Math.min(ks.length - 1, Math.max(0, at))]);
  }

  function flipFaces() {
    document.querySelector("input[name=face-overview]:not(:checked)")?.click();
  }

  function pick() {
    document.activeElement?.closest(".card")?.querySelector(".pick input")?.click();
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || get("help").open) return;
    if (event.key === "?") return open(event);
    if (event.key === "Escape" && event.target.id === "search" && event.target.value) return;
    const isControl = event.target.closest(TYPING);
    if (isControl && event.key !== "Escape") return;
    const isButton = event.target.closest("button, summary, a, input");
    if (isButton && event.key === " ") return;
    const isRange = event.target.matches("input[type=range], input[type=radio]");
    if (isRange && event.key.startsWith("Arrow") && !event.shiftKey) return;
    if (moveImage(event)) return event.preventDefault();
    const name = `${event.shiftKey && event.key.startsWith("Arrow") ? "Shift " : ""}${event.key}`;
    const found = TABLE[shownView()]?.[1].find(([key]) => key === name);
    if (!found) return;
    event.preventDefault();
    found[2]();
  }

  // In an enlarged image that has the focus, arrows move it.
  function moveImage(event) {
    const by = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key];
    if (!by || event.shiftKey || !event.target.matches("#stage.movable")) return false;
    pan(...by)();
    return true;
  }

  function open(event) {
    event?.preventDefault();
    get("help").showModal();
  }

  function list(title, entries) {
    return element("section", {}, element("h3", {}, title), element("dl", {}, ...entries.flatMap(([key, text]) => [
      element("dt", {}, key.length > 1 && !SHOWN[key] ? key : element("kbd", {}, SHOWN[key] ?? key)), element("dd", {}, text)])));
  }

  function start() {
    document.addEventListener("keydown", press);
    for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", () => open());
    get("help-close").addEventListener("click", () => get("help").close());
    get("help").addEventListener("click", (event) => { if (event.target === get("help")) get("help").close(); });
    get("help-lists").replaceChildren(list("Everywhere", [["?", "this list"], ...GESTURES]), ...Object.values(TABLE).map(([title, entries]) => list(title, entries)));
  }

  return { start };
})();
