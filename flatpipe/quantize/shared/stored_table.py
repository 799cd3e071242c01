"""Colour table <-> bytes: a .npz archive that numpy reads, about a byte a colour for photographs.

Kept are the steps from each colour's place on the Z-order curve to the next, and the counts, both taken apart into
bytes of equal worth: most of the upper ones are 0.
"""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_table import ColorTable, frozen
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.octree import level_at, zorder
from flatpipe.quantize.shared.color_sums import MOST

_FORMAT = 1
_N_COLORS = 1 << 24
_MOST_BYTES = 8 * _N_COLORS + (1 << 10)
# ^ of one array of the archive, its header among them
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError),
    *(NotImplementedError, RuntimeError),
    # ^ another compression, or a password
)


class DamagedTableError(ValueError):
    """Bytes that hold no colour table."""


def table_to_bytes(table: ColorTable) -> bytes:
    """Return a table as bytes, the same ones for the same table. Colours that count nothing are left out."""
    colors, counts = frozen(table.colors[table.visible]), table.counts[table.visible]
    steps = np.diff(_places_of(colors), prepend=np.int64(-1)).astype("<u4")
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, format=np.array([_FORMAT], np.uint8), steps=_planes(steps), counts=_planes(counts.astype("<i8"))
    )
    return buffer.getvalue()


def table_from_bytes(data: bytes) -> ColorTable:
    """Return the table that the bytes hold. Raises DamagedTableError for any others."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            form, steps, counts = (_member(archive, name) for name in ("format", "steps", "counts"))
    except _DAMAGES as error:
        raise DamagedTableError(f"a colour table is damaged: {error}") from error
    if form.tolist() != [_FORMAT]:
        raise DamagedTableError("a colour table is of another version of flatpipe")
    return _checked(_whole(steps, "<u4").astype(np.int64), _whole(counts, "<i8").astype(np.int64))


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    """Return a file of the archive as bytes (n,), the header of its array checked before anything is allocated."""
    entry = archive.getinfo(f"{name}.npy")
    if entry.file_size > _MOST_BYTES:
        raise ValueError(f"{name} has {entry.file_size} bytes")
    file = io.BytesIO(archive.read(entry))
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{name} is in version {version[0]} of numpy's format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    values = np.frombuffer(file.getbuffer()[file.tell() :], np.uint8)
    if dtype != np.uint8 or shape != values.shape:
        raise ValueError(f"{name} does not hold what it says")
    return values


def _checked(steps: NDArray[np.int64], counts: NDArray[np.int64]) -> ColorTable:
    """Return the table of colours so many places apart; raise DamagedTableError where there is none."""
    if steps.size != counts.size or steps.size > _N_COLORS:
        raise DamagedTableError(f"a colour table is damaged: {steps.size} colours, {counts.size} counts")
    places = np.cumsum(steps) - 1
    if steps.size and (steps.min() < 1 or places[-1] >= _N_COLORS):
        raise DamagedTableError("a colour table is damaged: colours out of order")
    if steps.size and (counts.min() < 1 or counts.sum(dtype=np.float64) >= MOST):
        raise DamagedTableError("a colour table is damaged: counts out of range")
    return ColorTable(frozen(_colors_at(places)), frozen(counts))


def _planes(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return the bytes of whole numbers (n,), first the lowest one of each, then the next."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(values.size, values.itemsize).T).reshape(-1)


def _whole(planes: NDArray[np.uint8], dtype: str) -> NDArray[np.generic]:
    """Return the whole numbers whose bytes were taken apart so; raise DamagedTableError for bytes that are left."""
    size = np.dtype(dtype).itemsize
    if planes.size % size:
        raise DamagedTableError(f"a colour table is damaged: {planes.size} bytes for numbers of {size}")
    return np.ascontiguousarray(planes.reshape(size, planes.size // size).T).view(dtype).reshape(-1)


@kernel
def _places_of(colors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the places (n,) of colours (n, 3) on the Z-order curve."""
    places = np.empty(len(colors), np.int64)
    for i in range(len(colors)):
        places[i] = zorder(colors[i, 0], colors[i, 1], colors[i, 2])
    return places


@kernel
def _colors_at(places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the colours (n, 3) at places (n,) on the Z-order curve."""
    colors = np.empty((places.size, 3), np.uint8)
    for i in range(places.size):
        for c in range(3):
            colors[i, c] = level_at(places[i], c)
    return colors
