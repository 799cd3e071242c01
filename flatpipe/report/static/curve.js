"use strict";
// Distortion and PSNR over k, with the chosen k marked and the suggested one pointed out.

flatpipe.curve = (() => {
  const get = (id) => document.getElementById(id);
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [360, 132, 44, 12, 14, 22];
  let detail = null;
  let chosen = 0;
  let choose = () => {};

  const drawn = (tag, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };

  function chart(title, unit, values) {
    const ks = detail.flats.map((flat) => flat[0]);
    const finite = values.filter(Number.isFinite);
    const [low, high] = [Math.min(0, ...finite), Math.max(...finite, 1e-9)];
    const floor = unit === "dB" ? Math.min(...finite, high) - 1 : low;
    const x = (k) => LEFT + ((WIDTH - LEFT - RIGHT) * (k - ks[0])) / Math.max(1, ks[ks.length - 1] - ks[0]);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (Math.min(value, high) - floor) / Math.max(1e-9, high - floor));
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart" });
    const say = (value) => `${flatpipe.decimal(value)}${unit ? ` ${unit}` : ""}`;
    svg.setAttribute("aria-label", `${title}: ${say(values[0])} at k ${ks[0]}, ${say(values[values.length - 1])} at k ${ks[ks.length - 1]}; k ${chosen} chosen: ${say(values[ks.indexOf(chosen)])}; k ${detail.suggested} suggested`);
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM, class: "axis" }));
    for (const [value, at] of [[high, TOP], [floor, HEIGHT - BOTTOM]])
      svg.append(drawn("text", { x: LEFT - 6, y: at + 4, class: "label end" }, flatpipe.decimal(value)));
    for (const k of labelled(ks)) svg.append(drawn("text", { x: x(k), y: HEIGHT - 6, class: "label middle" }, k));
    svg.append(drawn("text", { x: WIDTH - RIGHT, y: TOP + (unit === "dB" ? HEIGHT - TOP - BOTTOM - 8 : 4), class: "label end title" }, title));
    svg.append(drawn("line", { x1: x(chosen), x2: x(chosen), y1: TOP, y2: HEIGHT - BOTTOM, class: "chosen" }));
    svg.append(drawn("polyline", { points: ks.map((k, row) => `${x(k)},${y(values[row])}`).join(" "), class: "curve" }));
    ks.forEach((k, row) => {
      if (ks.length <= 40 || k === chosen) svg.append(drawn("circle", { cx: x(k), cy: y(values[row]), r: k === chosen ? 5 : 2.2, class: k === chosen ? "dot now" : "dot" }));
      if (k !== detail.suggested) return;
      svg.append(drawn("circle", { cx: x(k), cy: y(values[row]), r: 8, class: "knee", "data-k": k }));
      const [side, down] = [x(k) > WIDTH * 0.75 ? -1 : 1, unit === "dB" ? 20 : -10];
      svg.append(drawn("text", { x: x(k) + side * 9, y: y(values[row]) + down, class: side < 0 ? "label end" : "label" }, "suggested"));
    });
    svg.addEventListener("click", (event) => {
      const at = ((event.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * WIDTH;
      choose(ks.reduce((best, k) => (Math.abs(x(k) - at) < Math.abs(x(best) - at) ? k : best)));
    });
    return svg;
  }

  // At most eight labels, the ends among them.
  function labelled(ks) {
    const step = Math.ceil((ks.length - 1) / 7) || 1;
    return ks.filter((k, row) => row % step === 0 && (row + step <= ks.length - 1 || row === ks.length - 1) || row === ks.length - 1);
  }

  function show(opened, k) {
    [detail, chosen] = [opened, k];
    const mses = detail.flats.map((flat) => flat[2]);
    get("curves").replaceChildren(chart("distortion (mse)", "", mses), chart("PSNR (dB)", "dB", mses.map(flatpipe.psnr)));
    get("knee-text").textContent = `Suggested: k ${detail.suggested}${reason()}.`;
  }

  function reason() {
    const least = flatpipe.page.target.split(">=")[1];
    if (least) return detail.shortfall ? `; ${detail.shortfall}` : `, the smallest that reaches ${least} dB`;
    return detail.flats.length > 2 ? ", the knee of the curve. More colours bring less from there on" : "";
  }

  return { show, onChoose(listener) { choose = listener; } };
})();
