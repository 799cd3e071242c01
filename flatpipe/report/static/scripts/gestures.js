"use strict";
// What wheel, fingers and mouse do to a lens: zoom at the pointer, move, fit and 1:1; and what is left of them: a tap, a swipe.

flatpipe.gestures = (() => {
  const WHEEL = 0.0016, PINCH_WHEEL = 0.012, LINE = 18;
  // ^ how much a notch of the wheel zooms, a pinch on a touchpad, and pixels of a line where wheels turn in lines
  const STILL = 5, SWIPE = 56;
  // ^ pixels of the page that a tap may move, and a swipe must
  const TWICE = 300;
  // ^ milliseconds between two taps that are one double tap

  // `target`: { lens, room(), size(), tapped(at), swiped(step) }; what begins on a control is not ours.
  function attach(host, target) {
    const fingers = new Map();
    let [moved, began, lastTap, tapTimer] = [0, null, null, 0];
    const place = (event) => {
      const box = host.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const isOurs = (event) => !event.target.closest("button, select, label, a, [role=slider]") && target.size();
    const zoom = (at, factor) => target.lens.set(flatpipe.lens.zoomed(target.lens.now, target.room(), target.size(), at, factor));
    const move = (across, down) => target.lens.set(flatpipe.lens.moved(target.lens.now, target.room(), target.size(), across, down));

    host.addEventListener("wheel", (event) => {
      if (!isOurs(event)) return;
      event.preventDefault();
      const turned = event.deltaY * (event.deltaMode ? LINE : 1);
      zoom(place(event), Math.exp(-turned * (event.ctrlKey ? PINCH_WHEEL : WHEEL)));
    }, { passive: false });

    host.addEventListener("pointerdown", (event) => {
      if (event.button || !isOurs(event)) return;
      fingers.set(event.pointerId, place(event));
      if (fingers.size === 1) [moved, began] = [0, { ...place(event), isTouch: event.pointerType !== "mouse" }];
      else moved = Infinity;
      try { host.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
    });
    host.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      if (fingers.size === 2) pinch(event.pointerId, before, now);
      else if (fingers.size === 1) {
        moved = Math.max(moved, Math.hypot(now.x - began.x, now.y - began.y));
        if (moved > STILL && isMovable()) move(now.x - before.x, now.y - before.y);
      }
      fingers.set(event.pointerId, now);
    });
    for (const name of ["pointerup", "pointercancel"]) host.addEventListener(name, (event) => {
      if (!fingers.delete(event.pointerId) || fingers.size || name === "pointercancel") return;
      const at = place(event);
      if (moved <= STILL) tap(at, began.isTouch);
      else if (began.isTouch && moved < Infinity && !isMovable()) swipe(at);
    });
    host.addEventListener("dblclick", (event) => { if (isOurs(event) && !began?.isTouch) twice(place(event)); });
    // A browser that has begun to scroll takes the fingers away: with two of them, or in an enlarged image, it shall not.
    host.addEventListener("touchmove", (event) => { if (event.touches.length > 1 || isMovable()) event.preventDefault(); }, { passive: false });

    const isMovable = () => target.size() && flatpipe.lens.isMovable(target.lens.now);

    function pinch(id, before, now) {
      const [, other] = [...fingers].find(([each]) => each !== id);
      const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y);
      zoom({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }, apart(now) / Math.max(1, apart(before)));
      move((now.x - before.x) / 2, (now.y - before.y) / 2);
    }

    function tap(at, isTouch) {
      const now = performance.now();
      const isSecond = lastTap && now - lastTap.time < TWICE && Math.hypot(at.x - lastTap.x, at.y - lastTap.y) < 4 * STILL;
      lastTap = isSecond ? null : { ...at, time: now };
      clearTimeout(tapTimer);
      if (isSecond && isTouch) twice(at);
      else if (!isSecond) tapTimer = setTimeout(() => target.tapped?.(at), TWICE - 40);
      // ^ a tap that may become a double tap waits
    }

    function swipe(at) {
      const [across, down] = [at.x - began.x, at.y - began.y];
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) target.swiped?.(across < 0 ? 1 : -1);
    }

    function twice(at) {
      clearTimeout(tapTimer);
      toggle(target, at);
    }
  }

  // Fitted, or one pixel of the image on one of the screen, with the place at `at` staying there.
  function toggle({ lens, room, size }, at) {
    const [box, shape] = [room(), size()];
    if (!flatpipe.lens.isFitted(lens.now)) return lens.reset();
    return lens.set(flatpipe.lens.zoomed(lens.now, box, shape, at, flatpipe.lens.actualTimes(box, shape)));
  }

  // The buttons of a template's zoom tools, for one target.
  function attachTools(tools, target) {
    const middle = () => ({ x: target.room().width / 2, y: target.room().height / 2 });
    const by = (factor) => target.lens.set(flatpipe.lens.zoomed(target.lens.now, target.room(), target.size(), middle(), factor));
    const actions = {
      in: () => by(Math.SQRT2),
      out: () => by(Math.SQRT1_2),
      fit: () => target.lens.reset(),
      actual: () => by(flatpipe.lens.actualTimes(target.room(), target.size()) / target.lens.now.times),
    };
    for (const [name, act] of Object.entries(actions))
      tools.querySelector(`[data-zoom=${name}]`).addEventListener("click", () => { if (target.size()) act(); });
    return actions;
  }

  function showZoom(tools, { lens, room, size }) {
    if (!size()) return;
    const actual = lens.now.times / flatpipe.lens.actualTimes(room(), size());
    const percent = 100 * actual;
    tools.querySelector(".zoom-value").textContent = `${percent < 9.95 ? percent.toFixed(1) : flatpipe.number(Math.round(percent))} %`;
    tools.querySelector("[data-zoom=fit]").setAttribute("aria-pressed", flatpipe.lens.isFitted(lens.now));
    tools.querySelector("[data-zoom=actual]").setAttribute("aria-pressed", Math.abs(actual - 1) < 1e-3);
  }

  return { attach, attachTools, showZoom };
})();
