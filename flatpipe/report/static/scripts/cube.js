"use strict";
// The colour space: the image's colours as points in the RGB cube, or in OKLab when that was used; the palette as ringed
// discs; drag or arrow keys turn it.

flatpipe.cube = (() => {
  const canvas = document.getElementById("cube");
  const ownColors = document.getElementById("own-colors");
  const axes = document.getElementById("axes");
  const START = { turn: -0.61, tilt: 0.38 };
  let points = [];
  let palette = [];
  let view = { ...START };
  let queued = false;
  let pointed = "";
  // ^ hex of the colour that is pointed at in the palette
  const corners = Array.from({ length: 8 }, (_, row) => [row >> 2 & 1, row >> 1 & 1, row & 1].map((bit) => bit * 255));
  const edges = [];
  for (let one = 0; one < 8; one++)
    for (const bit of [1, 2, 4]) if (!(one & bit)) edges.push([one, one | bit]);

  // Across, up and away of a colour, -0.5 .. 0.5; distances are those of the space.
  const places = {
    rgb: (rgb) => rgb.map((value) => (value - 127.5) / 255),
    oklab(rgb) {
      const [lightness, a, b] = flatpipe.colors.oklab(rgb);
      return [a, lightness - 0.5, b];
    },
  };
  // What stands at the ends of the axes, and where, a little outside: levels beyond those of colours, or OKLab itself.
  const labels = {
    rgb: [["R", [278, -8, -8]], ["G", [-8, 278, -8]], ["B", [-8, -8, 278]]].map(([text, rgb]) => [text, places.rgb(rgb)]),
    oklab: [["L", [0, 0.55, 0]], ["a", [0.36, -0.5, 0]], ["b", [0, -0.5, 0.36]]],
  };
  const placed = (rgb) => ({ rgb, at: places[axes.value](rgb), cluster: places[flatpipe.page.space](rgb) });

  function unpack(text) {
    const bytes = atob(text);
    points = [];
    for (let at = 0; at < bytes.length; at += 4)
      points.push({ ...placed([0, 1, 2].map((channel) => bytes.charCodeAt(at + channel))), size: bytes.charCodeAt(at + 3) / 255, fill: "" });
  }

  function assign() {
    for (const point of points) {
      let best = Infinity;
      for (const color of palette) {
        const distance = color.cluster.reduce((sum, value, axis) => sum + (value - point.cluster[axis]) ** 2, 0);
        if (distance < best) [best, point.fill] = [distance, color.hex];
      }
    }
  }

  // x and y on the canvas, and nearness; green, or lightness, points up.
  function project([x, y, z], side) {
    const across = x * Math.cos(view.turn) - z * Math.sin(view.turn);
    const away = x * Math.sin(view.turn) + z * Math.cos(view.turn);
    const up = y * Math.cos(view.tilt) - away * Math.sin(view.tilt);
    const near = y * Math.sin(view.tilt) + away * Math.cos(view.tilt);
    const scale = side * (axes.value === "rgb" ? 0.57 : 0.8) * (1 + 0.18 * near);
    // ^ OKLab's body is a slender one
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
    const seen = corners.map((corner) => project(places[axes.value](corner), side));
    const farthest = seen.reduce((worst, corner, row) => (corner[2] < seen[worst][2] ? row : worst), 0);
    drawEdges(pen, side, (pair) => pair.includes(farthest), style.getPropertyValue("--edge"));
    const disc = (x, y, radius, fill) => { pen.fillStyle = fill; pen.beginPath(); pen.arc(x, y, radius, 0, 7); pen.fill(); };
    const inOrder = (colors) => colors.map((color) => [project(color.at, side), color]).sort((one, other) => one[0][2] - other[0][2]);
    for (const [[x, y, near], point] of inOrder(points))
      disc(x, y, (side / 420) * (1.1 + 6 * point.size) * (1 + 0.3 * near), ownColors.checked ? `rgb(${point.rgb})` : point.fill);
    drawEdges(pen, side, (pair) => !pair.includes(farthest), style.getPropertyValue("--edge"));
    drawLabels(pen, side, style);
    for (const [[x, y], color] of inOrder(palette)) {
      const more = color.hex === pointed ? 4 : 0;
      disc(x, y, 9 + more, style.getPropertyValue("--ink"));
      disc(x, y, 7.6 + more, style.getPropertyValue("--surface"));
      disc(x, y, 6.2 + more, color.hex);
    }
  }

  function drawLabels(pen, side, style) {
    pen.fillStyle = style.getPropertyValue("--ink");
    pen.font = "600 13px system-ui, sans-serif";
    [pen.textAlign, pen.textBaseline] = ["center", "middle"];
    for (const [text, at] of labels[axes.value]) {
      const [x, y] = project(at, side);
      pen.fillText(text, x, y);
    }
  }

  // Edges of the RGB cube: straight there, bent in OKLab.
  function drawEdges(pen, side, isWanted, stroke) {
    const steps = axes.value === "rgb" ? 1 : 16;
    pen.strokeStyle = stroke;
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const [one, other] of edges.filter(isWanted))
      for (let step = 0; step <= steps; step++) {
        const rgb = corners[one].map((value, channel) => value + ((corners[other][channel] - value) * step) / steps);
        const [x, y] = project(places[axes.value](rgb), side);
        if (step) pen.lineTo(x, y);
        else pen.moveTo(x, y);
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
    axes.value = flatpipe.page.space;
    document.getElementById("axes-control").hidden = flatpipe.page.space === "rgb";
    axes.addEventListener("change", () => {
      for (const color of [...points, ...palette]) color.at = places[axes.value](color.rgb);
      describe();
      soon();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
    new ResizeObserver(soon).observe(canvas);
  }

  function describe() {
    const space = axes.value === "rgb" ? "the RGB cube" : "OKLab";
    canvas.setAttribute("aria-label", `The image's colours as ${points.length} points in ${space}, in the colours of ${palette.length} clusters. Arrow keys turn it.`);
  }

  return {
    start,
    point(hex) { if (hex !== pointed) { pointed = hex; soon(); } },
    open(found) { if (found) unpack(found.points); else points = []; },
    show(colors) {
      palette = colors.map(({ hex }) => ({ hex, ...placed(flatpipe.colors.rgbOf(hex)) }));
      assign();
      describe();
      soon();
    },
  };
})();
