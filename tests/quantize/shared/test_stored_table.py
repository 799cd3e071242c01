"""Tables as bytes: what is kept comes back, and anything else is refused in words."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.shared import stored_table
from flatpipe.quantize.shared.color_sums import add_tables
from flatpipe.quantize.shared.stored_table import DamagedTableError, table_from_bytes, table_to_bytes
from tests.quantize.builders import noise, painting

EMPTY = add_tables([])
TABLE = index_colors(painting(1)).table
STORED = table_to_bytes(TABLE)


def packed(**arrays: object) -> bytes:
    """An archive of any arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def stored(steps: list[int], counts: list[int], form: int = 1) -> bytes:
    """An archive as the table's own, with these numbers."""
    planes = [
        np.array(values, kind).view(np.uint8).reshape(len(values), -1).T.ravel()
        for values, kind in ((steps, "<u4"), (counts, "<i8"))
    ]
    return packed(format=np.uint8([form]), steps=planes[0], counts=planes[1])


def with_member(name: str, content: bytes) -> bytes:
    """The bytes of TABLE with one member replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(STORED)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return buffer.getvalue()


@pytest.mark.parametrize("table", [EMPTY, TABLE, index_colors(noise(1)).table], ids=["none", "painting", "noise"])
def test_a_table_comes_back(table):
    """Bytes -> table gives colours and counts back, and the same table has the same bytes."""
    again = table_from_bytes(table_to_bytes(table))
    assert np.array_equal(again.colors, table.colors)
    assert np.array_equal(again.counts, table.counts)
    assert table_to_bytes(again) == table_to_bytes(table)


def test_extreme_colours_and_counts_come_back():
    """Black, white and a count of 2^61 survive."""
    table = ColorTable(np.uint8([[0, 0, 0], [255, 255, 255]]), np.array([1 << 61, 1]))
    again = table_from_bytes(table_to_bytes(table))
    assert again.colors.tolist() == table.colors.tolist()
    assert again.counts.tolist() == table.counts.tolist()


def test_colours_that_count_nothing_are_left_out():
    """Hidden colours are no part of what is kept."""
    table = ColorTable(np.uint8([[0, 0, 0], [0, 0, 1]]), np.array([0, 5]))
    assert table_from_bytes(table_to_bytes(table)).colors.tolist() == [[0, 0, 1]]


LIE = b"\x93NUMPY\x01\x00\x46\x00{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999999,)}"
HOSTILE = {
    "nothing": b"",
    "text": b"no archive",
    "an array alone": b"\x93NUMPY\x01\x00",
    "half of it": STORED[: len(STORED) // 2],
    "without its end": STORED[:-30],
    "no member": packed(),
    "another version": stored([1], [1], form=2),
    "a colour twice": stored([1, 0], [1, 1]),
    "beyond white": stored([1 << 24, 1], [1, 1]),
    "far beyond white": stored([0xFFFFFFFF] * 9, [1] * 9),
    "a count of 0": stored([1, 1], [1, 0]),
    "a count below 0": stored([1, 1], [1, -5]),
    "counts beyond int64": stored([1, 1, 1], [1 << 61] * 3),
    "one count short": stored([1, 1], [1]),
    "half a number": packed(format=np.uint8([1]), steps=np.zeros(7, np.uint8), counts=np.zeros(8, np.uint8)),
    "the right bytes of another type": packed(
        format=np.uint8([1]), steps=np.array([1, 0], "<u2"), counts=np.uint8([1, *[0] * 7])
    ),
    "floats": packed(format=np.uint8([1]), steps=np.zeros(4), counts=np.zeros(8)),
    "a matrix": packed(format=np.uint8([1]), steps=np.zeros((2, 4), np.uint8), counts=np.zeros(16, np.uint8)),
    "objects": packed(format=np.array([1], object), steps=np.zeros(4, np.uint8), counts=np.zeros(8, np.uint8)),
    "no numpy inside": with_member("steps.npy", b"steps"),
    "a header that lies": with_member("steps.npy", LIE.ljust(80)),
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused_in_words(data):
    """Bytes that are cut, of another kind, or whose numbers make no table raise one error that says so."""
    with pytest.raises(DamagedTableError, match="a colour table is"):
        table_from_bytes(data)


def test_an_archive_that_unpacks_to_too_much_is_refused_before(monkeypatch):
    """A member larger than counts of all colours is not unpacked."""
    monkeypatch.setattr(stored_table, "_MOST_BYTES", 1000)
    with pytest.raises(DamagedTableError, match="has 1001 bytes"):
        table_from_bytes(with_member("steps.npy", bytes(1001)))


@given(st.integers(0, len(STORED) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed_or_harmless(place, change):
    """With any one byte another, the table comes back as it was, or DamagedTableError is raised."""
    data = bytearray(STORED)
    data[place] ^= change
    try:
        again = table_from_bytes(bytes(data))
    except DamagedTableError:
        return
    assert np.array_equal(again.colors, TABLE.colors)
    assert np.array_equal(again.counts, TABLE.counts)
