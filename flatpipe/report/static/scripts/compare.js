"use strict";
// Several images side by side, at the same k, through one lens.

flatpipe.compare = (() => {
  const { rows, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const tools = document.querySelector("[data-zooms=compare]");
  const lens = flatpipe.lens.create();
  let [shown, face, asked] = [[], "flat", 0];
  let changed = () => {};

  async function open(links, wantedFace) {
    const mine = ++asked;
    setFace(wantedFace === "original" ? "original" : "flat");
    const found = (await Promise.all(links.slice(0, flatpipe.selection.MOST).map(flatpipe.foundRow))).filter((row) => row >= 0);
    if (mine !== asked || found.join() === shown.map(({ row }) => row).join()) return found.length > 0;
    lens.reset();
    shown.forEach(({ source }) => source?.close());
    shown = found.map(create);
    get("rooms").replaceChildren(...shown.map(({ figure }) => figure));
    get("compare-title").textContent = `${flatpipe.counted(shown.length, "image")} side by side`;
    document.title = `${get("compare-title").textContent} – flatpipe`;
    for (const each of shown) load(each);
    arrange();
    return found.length > 0;
  }

  function create(row) {
    const [place, bands, facts] = [element("div", { class: "room" }), element("span", { class: "strip", "aria-hidden": "true" }), element("span", { class: "soft" })];
    const name = element("a", { href: flatpipe.address.made({ image: flatpipe.linkOf(row), k: flatpipe.choice.k || "" }), class: "name" });
    flatpipe.showName(name, rows.names[row]);
    const remove = element("button", { type: "button", class: "quiet", "aria-label": `Take ${rows.names[row]} away` }, "×");
    const stage = element("div", { class: "stage", tabindex: 0, role: "group", "aria-label": rows.names[row] }, place);
    const figure = element("figure", {}, stage, bands, element("figcaption", {}, name, facts, remove));
    const each = { row, figure, stage, bands, facts, name, room: flatpipe.room.create(place), detail: null, source: null, flat: flatpipe.room.image({ class: "flat" }), original: flatpipe.room.image({ hidden: "" }) };
    each.room.frame.append(each.flat, each.original);
    each.target = { lens, room: () => flatpipe.lens.roomOf(place), size: () => (each.detail?.width ? each.detail : null) };
    flatpipe.gestures.attach(stage, each.target);
    remove.addEventListener("click", () => take(row));
    return each;
  }

  async function load(each) {
    const detail = await flatpipe.detail(each.row).catch(() => null);
    if (!detail?.flats.length) return each.facts.replaceChildren(detail?.failure || "not done yet");
    const original = detail.pictures ? await flatpipe.originalOf(each.row).catch(() => null) : null;
    each.detail = detail;
    each.source = flatpipe.originals.open(each.original, each.row, detail, original);
    show(each);
    return placeAll();
  }

  function show(each) {
    if (!each.detail) return;
    const flat = flatpipe.flatFor(each.detail, flatpipe.choice.k || each.detail.suggested);
    const [k, n, mse] = flat;
    const isOriginal = face === "original" && each.source.isThere;
    each.flat.src = flatpipe.flatSource(each.detail, k);
    each.flat.alt = `${rows.names[each.row]} in ${flatpipe.counted(k, "colour")}`;
    each.original.alt = `${rows.names[each.row]}, original`;
    [each.flat.hidden, each.original.hidden] = [isOriginal, !isOriginal];
    each.name.href = flatpipe.address.made({ image: flatpipe.linkOf(each.row), k });
    each.bands.replaceChildren(...flatpipe.colors.paletteOf(flat).map(({ hex, share }) => {
      const band = element("i");
      [band.style.background, band.style.flexGrow] = [hex, share];
      return band;
    }));
    each.facts.textContent = isOriginal ? flatpipe.counted(each.detail.colors, "colour") : `${flatpipe.counted(n, "colour")} · ${flatpipe.decibels(mse)}`;
  }

  function place(each) {
    if (!each.target.size() || !each.stage.clientWidth) return;
    const now = each.room.place(lens.now, each.detail);
    if (face === "original") each.source.want(now.scale * devicePixelRatio);
    each.stage.classList.toggle("movable", flatpipe.lens.isMovable(lens.now));
  }

  function placeAll() {
    shown.forEach(place);
    const first = shown.find(({ detail }) => detail);
    if (first) flatpipe.gestures.showZoom(tools, first.target);
  }

  // As many columns as make the pictures largest, at the shape of a photograph.
  function arrange() {
    const box = get("rooms");
    const [width, height] = [box.clientWidth, Math.max(200, box.clientHeight)];
    let [best, most] = [1, 0];
    for (let columns = 1; columns <= shown.length; columns++) {
      const lines = Math.ceil(shown.length / columns);
      const side = Math.min(width / columns / 1.4, height / lines - 56);
      if (side > most) [best, most] = [columns, side];
    }
    box.style.setProperty("--columns", width < 560 ? Math.min(2, best) : best);
    box.style.setProperty("--lines", Math.ceil(shown.length / best));
    placeAll();
  }

  function take(row) {
    const left = shown.filter((each) => each.row !== row).map((each) => each.row);
    flatpipe.selection.set(row, false);
    if (left.length) flatpipe.address.go(parts(left));
    else get("compare-back").click();
  }

  function setFace(wanted) {
    face = wanted;
    document.querySelector(`input[name=face-compare][value=${face}]`).checked = true;
    shown.forEach(show);
    placeAll();
  }

  const parts = (found = shown.map(({ row }) => row)) => ({ compare: found.map(flatpipe.linkOf).join(","), k: flatpipe.choice.k || "", face: face === "flat" ? "" : face });
  const first = () => shown.find(({ detail }) => detail)?.target;

  function start() {
    lens.onChange(placeAll);
    const anyTarget = { lens, room: () => first().room(), size: () => first()?.size() };
    flatpipe.gestures.attachTools(tools, anyTarget);
    for (const choice of document.querySelectorAll("input[name=face-compare]"))
      choice.addEventListener("change", () => { setFace(choice.value); changed(); });
    flatpipe.choice.onChange(() => { if (!get("compare").hidden) { shown.forEach(show); changed(); } });
    new ResizeObserver(arrange).observe(get("rooms"));
  }

  return {
    start, open, parts,
    flip() { setFace(face === "flat" ? "original" : "flat"); changed(); },
    onChange(listener) { changed = listener; },
  };
})();
