"use strict";
// The sweep on the stage: every k in turn, then the original, each fading into the next.

flatpipe.play = (() => {
  const get = (id) => document.getElementById(id);
  const STEP = 900, FADE = 480, LAST = 2;
  // ^ milliseconds at speed 1, and how much longer the original stays
  const isStill = matchMedia("(prefers-reduced-motion: reduce)");
  let [ks, turn, place, border] = [[], 0, 0, 0];
  let showK = () => {};
  const isOn = () => turn > 0;
  const speed = () => Number(get("speed").value);
  const wait = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

  function open(found, shown) {
    stop();
    [ks, showK] = [found, shown];
    get("play").hidden = get("speed-control").hidden = ks.length < 2;
  }

  async function begin(k) {
    if (ks.length < 2) return;
    const mine = ++begin.count;
    turn = mine;
    place = ks.indexOf(k) === ks.length - 1 ? 0 : ks.indexOf(k);
    border = flatpipe.wipe.percent;
    flatpipe.wipe.set(0);
    say();
    for (let isFirst = true; turn === mine; place = (place + 1) % (ks.length + 1), isFirst = false) {
      const isLast = place === ks.length;
      if (!isLast) await flatpipe.flats.isReady(ks[place]);
      if (turn !== mine) return;
      const fade = isStill.matches || isFirst ? 0 : FADE / speed();
      if (isLast) showOriginal(fade);
      else showK(ks[place], fade);
      await wait(((isLast ? LAST : 1) * STEP) / speed());
    }
  }
  begin.count = 0;

  function showOriginal(fade) {
    if (!flatpipe.stage.hasOriginal) return;
    flatpipe.stage.showOriginal(fade);
    get("k-value").textContent = "original";
  }

  // Stops where it is; the border comes back.
  function stop() {
    if (!isOn()) return;
    turn = 0;
    if (flatpipe.wipe.percent === 0) flatpipe.wipe.set(border);
    say();
  }

  function say() {
    get("play").firstElementChild.className = `icon ${isOn() ? "pause" : "play"}`;
    get("play").setAttribute("aria-label", isOn() ? "Pause the sweep" : "Play the sweep");
    document.getElementById("theatre").classList.toggle("playing", isOn());
  }

  return { open, begin, stop, get isOn() { return isOn(); }, toggle(k) { if (isOn()) stop(); else begin(k); } };
})();
