"use strict";
// The grid of all images. Only the cards in sight exist, so that a hundred thousand images scroll like a hundred.

flatpipe.overview = (() => {
  const { page, rows, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const grid = get("grid");
  const PER_PAGE = 10000;
  // ^ images on one page: browsers refuse elements of more than some ten million pixels
  const GAP = 20, NARROWEST = 210, WIDEST = 300, AT_MOST = 8, NARROWEST_PHONE = 150, TEXT_HEIGHT = 66;
  // ^ pixels; where more than AT_MOST cards would stand in a line they grow up to WIDEST first
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
  let changed = () => {};
  let shape = { columns: 1, width: 0, height: 0 };

  function arrange() {
    const wanted = get("search").value.trim().toLowerCase();
    const found = [];
    for (let row = 0; row < rows.names.length; row++)
      if ((!wanted || rows.names[row].toLowerCase().includes(wanted)) && flatpipe.legend.holds(row)) found.push(row);
    order = sorted(found, get("sort").value);
    pageNumber = Math.min(pageNumber, Math.max(0, Math.ceil(order.length / PER_PAGE) - 1));
    clear();
    get("none").hidden = order.length > 0 || flatpipe.isLoading();
    const total = flatpipe.number(page.images);
    get("count").textContent = flatpipe.isLoading()
      ? `Reading the list: ${flatpipe.number(rows.names.length)} of ${total} images`
      : wanted || order.length < page.images ? `${flatpipe.number(order.length)} of ${total} images${flatpipe.legend.words()}` : "";
    showPages();
    draw();
  }

  function sorted(found, by) {
    if (by === "name") return found;
    const rankOf = flatpipe.legend.rank(by);
    if (rankOf) return ranked(found, rankOf);
    if (by === "failed") return [...found.filter((row) => rows.errors.has(row)), ...found.filter((row) => !rows.errors.has(row))];
    if (!/^(mse|colors)-/.test(by)) return found;
    const [column, direction] = [by.startsWith("mse") ? rows.mses : rows.colors, by.endsWith("down") ? -1 : 1];
    const rank = (row) => (rows.ks[row] ? direction * column[row] : Infinity);
    return found.sort((one, other) => rank(one) - rank(other) || one - other);
  }

  // The most first; what has no figure last.
  function ranked(found, rankOf) {
    const ranks = new Map(found.map((row) => [row, rankOf(row)]));
    const rank = (row) => (Number.isNaN(ranks.get(row)) ? -Infinity : ranks.get(row));
    return found.sort((one, other) => (rank(one) === rank(other) ? one - other : rank(other) - rank(one)));
  }

  function sortBy(by) {
    const sort = get("sort");
    for (const option of sort.options) if (option.value === "share") option.hidden = by !== "share";
    sort.value = by;
  }

  const shown = () => order.slice(pageNumber * PER_PAGE, (pageNumber + 1) * PER_PAGE);

  function measure() {
    const width = grid.clientWidth;
    const narrowest = width < 560 ? NARROWEST_PHONE : Math.min(WIDEST, Math.max(NARROWEST, width / AT_MOST - GAP));
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
        card = flatpipe.cards.create(wanted[place], place, wanted.length);
        cards.set(place, card);
        insert(card, place);
        if (isFast) unfilled.push(card);
        else flatpipe.cards.fill(card);
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
    for (const card of unfilled) if (card.isConnected) flatpipe.cards.fill(card);
    unfilled = [];
  }

  // Cards stand in the document in their order, for the keyboard and for readers.
  function insert(card, place) {
    let next = null;
    for (const [other, existing] of cards) if (other > place && (!next || other < next.place)) next = { place: other, existing };
    grid.insertBefore(card, next ? next.existing : null);
  }

  function showPages() {
    const pages = Math.ceil(order.length / PER_PAGE);
    const nav = get("pages");
    nav.hidden = pages < 2;
    nav.replaceChildren(...Array.from({ length: pages < 2 ? 0 : pages }, (_, number) => {
      const button = element("button", { type: "button", "aria-label": `Page ${number + 1} of ${pages}` }, String(number + 1));
      if (number === pageNumber) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => { pageNumber = number; clear(); showPages(); scrollTo(0, 0); draw(); changed(); });
      return button;
    }));
  }

  // Cards in sight show at once what was chosen anew; others when they come into sight.
  function fillAll() {
    for (const card of cards.values()) flatpipe.cards.fill(card);
  }

  // What stands in the address of the overview, and of an image for the way back.
  function parts() {
    const [found, by] = [encodeURIComponent(get("search").value.trim()), get("sort").value];
    return { search: found, sort: by === "name" ? "" : by, ...flatpipe.legend.parts() };
  }

  const ownParts = () => ({ ...parts(), k: flatpipe.choice.k || "", face: flatpipe.cards.face === "flat" ? "" : flatpipe.cards.face, page: pageNumber ? pageNumber + 1 : "" });

  // Brings search and sorting to what an address says; all of it for the overview's own address.
  function take(asked, isOwn) {
    if (!grid) return;
    const wanted = flatpipe.address.text(asked.search);
    const by = [...get("sort").options].some(({ value }) => value === asked.sort) ? asked.sort : "name";
    const isNew = wanted !== get("search").value || by !== get("sort").value;
    if (isNew && (isOwn || asked.search || asked.sort)) [get("search").value, get("sort").value] = [wanted, by];
    if (isOwn || asked.group || asked.color) flatpipe.legend.take(asked);
    if (isOwn) takeOwn(asked);
    else if (isNew) arrange();
  }

  function takeOwn(asked) {
    const face = asked.face === "original" ? "original" : "flat";
    document.querySelector(`input[name=face-overview][value=${face}]`).checked = true;
    flatpipe.cards.setFace(face);
    pageNumber = Math.max(0, (Number(asked.page) || 1) - 1);
    arrange();
    flatpipe.choice.set(Number(asked.k) || 0);
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
    get("search").addEventListener("input", () => { pageNumber = 0; arrange(); changed(); });
    get("sort").addEventListener("change", () => {
      pageNumber = 0;
      if (["served", "lost"].includes(get("sort").value)) flatpipe.legend.settle();
      arrange();
      changed();
    });
    flatpipe.legend.onChange(() => { if (!grid.closest("[hidden]")) { pageNumber = 0; arrange(); changed(); } });
    get("tools").addEventListener("submit", (event) => event.preventDefault());
    get("clear").addEventListener("click", () => { get("search").value = ""; arrange(); changed(); get("search").focus(); });
    for (const choice of document.querySelectorAll("input[name=face-overview]"))
      choice.addEventListener("change", () => { flatpipe.cards.setFace(choice.value); fillAll(); changed(); });
    flatpipe.choice.onChange(() => { if (!grid.closest("[hidden]")) { fillAll(); changed(); } });
    let first = true;
    flatpipe.onRows(() => {
      if (first || !flatpipe.isLoading()) arrange();
      first = false;
    });
  }

  return {
    start, draw, take, parts, ownParts, sortBy,
    onChange(listener) { changed = listener; },
    strip: (palettes) => flatpipe.cards.strip(palettes),
    neighbour: (row, step) => order[order.indexOf(row) + step],
    focus(row) {
      const place = shown().indexOf(row);
      cards.get(place)?.querySelector("a").focus({ preventScroll: true });
    },
  };
})();
