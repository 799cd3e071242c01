"use strict";
// The RGB cube: the image's colours as points, the palette as ringed discs; drag or arrow keys turn it.

flatpipe.cube = (() => {
  const canvas = document.getElementById("cube");
  const ownColors = document.getElementById("own-colors");
  const START = { turn: -0.61, tilt: 0.38 };
  let points = [];
  let palette = [];
  let view = { ...START };
  let queued = false;
  const corners = Array.from({ length: 8 }, (_, row) => [row >> 2 & 1, row >> 1 & 1, row & 1].map((bit) => bit * 255));
  const edges = [];
  for (let one = 0; one < 8; one++)
    for (const bit of [1, 2, 4]) if (!(one & bit)) edges.push([one, one | bit]);

  function unpack(text) {
    const bytes = atob(text);
    points = [];
    for (let at = 0; at < bytes.length; at += 4)
      points.push({ rgb: [0, 1, 2].map((channel) => bytes.charCodeAt(at + channel)), size: bytes.charCodeAt(at + 3) / 255, fill: "" });
  }

  function assign() {
    for (const point of points) {
      let best = Infinity;
      for (const color of palette) {
        const distance = color.rgb.reduce((sum, value, channel) => sum + (value - point.rgb[channel]) ** 2, 0);
        if (distance < best) [best, point.fill] = [distance, color.hex];
      }
    }
  }

  // x and y on the canvas, and nearness; green points up.
  function project(rgb, side) {
    const [red, green, blue] = rgb.map((value) => (value - 127.5) / 255);
    const across = red * Math.cos(view.turn) - blue * Math.sin(view.turn);
    const away = red * Math.sin(view.turn) + blue * Math.cos(view.turn);
    const up = green * Math.cos(view.tilt) - away * Math.sin(view.tilt);
    const near = green * Math.sin(view.tilt) + away * Math.cos(view.tilt);
    const scale = side * 0.6 * (1 + 0.18 * near);
    return [side / 2 + across * scale, side / 2 - up * scale, near];
  }

  function draw() {
    queued = false;
    const side = canvas.clientWidth;
    if (!side) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(side * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const seen = corners.map((corner) => project(corner, side));
    const farthest = seen.reduce((worst, corner, row) => (corner[2] < seen[worst][2] ? row : worst), 0);
    drawEdges(pen, seen, (pair) => pair.includes(farthest), style.getPropertyValue("--line"));
    const disc = (x, y, radius, fill) => { pen.fillStyle = fill; pen.beginPath(); pen.arc(x, y, radius, 0, 7); pen.fill(); };
    const placed = points.map((point) => [project(point.rgb, side), point]).sort((one, other) => one[0][2] - other[0][2]);
    for (const [[x, y, near], point] of placed)
      disc(x, y, (side / 420) * (1.1 + 6 * point.size) * (1 + 0.3 * near), ownColors.checked ? `rgb(${point.rgb})` : point.fill);
    drawEdges(pen, seen, (pair) => !pair.includes(farthest), style.getPropertyValue("--line"));
    const centers = palette.map((color) => [project(color.rgb, side), color]).sort((one, other) => one[0][2] - other[0][2]);
    for (const [[x, y], color] of centers) {
      disc(x, y, 9, style.getPropertyValue("--ink"));
      disc(x, y, 7.6, style.getPropertyValue("--surface"));
      disc(x, y, 6.2, color.hex);
    }
  }

  function drawEdges(pen, seen, isWanted, stroke) {
    pen.strokeStyle = stroke;
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const pair of edges.filter(isWanted)) {
      pen.moveTo(...seen[pair[0]].slice(0, 2));
      pen.lineTo(...seen[pair[1]].slice(0, 2));
    }
    pen.stroke();
  }

  function soon() {
    if (!queued) { queued = true; requestAnimationFrame(draw); }
  }

  function turn(across, up) {
    view.turn += across;
    view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + up));
    soon();
  }

  function start() {
    let last = null;
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = event; });
    canvas.addEventListener("pointermove", (event) => {
      if (!last || !canvas.hasPointerCapture(event.pointerId)) return;
      turn((event.clientX - last.clientX) * 0.01, (event.clientY - last.clientY) * 0.01);
      last = event;
    });
    canvas.addEventListener("pointerup", () => { last = null; });
    canvas.addEventListener("dblclick", () => { view = { ...START }; soon(); });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, -0.12], ArrowDown: [0, 0.12] }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      turn(...step);
    });
    ownColors.addEventListener("change", soon);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
    new ResizeObserver(soon).observe(canvas);
  }

  return {
    start,
    open(found) { if (found) unpack(found.points); else points = []; },
    show(colors) {
      palette = colors.map(({ hex }) => ({ hex, rgb: [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) }));
      assign();
      canvas.setAttribute("aria-label", `The image's colours as ${points.length} points in the RGB cube, in the colours of ${palette.length} clusters. Arrow keys turn it.`);
      soon();
    },
  };
})();
