"""How long decoding may take, told from headers."""

from __future__ import annotations

import pytest
from file_builders import quarters, sample_files, saved, scan_bomb
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.decode.apart.effort import Patience, TakesLong, jpeg_scans, most_seconds
from flatpipe.decode.decode import decode
from flatpipe.decode.opened import open_image
from flatpipe.settings import DecodePolicy

FILES = sample_files()


def is_for_another(content: bytes, seconds: float, frame: int = 0, *, has_company: bool = True) -> bool:
    """Whether decoding is refused to a thread of so much patience."""
    try:
        decode(content, DecodePolicy(), frame, Patience(seconds, has_company))
    except TakesLong:
        return True
    return False


def test_scans_of_a_jpeg_are_counted() -> None:
    """A sequential JPEG is gone through once, a progressive one some ten times, a bomb as often as it says."""
    assert jpeg_scans(FILES["JPEG"]) == jpeg_scans(FILES["JPEG with EXIF"]) == jpeg_scans(FILES["JPEG CMYK"]) == 1
    assert 5 < jpeg_scans(FILES["JPEG progressive"]) < 20
    assert jpeg_scans(scan_bomb(64, 1000)) == 1001


def test_scans_after_the_one_of_all_components_are_not_counted() -> None:
    """What stands behind a sequential picture, a preview of another program's, costs its decoder nothing."""
    assert jpeg_scans(FILES["JPEG"] + FILES["JPEG progressive"]) == 1


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_damage_keeps_scans_from_being_counted(noise: bytes, at: int) -> None:
    """Whatever stands in a JPEG's head, the count comes back, and is no more than the file has room for."""
    content = FILES["JPEG progressive"][:at] + noise

    assert 0 <= jpeg_scans(content) <= max(1, len(content) // 2)


@pytest.mark.parametrize("name", FILES)
def test_small_files_are_decoded_at_once(name: str) -> None:
    """Every format's small file is decoded where it is wanted, but for decoders that would keep all threads waiting."""
    assert is_for_another(FILES[name], 5.0) == name.startswith(("JPEG2000", "ICNS"))
    assert not is_for_another(FILES[name], 5.0, has_company=False)


SIDE = 2048
LARGE = quarters(side=SIDE)


@pytest.mark.parametrize(
    ("content", "is_long"),
    [
        (saved(LARGE, "JPEG"), False),
        (saved(LARGE, "JPEG", progressive=True), False),
        (saved(LARGE, "PNG"), False),
        (saved(LARGE, "QOI"), True),
        (b"P3 2048 2048 255\n" + b"1 2 3 " * SIDE**2, True),
        (saved(LARGE, "PPM"), False),
        (scan_bomb(SIDE, 30_000), True),
    ],
    ids=["JPEG", "progressive", "PNG", "QOI", "plain PPM", "binary PPM", "bomb"],
)
def test_what_may_take_long_is_told_before_it_does(content: bytes, is_long: bool) -> None:
    """Of 4 megapixels: usual files are for this thread, decoders written in Python and JPEG with many scans are not."""
    assert is_for_another(content, 5.0) == is_long


def test_later_frames_take_those_before_them() -> None:
    """The last of three frames that are drawn over each other is taken to be three times the work of the first."""
    content = FILES["GIF animated"]
    with open_image("GIF", content, DecodePolicy()) as opened:
        first, last = (most_seconds(opened.image, opened.header, content, frame) for frame in (0, 2))

    assert last == pytest.approx(3 * first)
