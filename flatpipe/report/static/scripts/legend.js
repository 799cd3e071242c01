"use strict";
// The colours that images have in common, over the grid: a group's palette, or a chart's. A colour shows the images that
// use it, most first. Without such colours the page has no such panel, and this says that every image is in.

flatpipe.legend = (() => {
  const { page, element, choice } = flatpipe;
  const get = (id) => document.getElementById(id);
  const panel = get("legend");
  const FEW = 12;
  // ^ colours or groups that nobody needs to search
  const PHONE = 560;
  // ^ pixels of a window up to which the panel is shut at first
  let [group, color, asked] = [page.common?.is_one ? 0 : -1, "", 0];
  let [shared, isRead, colors, shares] = [null, false, [], null];
  let link = "";
  // ^ what stands in the address for the group
  let changed = () => {};

  // Of a group's own palettes the suggested k, of a chart one in the middle, until one is chosen for all images.
  const wantedK = () => choice.k || shared?.suggested || page.ks[Math.floor(page.ks.length / 2)];
  const isIn = (row) => group < 0 || flatpipe.groupOf(row) === group;

  async function read() {
    if (!panel) return;
    const mine = ++asked;
    isRead = false;
    const [list, found] = await Promise.all([flatpipe.groups(), group < 0 ? null : flatpipe.palettesOf(group)]).catch(() => [[], null]);
    if (mine !== asked) return;
    shared = found;
    const k = wantedK();
    const palette = shared && flatpipe.paletteAt(shared, k);
    colors = palette ? palette.colors : [];
    showHead(list, palette, k);
    flatpipe.groupList.show(list, group, k);
    showColors();
    const shards = new Set();
    for (let row = 0; row < flatpipe.rows.names.length; row++) if (isIn(row)) shards.add(flatpipe.shardOf(row));
    if (!(await flatpipe.readUses(k, shards)) || mine !== asked) return;
    count(palette);
    isRead = true;
    showColors();
    changed();
  }

  // How many images use each colour; of a chart, how much of all images it is, each image counting alike.
  function count(palette) {
    const found = new Map(palette ? colors.map(({ hex, share }) => [hex, { hex, share, images: 0 }]) : flatpipe.legendColors().map((hex) => [hex, { hex, share: 0, images: 0 }]));
    let images = 0;
    shares = color ? new Float32Array(flatpipe.rows.names.length) : null;
    for (let row = 0; row < flatpipe.rows.names.length; row++) {
      if (!isIn(row)) continue;
      flatpipe.eachUse(row, (hex, share) => {
        if (hex === color) shares[row] = share;
        const one = found.get(hex);
        if (!one) return;
        one.images += 1;
        if (!palette) one.share += share;
      });
      images += !Number.isNaN(flatpipe.figureOf(row, "mses"));
    }
    colors = [...found.values()];
    if (palette) return;
    for (const one of colors) one.share /= images || 1;
    colors = colors.filter((one) => one.images).sort((one, other) => other.share - one.share);
  }

  function showHead(list, palette, k) {
    const one = list[group];
    get("legend-title").textContent = one ? `Palette of ${flatpipe.groupName(one.name)}` : flatpipe.legendColors().length ? "Colours in common" : flatpipe.counted(list.length, "palette");
    const facts = [one ? flatpipe.counted(one.images, "image") : "", palette ? flatpipe.decibels(palette.mse) : "", `k ${palette?.k ?? k}`];
    get("legend-facts").textContent = one && !palette ? "not found yet" : facts.filter(Boolean).join(" · ");
    get("all-groups").hidden = group < 0 || page.common.is_one;
  }

  function showColors() {
    const wanted = get("find-color").value.trim().toLowerCase();
    const shown = colors.filter(({ hex }) => !wanted || `${hex} ${flatpipe.calledOf(hex)}`.toLowerCase().includes(wanted));
    const focused = document.activeElement?.closest("#legend-colors button")?.dataset.color;
    get("legend-colors").replaceChildren(...shown.map(item));
    if (focused) get("legend-colors").querySelector(`[data-color="${focused}"]`)?.focus({ preventScroll: true });
    get("legend-strip").replaceChildren(...colors.filter(({ share }) => share > 0).map(({ hex, share }) => band(hex, share)));
    get("find").hidden = !(colors.length > FEW || flatpipe.groupList.count() > FEW || colors.some(({ hex }) => flatpipe.calledOf(hex)) || wanted);
    get("legend-none").hidden = shown.length > 0 || !(wanted && colors.length);
  }

  function item({ hex, share, images }, row) {
    const { name, code } = flatpipe.named(hex);
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = hex;
    const words = element("span", { class: "words" }, ...(name ? [element("bdi", { class: "called" }, name)] : []),
      element("span", {}, element("code", {}, hex), ...(code ? [" ", element("bdi", { class: "code" }, code)] : [])));
    const use = element("span", { class: "use" }, element("span", {}, flatpipe.percent(share)), " ",
      element("span", { class: "soft" }, images === undefined ? "" : flatpipe.counted(images, "image")));
    const index = group < 0 ? [] : [element("span", { class: "index soft" }, `${colors.findIndex((one) => one.hex === hex)}`), " "];
    const button = element("button", { type: "button", class: "use-chip", "data-color": hex, "aria-pressed": `${hex === color}`, title: [hex, flatpipe.calledOf(hex)].filter(Boolean).join(" ") }, ...index, swatch, words, " ", use);
    button.addEventListener("click", () => choose(hex === color ? "" : hex));
    return element("li", {}, button);
  }

  function band(hex, share) {
    const made = element("i");
    [made.style.background, made.style.flexGrow] = [hex, share];
    return made;
  }

  // Cards, figures and colours at one k.
  function settle() {
    if (choice.k) return read();
    return choice.set(wantedK());
    // ^ which reads
  }

  function choose(hex) {
    color = hex;
    flatpipe.overview.sortBy(hex ? "share" : "name");
    return settle();
  }

  function enter(number) {
    [group, color] = [number, ""];
    get("find-color").value = "";
    flatpipe.overview.sortBy("name");
    read();
    changed();
  }

  // What an image is sorted by, the most first; null where it is not known yet, or there is nothing of the kind.
  function rank(by) {
    if (by === "share") return color && isRead && shares ? (row) => shares[row] || NaN : null;
    if (!isRead) return null;
    if (by === "served") return (row) => flatpipe.figureOf(row, "mses");
    if (by === "lost") return (row) => lostBy(flatpipe.figureOf(row, "mses"), flatpipe.figureOf(row, "owns"));
    return null;
  }

  // Decibels that the common palette is behind the image's own.
  const lostBy = (mse, own) => (mse === own ? 0 : 10 * Math.log10(mse / own));

  async function take(asked) {
    if (!panel) return;
    const list = await flatpipe.groups().catch(() => []);
    const found = asked.group ? list.findIndex(({ link }) => link === asked.group) : -1;
    const [wantedGroup, wantedColor] = [found >= 0 || !page.common.is_one ? found : 0, /^[0-9a-f]{6}$/.test(asked.color) ? `#${asked.color}` : ""];
    if (wantedGroup === group && wantedColor === color) return;
    [group, color] = [wantedGroup, wantedColor];
    link = list[group]?.link ?? "";
    if (asked.group || color) panel.open = true;
    read();
  }

  function parts() {
    return panel ? { group: page.common.is_one ? "" : link, color: color.slice(1) } : {};
  }

  async function go(number) {
    link = number < 0 ? "" : (await flatpipe.groups())[number].link;
    enter(number);
    get("legend-title").parentElement.focus();
  }

  // What the images that are shown have in common, behind their number.
  const words = () => (color ? ` use ${[flatpipe.calledOf(color), color].filter(Boolean).join(", ")}` : "");

  function start() {
    if (!panel) return;
    panel.open = innerWidth > PHONE;
    get("find-color").addEventListener("input", () => { showColors(); flatpipe.groupList.find(get("find-color").value); });
    get("all-groups").addEventListener("click", () => go(-1));
    choice.onChange(read);
    flatpipe.onRows(() => { if (!flatpipe.isLoading()) read(); });
  }

  return {
    start, take, parts, rank, words, go, settle,
    holds: (row) => !panel || (isIn(row) && (!color || !isRead || shares?.[row] > 0)),
    get color() { return color; },
    release() { if (!color) return false; choose(""); return true; },
    onChange(listener) { changed = listener; },
  };
})();
