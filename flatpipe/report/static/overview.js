"use strict";
// The grid of all images. Only the cards in sight exist, so that a hundred thousand images scroll like a hundred.

flatpipe.overview = (() => {
  const { page, rows, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const grid = get("grid");
  const PER_PAGE = 10000;
  // ^ images on one page: browsers refuse elements of more than some ten million pixels
  const GAP = 20, NARROWEST = 210, NARROWEST_PHONE = 150, TEXT_HEIGHT = 66;
  const BEYOND = 600;
  // ^ pixels above and below the window where cards exist already
  const REST = 120;
  // ^ milliseconds of rest after fast scrolling before thumbnails are read: those that fly by are not
  const cards = new Map();
  let unfilled = [];
  let resting = 0;
  let lastTop = 0;
  let order = [];
  let pageNumber = 0;
  let face = "flat";
  let shape = { columns: 1, width: 0, height: 0 };

  function arrange() {
    const wanted = get("search").value.trim().toLowerCase();
    const found = [];
    for (let row = 0; row < rows.names.length; row++)
      if (!wanted || rows.names[row].toLowerCase().includes(wanted)) found.push(row);
    order = sorted(found, get("sort").value);
    pageNumber = Math.min(pageNumber, Math.max(0, Math.ceil(order.length / PER_PAGE) - 1));
    clear();
    get("none").hidden = order.length > 0 || flatpipe.isLoading();
    const total = flatpipe.number(page.images);
    get("count").textContent = flatpipe.isLoading()
      ? `Reading the list: ${flatpipe.number(rows.names.length)} of ${total} images`
      : wanted ? `${flatpipe.number(order.length)} of ${total} images` : "";
    showPages();
    draw();
  }

  function sorted(found, by) {
    if (by === "name") return found;
    if (by === "failed") return [...found.filter((row) => rows.errors.has(row)), ...found.filter((row) => !rows.errors.has(row))];
    const [column, direction] = [by.startsWith("mse") ? rows.mses : rows.colors, by.endsWith("down") ? -1 : 1];
    const rank = (row) => (rows.ks[row] ? direction * column[row] : Infinity);
    return found.sort((one, other) => rank(one) - rank(other) || one - other);
  }

  const shown = () => order.slice(pageNumber * PER_PAGE, (pageNumber + 1) * PER_PAGE);

  function measure() {
    const width = grid.clientWidth;
    const narrowest = width < 560 ? NARROWEST_PHONE : NARROWEST;
    const columns = Math.max(1, Math.floor((width + GAP) / (narrowest + GAP)));
    const cardWidth = (width - GAP * (columns - 1)) / columns;
    shape = { columns, width: cardWidth, height: cardWidth * 0.75 + TEXT_HEIGHT };
  }

  function draw() {
    if (!grid || grid.closest("[hidden]")) return;
    measure();
    const wanted = shown();
    const isFast = Math.abs(scrollY - lastTop) > innerHeight / 3;
    lastTop = scrollY;
    const step = shape.height + GAP;
    grid.style.height = `${Math.max(0, Math.ceil(wanted.length / shape.columns) * step - GAP)}px`;
    const top = -grid.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((top - BEYOND) / step)) * shape.columns;
    const last = Math.min(wanted.length, Math.ceil((top + innerHeight + BEYOND) / step) * shape.columns);
    for (const [place, card] of cards)
      if ((place < first || place >= last) && !card.contains(document.activeElement)) { card.remove(); cards.delete(place); }
    for (let place = first; place < last; place++) {
      let card = cards.get(place);
      if (!card) {
        card = newCard(wanted[place], place, wanted.length);
        cards.set(place, card);
        insert(card, place);
        if (isFast) unfilled.push(card);
        else card.fill();
      }
      const [column, line] = [place % shape.columns, Math.floor(place / shape.columns)];
      card.style.transform = `translate(${column * (shape.width + GAP)}px, ${line * step}px)`;
      card.style.width = `${shape.width}px`;
      card.style.height = `${shape.height}px`;
    }
    clearTimeout(resting);
    if (unfilled.length) resting = setTimeout(fillRest, REST);
  }

  function fillRest() {
    for (const card of unfilled) if (card.isConnected) card.fill();
    unfilled = [];
  }

  // Cards stand in the document in their order, for the keyboard and for readers.
  function insert(card, place) {
    let next = null;
    for (const [other, existing] of cards) if (other > place && (!next || other < next.place)) next = { place: other, existing };
    grid.insertBefore(card, next ? next.existing : null);
  }

  function newCard(row, place, total) {
    const picture = element("span", { class: "picture" });
    const link = element("a", { href: `#image=${flatpipe.linkOf(row)}` }, picture);
    const card = element("li", { class: "card", "aria-posinset": place + 1, "aria-setsize": total }, link);
    card.fill = () => { if (flatpipe.hasPictures(row)) fill(picture, row, link); };
    if (!flatpipe.hasPictures(row)) picture.append(element("span", { class: "missing" }, rows.errors.has(row) ? "failed" : rows.ks[row] ? "no thumbnail" : "not done yet"));
    link.append(strip(rows.palettes[row]), element("bdi", { class: "name" }, rows.names[row]), facts(row));
    return card;
  }

  function fill(picture, row, link) {
    const image = (kind) => {
      const made = element("img", { alt: "", src: flatpipe.pictureOf(row, `${kind}.jpg`), decoding: "async", class: kind });
      return made;
    };
    const other = face === "flat" ? "original" : "flat";
    picture.append(image(face));
    const reveal = () => { if (!picture.querySelector(`.${other}`)) { const made = image(other); made.classList.add("other"); picture.append(made); } };
    link.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") reveal(); });
    link.addEventListener("focus", () => { if (link.matches(":focus-visible")) reveal(); });
  }

  function strip(palette) {
    const made = element("span", { class: "strip", "aria-hidden": "true" });
    for (let at = 0; at < palette.length; at += 8) {
      const band = element("i");
      band.style.background = `#${palette.slice(at, at + 6)}`;
      band.style.flexGrow = parseInt(palette.slice(at + 6, at + 8), 16);
      made.append(band);
    }
    return made;
  }

  function facts(row) {
    if (rows.errors.has(row)) return element("span", { class: "facts bad" }, rows.errors.get(row));
    if (!rows.ks[row]) return element("span", { class: "facts" }, "not done yet");
    const decibels = flatpipe.decimal(flatpipe.psnr(rows.mses[row]));
    return element("span", { class: "facts" }, `k ${rows.ks[row]} · ${decibels} dB`, element("span", { class: "wide" }, ` · ${flatpipe.number(rows.colors[row])} colours`));
  }

  function showPages() {
    const pages = Math.ceil(order.length / PER_PAGE);
    const nav = get("pages");
    nav.hidden = pages < 2;
    nav.replaceChildren(...Array.from({ length: pages < 2 ? 0 : pages }, (_, number) => {
      const button = element("button", { type: "button", "aria-label": `Page ${number + 1} of ${pages}` }, String(number + 1));
      if (number === pageNumber) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => { pageNumber = number; clear(); showPages(); scrollTo(0, 0); draw(); });
      return button;
    }));
  }

  function clear() {
    cards.clear();
    grid.replaceChildren();
  }

  function start() {
    if (!grid) return;
    let queued = false;
    const soon = () => { if (!queued) { queued = true; requestAnimationFrame(() => { queued = false; draw(); }); } };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    get("search").addEventListener("input", () => { pageNumber = 0; arrange(); });
    get("sort").addEventListener("change", () => { pageNumber = 0; arrange(); });
    get("tools").addEventListener("submit", (event) => event.preventDefault());
    get("clear").addEventListener("click", () => { get("search").value = ""; arrange(); get("search").focus(); });
    for (const choice of document.querySelectorAll("input[name=face]"))
      choice.addEventListener("change", () => { face = choice.value; clear(); draw(); });
    let first = true;
    flatpipe.onRows(() => {
      if (first || !flatpipe.isLoading()) arrange();
      first = false;
    });
  }

  return {
    start, draw, strip,
    neighbour: (row, step) => order[order.indexOf(row) + step],
    focus(row) {
      const place = shown().indexOf(row);
      cards.get(place)?.querySelector("a").focus({ preventScroll: true });
    },
  };
})();
