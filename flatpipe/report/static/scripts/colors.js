"use strict";
// Colours as numbers: palettes, distances in the space that was clustered in, and what became of a palette at another k.

flatpipe.colors = (() => {
  // Björn Ottosson, "A perceptual color space for image processing", 2020: L 0 .. 1, a, b.
  function oklab([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const middle = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
      1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
      0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    ];
  }

  const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const inSpace = (rgb) => (flatpipe.page.space === "oklab" ? oklab(rgb) : rgb);
  const squared = (one, other) => one.reduce((sum, value, axis) => sum + (value - other[axis]) ** 2, 0);

  // A flat's palette, dark to light: { hex, share }.
  function paletteOf([, , , , palette, weights]) {
    const counts = weights.split(" ").map(Number);
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    return counts.map((count, row) => ({ hex: `#${palette.slice(6 * row, 6 * row + 6)}`, share: count / total }));
  }

  // For each of the new colours the place of the old one that it comes from, -1 for one that is new: nearest pairs first.
  function matched(before, after) {
    const [old, young] = [before, after].map((colors) => colors.map(({ hex }) => oklab(rgbOf(hex))));
    const pairs = young.flatMap((one, to) => old.map((other, from) => [squared(one, other), to, from]));
    const result = after.map(() => -1);
    const taken = new Set();
    for (const [, to, from] of pairs.sort((one, other) => one[0] - other[0])) {
      if (result[to] >= 0 || taken.has(from)) continue;
      result[to] = from;
      taken.add(from);
    }
    return result;
  }

  return { oklab, rgbOf, inSpace, squared, paletteOf, matched };
})();
