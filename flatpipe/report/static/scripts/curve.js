"use strict";
// Distortion over k, with the chosen k marked and the suggested one pointed out; of a run that asked for decibels, PSNR.

flatpipe.curve = (() => {
  const get = (id) => document.getElementById(id);
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 128, 40, 12, 12, 32];
  let [detail, chosen] = [null, 0];
  let choose = () => {};

  const drawn = (tag, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };

  // By what the suggested k was chosen is what the curve shows.
  function measure() {
    const mses = detail.flats.map((flat) => flat[2]);
    if (!flatpipe.page.target.startsWith("psnr")) return { title: "distortion (mse)", values: mses, floor: 0, say: flatpipe.decimal };
    const values = mses.map(flatpipe.psnr);
    return { title: "PSNR (dB)", values, floor: Math.min(...values.filter(Number.isFinite), 99) - 1, say: (value) => `${flatpipe.decimal(value)} dB` };
  }

  function chart({ title, values, floor, say }) {
    const ks = detail.flats.map((flat) => flat[0]);
    const high = Math.max(...values.filter(Number.isFinite), floor + 1e-9);
    const x = (k) => LEFT + ((WIDTH - LEFT - RIGHT) * (k - ks[0])) / Math.max(1, ks[ks.length - 1] - ks[0]);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (Math.min(value, high) - floor) / (high - floor));
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart" });
    const at = (k) => `${say(values[ks.indexOf(k)])} at k ${k}`;
    svg.setAttribute("aria-label", `${title}: ${at(ks[0])}, ${at(ks[ks.length - 1])}; chosen: ${at(chosen)}; suggested: k ${detail.suggested}`);
    drawAxes(svg, ks, x, { title, high, floor });
    svg.append(drawn("line", { x1: x(chosen), x2: x(chosen), y1: TOP, y2: HEIGHT - BOTTOM, class: "chosen" }));
    svg.append(drawn("polyline", { points: ks.map((k, row) => `${x(k)},${y(values[row])}`).join(" "), class: "curve" }));
    ks.forEach((k, row) => {
      if (ks.length <= 40 || k === chosen) svg.append(drawn("circle", { cx: x(k), cy: y(values[row]), r: k === chosen ? 5 : 2.2, class: k === chosen ? "dot now" : "dot" }));
      if (k === detail.suggested) svg.append(drawn("circle", { cx: x(k), cy: y(values[row]), r: 8, class: "knee", "data-k": k }));
    });
    svg.addEventListener("click", (event) => {
      const place = ((event.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * WIDTH;
      choose(ks.reduce((best, k) => (Math.abs(x(k) - place) < Math.abs(x(best) - place) ? k : best)));
    });
    return svg;
  }

  function drawAxes(svg, ks, x, { title, high, floor }) {
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM, class: "axis" }));
    for (const [value, at] of [[high, TOP], [floor, HEIGHT - BOTTOM]])
      svg.append(drawn("text", { x: LEFT - 6, y: at + 4, class: "label end" }, flatpipe.decimal(value)));
    for (const k of labelled(ks)) svg.append(drawn("text", { x: x(k), y: HEIGHT - BOTTOM + 14, class: "label middle" }, k));
    svg.append(drawn("text", { x: WIDTH - RIGHT, y: TOP + 4, class: "label end" }, title));
    svg.append(drawn("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, class: "label middle" }, "colours (k)"));
  }

  // At most eight labels, the ends among them.
  function labelled(ks) {
    const step = Math.ceil((ks.length - 1) / 7) || 1;
    return ks.filter((k, row) => (row % step === 0 && row + step <= ks.length - 1) || row === ks.length - 1);
  }

  function show(opened, k) {
    [detail, chosen] = [opened, k];
    get("curve-panel").hidden = detail.flats.length < 2;
    if (detail.flats.length < 2) return;
    get("curve").replaceChildren(chart(measure()));
    get("knee-text").textContent = `Suggested: k ${detail.suggested}${reason()}.`;
  }

  function reason() {
    const least = flatpipe.page.target.split(">=")[1];
    if (least) return detail.shortfall ? `; ${detail.shortfall}` : `, the smallest that reaches ${least} dB`;
    return detail.flats.length > 2 ? ", the knee of the curve. More colours bring less from there on" : "";
  }

  return { show, onChoose(listener) { choose = listener; } };
})();
