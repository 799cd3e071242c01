"use strict";
// Numbers, names and elements as the page writes them.

Object.assign(flatpipe, (() => {
  const TAIL = 12;
  // ^ characters of a name that always stay in sight: the number and the extension

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // A name in two parts, of which the first gives way where room is short, so that it is cut in the middle.
  function showName(place, name) {
    const letters = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
    place.title = name;
    if (letters.length <= 2 * TAIL) return place.replaceChildren(name);
    return place.replaceChildren(
      element("span", { class: "head" }, letters.slice(0, -TAIL).join("")),
      element("span", { class: "tail" }, letters.slice(-TAIL).join("")),
    );
  }

  const number = (value) => value.toLocaleString("en");
  const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const psnr = (mse) => (mse === 0 ? Infinity : 10 * Math.log10((3 * 255 * 255) / mse));

  return {
    element, showName, number, counted, psnr,
    decibels: (mse) => (mse === 0 ? "exact" : `${psnr(mse).toFixed(1)} dB`),
    // "17.4 of 22.4 dB": of what the image's own palette would reach, where that is known.
    decibelsOf: (mse, own) => (own === null || mse === 0 ? flatpipe.decibels(mse) : `${psnr(mse).toFixed(1)} of ${flatpipe.decibels(own)}`),
    // "6 of 19,182 colours": how many there are now, and were.
    colorsLeft: (left, all) => (left >= all ? counted(all, "colour") : `${number(left)} of ${counted(all, "colour")}`),
    metricName: (name) => ({ ssim: "SSIM", ciede2000: "ΔE 2000", own_mse: "own palette" })[name] ?? name,
    metricValue(value, row) {
      if (value === null) return "–";
      if (flatpipe.page.metrics[row] === "own_mse") return value === 0 ? "exact" : `${psnr(value).toFixed(2)} dB`;
      return value.toFixed(flatpipe.page.metrics[row] === "ssim" ? 3 : 2);
    },
    // The mse that an image's own palette would leave; null where it was not measured.
    ownOf(flat) {
      const at = flatpipe.page.metrics.indexOf("own_mse");
      return at < 0 ? null : (flat[6 + at] ?? null);
    },
    decimal: (value) => (Number.isFinite(value) ? (value >= 100 ? number(Math.round(value)) : value.toFixed(1)) : "∞"),
    percent: (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`,
    size: (bytes) => (bytes < 1000 ? counted(bytes, "byte") : bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`),
    // How full a range is, for its track.
    fillRange(range) {
      range.style.setProperty("--at", `${(100 * (range.value - range.min)) / Math.max(1, range.max - range.min)}%`);
    },
  };
})());
