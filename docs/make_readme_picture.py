"""Draw docs/pictures/sweep.png from a finished run of `pipeline.yaml`: one photograph's flat images, side by side."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
PHOTO = "kodim23.png"
KS = (2, 4, 8, 15)
TILE = (384, 256)
GAP = 8


def main() -> None:
    """Write the strip: k = 2, 4, 8, 15 and the original, each below the size of the README's column."""
    tiles = [ROOT / "outputs" / "images" / PHOTO / f"k{k:02d}.png" for k in KS]
    images = [Image.open(path).convert("RGB") for path in (*tiles, ROOT / "data" / PHOTO)]
    strip = Image.new("RGB", ((TILE[0] + GAP) * len(images) - GAP, TILE[1]), "white")
    for column, image in enumerate(images):
        strip.paste(image.resize(TILE, Image.Resampling.LANCZOS), (column * (TILE[0] + GAP), 0))
    target = ROOT / "docs" / "pictures" / "sweep.png"
    target.parent.mkdir(exist_ok=True)
    strip.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
