"use strict";
// One card of the overview: the flat of the suggested k is a file; any other k, and the original, come of the thumbnail.

flatpipe.cards = (() => {
  const { rows, element } = flatpipe;
  const TINY = 64, LONG = 2.4;
  // ^ pixels a side up to which a picture is enlarged pixel by pixel, and how long one may be that fills its card
  let face = "flat";

  function create(row, place, total) {
    const picture = element("span", { class: "picture" });
    const [bands, name, facts] = [element("span", { class: "strip", "aria-hidden": "true" }), element("bdi", { class: "name" }), element("span", { class: "facts" })];
    flatpipe.showName(name, rows.names[row]);
    const link = element("a", { href: linkTo(row) }, picture, bands, name, facts);
    const card = element("li", { class: "card", "aria-posinset": place + 1, "aria-setsize": total }, link);
    Object.assign(card, { row, picture, bands, facts, link, shown: "" });
    if (rows.ks[row]) card.append(flatpipe.selection.checkbox(row));
    showFacts(card);
    if (!flatpipe.hasPictures(row)) picture.append(element("span", { class: "missing" }, rows.errors.has(row) ? "failed" : rows.ks[row] ? "no thumbnail" : "not done yet"));
    else revealWhenPointed(card);
    return card;
  }

  const linkTo = (row) => flatpipe.address.made({ image: flatpipe.linkOf(row), k: flatpipe.choice.k || "" });

  // Shows what the choices ask for; pictures that need work come when there is time.
  function fill(card) {
    const wanted = `${face} ${flatpipe.choice.k} ${flatpipe.legend.color}`;
    if (card.shown === wanted) return;
    card.shown = wanted;
    card.link.href = linkTo(card.row);
    card.picture.querySelector(".other")?.remove();
    if (!rows.ks[card.row]) return;
    if (flatpipe.choice.k) flatpipe.detail(card.row).then((detail) => { if (card.shown === wanted) showDetail(card, detail); }, () => {});
    else showFacts(card);
    if (!flatpipe.hasPictures(card.row)) return;
    if (face === "original") showOriginal(card, wanted);
    else if (!flatpipe.choice.k) put(card, pictureFile(card.row));
  }

  const pictureFile = (row) => element("img", { alt: "", src: flatpipe.pictureOf(row, "flat.jpg"), decoding: "async" });

  function showDetail(card, detail) {
    if (!detail.flats.length) return;
    const flat = flatpipe.flatFor(detail, flatpipe.choice.k);
    const palette = flatpipe.colors.paletteOf(flat);
    card.bands.replaceChildren(...palette.map(({ hex, share }) => band(hex, share)));
    card.facts.replaceChildren(...words(flat[1], detail.colors, flat[2], flatpipe.ownOf(flat)));
    showUse(card, palette);
    if (face !== "flat" || !flatpipe.hasPictures(card.row)) return;
    const wanted = card.shown;
    flatpipe.small.of(card.row).then((pixels) => {
      if (card.shown === wanted && card.isConnected) flatpipe.small.later(card, () => { if (card.shown === wanted) showFlat(card, pixels, detail, flat[0], palette); });
    });
  }

  function showFlat(card, pixels, detail, k, palette) {
    if (!pixels) return put(card, element("img", { alt: "", src: flatpipe.flatSource(detail, k), decoding: "async" }));
    const old = card.picture.querySelector("canvas:not(.other)");
    const canvas = old ?? element("canvas");
    flatpipe.small.draw(canvas, pixels, palette);
    return old ? undefined : put(card, canvas);
  }

  async function originalPicture(row) {
    const original = await flatpipe.originalOf(row);
    return original ? element("img", { alt: "", src: flatpipe.small.sourceOf(original), decoding: "async" }) : null;
  }

  async function showOriginal(card, wanted) {
    const image = await originalPicture(card.row).catch(() => null);
    if (image && card.shown === wanted) put(card, image);
  }

  function revealWhenPointed(card) {
    card.link.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") reveal(card); });
    card.link.addEventListener("focus", () => { if (card.link.matches(":focus-visible")) reveal(card); });
  }

  // The other face over it, while a card is pointed at.
  async function reveal(card) {
    if (card.picture.querySelector(".other")) return;
    const image = face === "flat" ? await originalPicture(card.row).catch(() => null) : pictureFile(card.row);
    if (!image || card.picture.querySelector(".other")) return;
    image.classList.add("other");
    card.picture.append(fitted(image));
  }

  function put(card, image) {
    for (const old of card.picture.querySelectorAll(":scope > :not(.other)")) old.remove();
    card.picture.prepend(fitted(image));
  }

  // Neither cut to nothing nor smeared: a long picture is seen whole, a tiny one by its pixels.
  function fitted(image) {
    const judge = () => {
      const [width, height] = image.tagName === "CANVAS" ? [image.width, image.height] : [image.naturalWidth, image.naturalHeight];
      image.classList.toggle("whole", Math.max(width / height, height / width) > LONG);
      image.classList.toggle("tiny", Math.max(width, height) <= TINY);
    };
    if (image.tagName === "CANVAS" || image.complete) judge();
    else image.addEventListener("load", judge, { once: true });
    return image;
  }

  function band(hex, share) {
    const made = element("i");
    made.style.background = hex;
    made.style.flexGrow = share;
    return made;
  }

  function strip(palette) {
    const made = [];
    for (let at = 0; at < palette.length; at += 8) made.push(band(`#${palette.slice(at, at + 6)}`, parseInt(palette.slice(at + 6, at + 8), 16)));
    return made;
  }

  function showFacts({ row, bands, facts }) {
    bands.replaceChildren(...strip(rows.palettes[row]));
    facts.classList.toggle("bad", rows.errors.has(row));
    if (rows.errors.has(row)) [facts.textContent, facts.title] = [rows.errors.get(row), rows.errors.get(row)];
    else if (!rows.ks[row]) facts.textContent = "not done yet";
    else facts.replaceChildren(...words(Math.min(rows.ks[row], rows.colors[row]), rows.colors[row], rows.mses[row]));
  }

  const words = (left, all, mse, own = null) => [element("span", {}, flatpipe.colorsLeft(left, all)), element("span", own === null ? {} : { title: "with the palette that it shares, of with one of its own" }, flatpipe.decibelsOf(mse, own))];

  // How much of the colour that was chosen an image has, in the place of how many colours.
  function showUse({ facts }, palette) {
    const color = palette.find(({ hex }) => hex === flatpipe.legend.color);
    if (!color) return;
    const swatch = element("i", { class: "swatch" });
    swatch.style.background = color.hex;
    facts.firstChild.replaceChildren(swatch, flatpipe.percent(color.share));
  }

  return { create, fill, strip, fitted, get face() { return face; }, setFace(wanted) { face = wanted; } };
})();
