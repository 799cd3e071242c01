"use strict";
// Images that are picked to be seen side by side.

flatpipe.selection = (() => {
  const { element } = flatpipe;
  const get = (id) => document.getElementById(id);
  const MOST = 12;
  const rows = new Set();

  function checkbox(row) {
    const box = element("input", { type: "checkbox", "aria-label": `Select ${flatpipe.rows.names[row]}`, "data-row": row });
    box.checked = rows.has(row);
    box.addEventListener("change", () => set(row, box.checked));
    return element("label", { class: "pick" }, box);
  }

  function set(row, isPicked) {
    if (isPicked) rows.add(row);
    else rows.delete(row);
    const box = document.querySelector(`.pick input[data-row="${row}"]`);
    if (box) box.checked = isPicked;
    show();
  }

  function show() {
    get("tray").hidden = rows.size === 0;
    get("overview").classList.toggle("picking", rows.size > 0);
    get("selected").textContent = `${flatpipe.counted(rows.size, "image")} selected${rows.size > MOST ? `, at most ${MOST} side by side` : ""}`;
    get("side-by-side").disabled = rows.size > MOST;
  }

  function compare() {
    if (rows.size && rows.size <= MOST) flatpipe.address.go({ compare: [...rows].map(flatpipe.linkOf).join(","), k: flatpipe.choice.k || "" });
  }

  function clear() {
    for (const row of [...rows]) set(row, false);
  }

  function start() {
    if (!get("tray")) return;
    get("side-by-side").addEventListener("click", compare);
    get("unselect").addEventListener("click", clear);
  }

  return { start, checkbox, set, compare, clear, has: (row) => rows.has(row), MOST };
})();
