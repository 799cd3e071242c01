"""Write docs/pictures/sweep.gif, the moving picture of the README: one photograph, k = 2 to 15, then the original."""

from __future__ import annotations

from pathlib import Path

import flatpipe

ROOT = Path(__file__).parent.parent
PHOTO, SIDE = "kodim23.png", 480
# ^ pixels: sharp in the README's column, and still a picture that loads at once


def main() -> None:
    """Write the sweep, each frame with its k."""
    sweep = flatpipe.sweep(ROOT / "data" / PHOTO)
    sweep.save(ROOT / "docs" / "pictures" / "sweep.gif", frame_ms=500, hold_ms=2000, max_side=SIDE, captions=True)


if __name__ == "__main__":
    main()
