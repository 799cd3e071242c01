"use strict";
// Which of the two views is shown: `#image=trips/a.jpg&k=7` is an image, everything else the overview.

(() => {
  const { rows, page, linkOf } = flatpipe;
  const get = (id) => document.getElementById(id);
  const title = document.title;
  let [lastRow, scrolled] = [-1, 0];

  function asked() {
    const found = {};
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0) found[part.slice(0, at)] = part.slice(at + 1);
    }
    return found;
  }

  async function route() {
    const { image, k } = asked();
    if (!image) return showOverview();
    let row = flatpipe.findRow(image);
    if (row < 0) {
      await flatpipe.allLoaded;
      row = flatpipe.findRow(image);
    }
    if (row < 0) return showOverview();
    if (get("viewer").hidden) scrolled = scrollY;
    const isNew = row !== lastRow || get("viewer").hidden;
    lastRow = row;
    get("overview").hidden = get("top").hidden = true;
    get("viewer").hidden = false;
    if (isNew) { scrollTo(0, 0); get("name").focus({ preventScroll: true }); }
    return flatpipe.viewer.open(row, Number(k) || 0);
  }

  function showOverview() {
    const isBack = !get("viewer").hidden;
    get("viewer").hidden = true;
    get("overview").hidden = get("top").hidden = false;
    document.title = title;
    flatpipe.overview.draw();
    if (!isBack) return;
    scrollTo(0, scrolled);
    flatpipe.overview.draw();
    flatpipe.overview.focus(lastRow);
  }

  // The address follows the slider, without a history entry per step.
  flatpipe.viewer.onChange((row, k) => {
    const hash = `#image=${linkOf(row)}&k=${k}`;
    if (hash !== location.hash) history.replaceState(null, "", hash);
  });

  function showBand() {
    const seen = rows.palettes.slice(0, 16).join("");
    get("band").replaceChildren(...flatpipe.overview.strip(seen).children);
  }

  flatpipe.overview.start();
  flatpipe.viewer.start();
  addEventListener("hashchange", route);
  let first = true;
  flatpipe.onRows(() => {
    if (first) { showBand(); route(); }
    first = false;
  });
  if (!page.images) showOverview();
})();
