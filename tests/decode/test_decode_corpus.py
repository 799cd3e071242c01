"""The odd files that lie beside the checkout, where they do: PngSuite and the EXIF orientation examples."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flatpipe.decode.decode import decode
from flatpipe.decode.formats import FORMATS
from flatpipe.errors import DecoderFailed, ImageError, NotAnImage
from flatpipe.settings import DecodePolicy

ODD = Path(__file__).parents[3] / "shared" / "images" / "odd"
POLICY = DecodePolicy()
pytestmark = pytest.mark.skipif(not ODD.is_dir(), reason="the odd images are not beside this checkout")

ACCEPTED_BY_PILLOW = {"xcsn0g01.png"}
# ^ only the checksum of its pixels is wrong, the pixels' own checksum is right: Pillow reads it, and so do we
NO_SIGNATURE = {"xs1n0g01.png", "xs2n0g01.png", "xs4n0g01.png"}


def _files(pattern: str) -> list[Path]:
    return sorted(path for path in ODD.rglob(pattern) if path.is_file())


def test_pngsuite_is_read() -> None:
    """Every valid file of PngSuite decodes."""
    valid = [path for path in _files("pngsuite/*.png") if not path.name.startswith("x")]
    assert len(valid) > 150
    for path in valid:
        assert decode(path.read_bytes(), POLICY).pixels.shape[2] == 3, path.name


def test_pngsuite_errors_are_refused() -> None:
    """Every corrupt file of PngSuite is refused: as no image where the signature is gone, as damaged otherwise."""
    for path in _files("pngsuite/x*.png"):
        if path.name in ACCEPTED_BY_PILLOW:
            assert decode(path.read_bytes(), POLICY).pixels.size
            continue
        with pytest.raises(NotAnImage if path.name in NO_SIGNATURE else DecoderFailed):
            decode(path.read_bytes(), POLICY)


def test_orientations_agree() -> None:
    """The eight photographs of one scene, stored in eight orientations, decode to the same picture."""
    pictures = [decode(path.read_bytes(), POLICY).pixels for path in _files("exif-orientation/Landscape_*.jpg")]
    for picture in pictures[1:]:
        assert picture.shape == pictures[0].shape
        assert np.abs(picture.astype(int) - pictures[0]).mean() < 10
        # ^ each was compressed on its own; a wrong turn would differ by fifty


def _plain_pillow(path: Path) -> tuple[str | None, np.ndarray | None]:
    """Format and RGBA pixels by Pillow alone; (None, None) when it cannot."""
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            return image.format, np.asarray(image.convert("RGBA"))
    except Exception:  # noqa: BLE001 - whatever it raises, it cannot read it
        return None, None


def test_what_plain_pillow_reads_is_read() -> None:
    """Each file that Pillow alone opens and converts, in an allowed format, decodes, alike where there is no note."""
    compared = 0
    for path in _files("*"):
        kind, pixels = _plain_pillow(path)
        if pixels is None or kind not in FORMATS | {"MPO"}:
            continue
        try:
            decoded = decode(path.read_bytes(), POLICY)
        except ImageError as error:
            pytest.fail(f"{path.name}: {error}")
        changed = [note for note in decoded.notes if not note.startswith("gamma")]
        if not changed and path.name != "tbbn0g04.png":
            # ^ a transparent grey of 4 bits, which Pillow compares with pixels of 8
            assert np.array_equal(decoded.pixels, pixels[..., :3]), path.name
            compared += 1
    assert compared > 100
