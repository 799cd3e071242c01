"use strict";
// The k that all images are shown with, side by side or on cards: 0 is each image's suggested one.

flatpipe.choice = (() => {
  const ks = flatpipe.page.ks;
  const places = [...document.querySelectorAll("[data-all-k]")];
  const listeners = [];
  let k = 0;

  function set(wanted) {
    const next = ks.includes(wanted) ? wanted : 0;
    const isNew = next !== k;
    k = next;
    for (const place of places) show(place);
    if (isNew) for (const tell of listeners) tell(k);
  }

  function show(place) {
    const range = place.querySelector("input");
    if (k) range.value = ks.indexOf(k);
    range.setAttribute("aria-valuetext", k ? flatpipe.counted(k, "colour") : "as suggested for each");
    flatpipe.fillRange(range);
    place.querySelector(".suggested").setAttribute("aria-pressed", k === 0);
    place.querySelector(".k-value").textContent = k || "–";
  }

  function start() {
    for (const place of places) {
      place.hidden = ks.length < 2;
      const range = place.querySelector("input");
      [range.min, range.max, range.value] = [0, Math.max(0, ks.length - 1), Math.floor(ks.length / 2)];
      range.addEventListener("input", () => set(ks[range.value]));
      place.querySelector(".suggested").addEventListener("click", () => set(k ? 0 : ks[range.value]));
      show(place);
    }
  }

  return { start, set, get k() { return k; }, onChange(listener) { listeners.push(listener); } };
})();
