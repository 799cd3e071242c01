"use strict";
// The links to an image's files, under names that tell of the image, and every k in figures.

flatpipe.files = (() => {
  const { page, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  let stem = "";
  // ^ the image's name without folder and extension: what saved files are called by
  let isThere = null;

  function open(detail, name) {
    stem = name.split("/").pop().replace(/\.[^.]+$/, "");
    isThere = null;
    get("table").replaceChildren(...table(detail));
    get("save-note").hidden = location.protocol !== "file:";
  }

  function showLinks(detail, k) {
    const flat = flatpipe.flatName(k).slice(0, -4);
    const links = [[`${flat}.png`, `flat image, ${flatpipe.counted(k, "colour")}`]];
    if (page.best && detail.sweep) links.unshift([page.best, `the suggested one, ${flatpipe.counted(detail.suggested, "colour")}`]);
    for (const suffix of page.palette_formats) links.push([`${flat}.${suffix}`, "its palette"]);
    if (detail.sweep) links.push(["palettes.json", "palettes of every k"]);
    if (detail.sweep && page.animation) links.push([page.animation, "the sweep"]);
    if (detail.pictures && page.stills) links.push(["contact_sheet.png", "side by side"], ["colorspace.png", "the colour space"]);
    const made = links.map(([file, what]) => element("li", {}, saving(`${detail.folder}/${file}`, file, `${stem}-${file}`), element("span", { class: "soft" }, what)));
    get("links").replaceChildren(...made, original(detail));
  }

  // A server's file is saved under the name that tells of its image; a disk's opens beside the page.
  function saving(target, text, savedAs) {
    const isOnDisk = location.protocol === "file:";
    const attributes = isOnDisk ? { target: "_blank", rel: "noopener" } : {};
    return element("a", { href: target, download: savedAs, title: isOnDisk ? target : `Save as ${savedAs}`, ...attributes }, text);
  }

  // The file as it came; whether it is there is known once it was tried.
  function original(detail) {
    const item = element("li");
    const say = () => {
      if (isThere === false) return item.replaceChildren("original", element("span", { class: "soft" }, detail.original ? "is not where it was when the run read it" : "has no link: it does not lie on this disk"));
      return item.replaceChildren(element("a", { href: detail.original, target: "_blank", rel: "noopener" }, "original"), element("span", { class: "soft" }, "the file as it came"));
    };
    if (!detail.original) isThere = false;
    say();
    if (isThere === null) flatpipe.originals.isThere(detail.original).then((found) => { isThere = found; say(); });
    return item;
  }

  function table(detail) {
    const cells = (tag, values) => values.map((value) => element(tag, tag === "th" ? { scope: "col" } : {}, value));
    const head = element("thead", {}, element("tr", {}, ...cells("th", ["k", "colours", "mse", "PSNR dB", ...page.metrics.map(flatpipe.metricName), "size"])));
    const body = element("tbody", {}, ...detail.flats.map(([k, colors, mse, bytes, , , ...costly]) => element("tr", {},
      element("th", { scope: "row" }, saving(flatpipe.flatSource(detail, k), `${k}`, `${stem}-${flatpipe.flatName(k)}`)),
      ...cells("td", [`${colors}`, mse.toFixed(2), Number.isFinite(flatpipe.psnr(mse)) ? flatpipe.psnr(mse).toFixed(2) : "∞", ...costly.map(flatpipe.metricValue), flatpipe.size(bytes)]))));
    return [element("caption", { class: "hidden" }, "Every k of this image"), head, body];
  }

  return { open, showLinks };
})();
