"use strict";
// The sweep, the links to an image's files, and every k in figures.

flatpipe.files = (() => {
  const { page, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  let sweepSource = "";

  function open(detail, row, name) {
    const sweep = detail.sweep && page.animation ? `${detail.folder}/${page.animation}` : "";
    sweepSource = sweep;
    get("sweep-panel").hidden = !sweep;
    get("sweep").hidden = true;
    get("sweep").removeAttribute("src");
    get("sweep").alt = `${name}: every k in turn, then the original`;
    get("play").hidden = false;
    get("play").replaceChildren("Play the sweep");
    if (detail.pictures) get("play").prepend(element("img", { src: flatpipe.pictureOf(row, "flat.jpg"), alt: "" }));
    get("table").replaceChildren(...table(detail));
  }

  function showLinks(detail, k) {
    const stem = flatpipe.flatName(k).slice(0, -4);
    const links = [];
    if (page.best && detail.sweep) links.push([page.best, `the suggested one, ${detail.suggested} colours`, true]);
    links.push([`${stem}.png`, `flat image, ${k} colours`, true]);
    for (const suffix of page.palette_formats) links.push([`${stem}.${suffix}`, "its palette", true]);
    if (detail.sweep) links.push(["palettes.json", "palettes of every k", true]);
    if (detail.sweep && page.animation) links.push([page.animation, "the sweep", true]);
    if (detail.pictures && page.stills) links.push(["contact_sheet.png", "side by side", true], ["colorspace.png", "the colour space", true]);
    const made = links.map(([name, what]) => link(`${detail.folder}/${name}`, name, what, true));
    if (detail.original) made.push(link(detail.original, "original", "the file as it came", false));
    get("links").replaceChildren(...made);
  }

  function link(target, name, what, isDownload) {
    const anchor = element("a", { href: target }, name);
    if (isDownload) anchor.setAttribute("download", "");
    return element("li", {}, anchor, element("span", { class: "soft" }, what));
  }

  function table(detail) {
    const cells = (tag, values) => values.map((value) => element(tag, tag === "th" ? { scope: "col" } : {}, value));
    const head = element("thead", {}, element("tr", {}, ...cells("th", ["k", "colours", "mse", "PSNR dB", ...page.metrics.map(flatpipe.metricName), "size"])));
    const body = element("tbody", {}, ...detail.flats.map(([k, colors, mse, bytes, , , ...costly]) => element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `${detail.folder}/${flatpipe.flatName(k)}`, download: "" }, `${k}`)),
      ...cells("td", [`${colors}`, mse.toFixed(2), Number.isFinite(flatpipe.psnr(mse)) ? flatpipe.psnr(mse).toFixed(2) : "∞", ...costly.map(flatpipe.metricValue), flatpipe.size(bytes)]))));
    return [element("caption", { class: "hidden" }, "Every k of this image"), head, body];
  }

  // Still until asked for: nobody has to watch a moving picture.
  function start() {
    get("play").addEventListener("click", () => {
      get("sweep").src = sweepSource;
      get("sweep").hidden = false;
      get("play").hidden = true;
    });
    get("sweep").addEventListener("click", () => {
      get("sweep").hidden = true;
      get("sweep").removeAttribute("src");
      get("play").hidden = false;
    });
  }

  return { start, open, showLinks };
})();
