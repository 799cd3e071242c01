"use strict";
// The groups of images that share palettes, each with a strip of its palette: few of however many, found by name.

flatpipe.groupList = (() => {
  const { page, element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const MOST = 60;
  // ^ groups that are shown; who looks for another finds it by its name
  let [list, k, wanted, isShown] = [[], 0, "", false];

  function show(found, group, shownK) {
    [list, k, isShown] = [found, shownK, group < 0 && found.length > 0];
    draw();
  }

  function draw() {
    const fitting = isShown ? list.filter(({ name }) => flatpipe.groupName(name).toLowerCase().includes(wanted)) : [];
    get("legend-groups").replaceChildren(...fitting.slice(0, MOST).map(item));
    get("legend-more").hidden = fitting.length <= MOST;
    get("legend-more").textContent = `${flatpipe.number(fitting.length - MOST)} more: search by name.`;
  }

  function item(group) {
    const [name, strip] = [element("bdi", { class: "name" }), element("span", { class: "strip", "aria-hidden": "true" })];
    flatpipe.showName(name, flatpipe.groupName(group.name));
    const button = element("button", { type: "button", class: "group-chip" }, strip, name, " ", element("span", { class: "soft" }, flatpipe.counted(group.images, "image")));
    button.addEventListener("click", () => flatpipe.legend.go(group.at));
    fill(strip, group.at);
    return element("li", {}, button);
  }

  async function fill(strip, at) {
    const shared = await flatpipe.palettesOf(at).catch(() => null);
    const palette = shared && flatpipe.paletteAt(shared, k);
    for (const { hex, share } of palette?.colors ?? []) {
      const band = element("i");
      [band.style.background, band.style.flexGrow] = [hex, share];
      strip.append(band);
    }
  }

  return {
    show,
    count: () => (isShown ? list.length : 0),
    find(text) { wanted = text.trim().toLowerCase(); if (page.common) draw(); },
  };
})();
