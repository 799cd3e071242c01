"use strict";
// Which of the three views is shown, by the address.

(() => {
  const { page, linkOf, address } = flatpipe;
  const get = (id) => document.getElementById(id);
  const title = document.title;
  let [lastRow, scrolled] = [-1, 0];

  async function route() {
    const asked = address.read();
    if (asked.image) return showImage(asked);
    if (asked.compare) return showCompare(asked);
    return showOverview(asked);
  }

  async function showImage(asked) {
    const row = await flatpipe.foundRow(asked.image);
    if (row < 0) return showOverview({}, `There is no image ${address.text(asked.image) || asked.image} in this report.`);
    flatpipe.overview.take(asked, false);
    const isNew = row !== lastRow || get("viewer").hidden;
    lastRow = row;
    turnTo("viewer");
    get("back").href = address.made(flatpipe.overview.ownParts());
    if (isNew) { scrollTo(0, 0); get("name").focus({ preventScroll: true }); }
    return flatpipe.viewer.open(row, Number(asked.k) || 0, asked.left);
  }

  async function showCompare(asked) {
    flatpipe.choice.set(Number(asked.k) || 0);
    turnTo("compare");
    get("compare-back").href = address.made(flatpipe.overview.ownParts());
    const isFound = await flatpipe.compare.open(asked.compare.split(","), asked.face);
    if (!isFound) showOverview({}, "None of these images is in this report.");
  }

  function showOverview(asked, words = "") {
    const isBack = get("overview").hidden;
    turnTo("overview");
    document.title = title;
    get("unknown").hidden = !words;
    get("unknown").firstChild.textContent = words;
    flatpipe.overview.take(asked, true);
    if (!isBack) return;
    scrollTo(0, scrolled);
    flatpipe.overview.draw();
    flatpipe.overview.focus(lastRow);
  }

  function turnTo(view) {
    if (!get("overview").hidden && view !== "overview") scrolled = scrollY;
    if (view !== "viewer") flatpipe.viewer.close();
    for (const each of ["overview", "viewer", "compare"]) get(each).hidden = each !== view;
    get("top").hidden = view !== "overview";
    document.body.dataset.view = view;
  }

  flatpipe.overview.onChange(() => address.note(flatpipe.overview.ownParts()));
  flatpipe.viewer.onChange((row, k, left) => address.note({ image: linkOf(row), k, left, ...flatpipe.overview.parts() }));
  flatpipe.compare.onChange(() => address.note(flatpipe.compare.parts()));
  get("unknown").querySelector("button").addEventListener("click", () => { get("unknown").hidden = true; });

  for (const part of ["choice", "legend", "overview", "selection", "copies", "viewer", "compare", "keys"]) flatpipe[part].start();
  addEventListener("hashchange", route);
  let first = true;
  flatpipe.onRows(() => { if (first) { first = false; route(); } });
  if (!page.images) showOverview({});
})();
