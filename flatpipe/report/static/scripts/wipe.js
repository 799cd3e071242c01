"use strict";
// The border between the two sides of the stage: it lies on what is seen of the image, and moves by its handle and keys.

flatpipe.wipe = (() => {
  const get = (id) => document.getElementById(id);
  const handle = get("wipe");
  const STEPS = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
  let [percent, seen, words] = [50, () => [0, 0], () => ""];

  // All left is 0, all right 100.
  function set(wanted) {
    percent = Math.min(100, Math.max(0, wanted));
    const [start, end] = seen();
    const at = start + ((end - start) * percent) / 100;
    get("left-room").style.clipPath = `inset(0 calc(100% - ${at}px) 0 0)`;
    handle.style.transform = `translateX(${at}px)`;
    handle.setAttribute("aria-valuenow", Math.round(percent));
    handle.setAttribute("aria-valuetext", `${Math.round(percent)} % ${words()}`);
    get("right-side").classList.toggle("away", percent > 96);
  }

  // `found` gives where what is seen of the image begins and ends, `said` what the left side is, in words.
  function start(stage, found, said) {
    [seen, words] = [found, said];
    const drag = (event) => {
      const [[begin, end], box] = [seen(), stage.getBoundingClientRect()];
      set((100 * (event.clientX - box.left - begin)) / Math.max(1, end - begin));
    };
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus({ preventScroll: true });
    });
    handle.addEventListener("pointermove", (event) => { if (handle.hasPointerCapture(event.pointerId)) drag(event); });
    handle.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      set(percent + step);
    });
  }

  return { start, set, by(step) { set(percent + step); }, get percent() { return percent; } };
})();
