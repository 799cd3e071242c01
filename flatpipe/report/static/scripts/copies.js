"use strict";
// Texts for the clipboard: one colour, a command, a palette in four forms.

flatpipe.copies = (() => {
  const get = (id) => document.getElementById(id);
  const titled = ({ hex, share }) => `${flatpipe.calledOf(hex) || hex} (${(100 * share).toFixed(2)}%)`;
  const noted = ({ hex, share }) => [flatpipe.calledOf(hex).replaceAll("*/", "* /"), `${(100 * share).toFixed(2)}%`].filter(Boolean).join(", ");
  const told = (hex) => Object.fromEntries(Object.entries(flatpipe.named(hex)).filter(([, text]) => text));
  const forms = {
    hex: ({ colors }) => colors.map(({ hex }) => hex).join("\n"),
    css: ({ name, colors }) => [
      `/* ${name.replaceAll("*/", "* /")} */`, ":root {",
      ...colors.map((color, row) => `  --color-${row + 1}: ${color.hex}; /* ${noted(color)} */`), "}",
    ].join("\n"),
    json: ({ colors }) => JSON.stringify(colors.map(({ hex, share }) => ({ hex, ...told(hex), share: Number(share.toFixed(6)) })), null, 2),
    gpl: ({ name, colors }) => [
      "GIMP Palette", `Name: ${name}`, "Columns: 0", "#",
      ...colors.map((color) => `${flatpipe.colors.rgbOf(color.hex).map((level) => String(level).padStart(3)).join(" ")}\t${titled(color)}`), "",
    ].join("\n"),
  };
  const words = { hex: "hex values", css: "CSS", json: "JSON", gpl: "a GIMP palette" };

  // The clipboard where the browser gives it, else the old way: a selected text and a command.
  async function copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = flatpipe.element("textarea", { class: "hidden", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      const before = document.activeElement;
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      before?.focus({ preventScroll: true });
      if (!done) return toast(`Not copied: ${text}`);
    }
    return toast(`Copied ${said}`);
  }

  let timer = 0;
  function toast(text) {
    const place = get("toast");
    place.textContent = text;
    place.classList.add("shown");
    clearTimeout(timer);
    timer = setTimeout(() => place.classList.remove("shown"), 1600);
  }

  function start() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (button) copy(button.dataset.copy, button.dataset.copy);
    });
    for (const button of document.querySelectorAll("[data-copy-as]")) button.addEventListener("click", () => as(button.dataset.copyAs));
  }

  function as(form) {
    const shown = flatpipe.palette.shown();
    if (shown.colors.length) copy(forms[form](shown), `${flatpipe.counted(shown.colors.length, "colour")} as ${words[form]}`);
  }

  return { start, as };
})();
