"use strict";
// The address: `#image=trips/a.jpg&k=7` is an image, `#compare=a.jpg,b.jpg` are several, everything else the overview.
// What is as it is without saying does not stand in it.

flatpipe.address = (() => {
  // Values are percent-encoded as they stand; links of images are taken as they are, byte for byte.
  function read() {
    const found = {};
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0) found[part.slice(0, at)] = part.slice(at + 1);
    }
    return found;
  }

  function text(value) {
    try { return decodeURIComponent(value ?? ""); } catch { return ""; }
  }

  const made = (parts) => `#${Object.entries(parts).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`).join("&")}`;

  return {
    read, text, made,
    // Without an entry in the history: nobody goes back over every step of a slider.
    note(parts) {
      const hash = made(parts);
      if (hash !== (location.hash || "#")) history.replaceState(null, "", hash);
    },
    go(parts) { location.hash = made(parts); },
  };
})();
