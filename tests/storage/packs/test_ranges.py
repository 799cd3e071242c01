"""Ranges of tar files: what tarfile writes and reads, and nothing else is taken for one."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.storage.packs.ranges import DamagedRangeError, member_blocks, members_of, with_key

FILES = st.dictionaries(st.sampled_from(["k02.png", "k15.png", "sweep.gif", "palettes.json"]), st.binary(max_size=1200))


def range_of(key: str, files: dict[str, bytes]) -> bytes:
    """The files as a range."""
    return b"".join(block for name, content in files.items() for block in member_blocks(key, name, content))


@given(FILES)
def test_a_range_is_what_tarfile_writes(files: dict[str, bytes]) -> None:
    """Byte for byte, and what it holds is read back; another key gives the range that it would have had."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            described = tarfile.TarInfo(f"000017.{name}")
            described.size = len(content)
            archive.addfile(described, io.BytesIO(content))
        end = archive.offset
    part = range_of("000017", files)
    assert part == written.getvalue()[:end]
    assert dict(members_of(part)) == files
    assert with_key(part, "1234567") == range_of("1234567", files)


@given(st.binary(min_size=1, max_size=1600))
def test_other_bytes_are_no_range(content: bytes) -> None:
    """Whatever bytes there are: they are refused, or are members within them."""
    try:
        found = list(members_of(content))
    except DamagedRangeError:
        return
    assert sum(len(member.content) for member in found) < len(content)


def test_a_range_that_is_cut_is_refused() -> None:
    """Half a file is none."""
    with pytest.raises(DamagedRangeError):
        list(members_of(range_of("000000", {"k02.png": b"x" * 700})[:900]))
