"""Write the pictures that the README and the recipes show of one photograph, docs/pictures/sweep.gif and dither.png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import flatpipe

ROOT = Path(__file__).parent.parent
PHOTO, SIDE = "kodim23.png", 480
# ^ pixels: sharp in the README's column, and still a picture that loads at once
PARROT = (80, 70, 330, 290)
# ^ left, top, right, bottom: three of them stand side by side at 100 %, where a pattern of single pixels looks right


def main() -> None:
    """Write both."""
    pictures = ROOT / "docs" / "pictures"
    sweep = flatpipe.sweep(ROOT / "data" / PHOTO)
    sweep.save(pictures / "sweep.gif", frame_ms=500, hold_ms=2000, max_side=SIDE, captions=True)
    panel = flatpipe.Palette.read("spectra-6")
    with Image.open(ROOT / "data" / PHOTO) as photo:
        parrot = photo.convert("RGB").crop(PARROT)
    flats = (
        panel.apply(parrot),
        panel.apply(parrot, dither="floyd-steinberg"),
        panel.apply(parrot, dither="blue-noise"),
    )
    beside = np.hstack([flat.flat for flat in flats])
    panel.apply(beside).save(pictures / "dither.png")


if __name__ == "__main__":
    main()
