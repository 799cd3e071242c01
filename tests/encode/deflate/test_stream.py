"""Label maps as zlib streams."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from flat_builders import patchy_labels
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flatpipe.encode.deflate.rows import NONE, UP
from flatpipe.encode.deflate.stream import zlib_stream

depths = st.sampled_from([1, 2, 4, 8])


def rows_of(labels: NDArray[np.uint8], bits: int, filter_type: int = UP) -> bytes:
    """The rows of a PNG, made plainly: a filter type, then the labels' bits in turn, less the byte above for UP."""
    each = np.unpackbits(labels[..., np.newaxis], axis=2)[..., 8 - bits :].reshape(len(labels), -1)
    packed = np.packbits(each, axis=1)
    above = np.vstack((np.zeros_like(packed[:1]), packed[:-1])) * np.uint8(filter_type == UP)
    return np.hstack((np.full((len(labels), 1), filter_type, np.uint8), packed - above)).tobytes()


@st.composite
def label_maps(draw: st.DrawFn) -> tuple[NDArray[np.uint8], int]:
    """Any label map, from a pixel on, and the bits of a label: long and short runs, noise, rows that repeat."""
    bits = draw(depths)
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 700))
    values = st.integers(0, (1 << bits) - 1)
    runs = draw(st.lists(st.tuples(values, st.integers(1, 1200)), min_size=1, max_size=30))
    line = np.repeat(*np.array(runs).T).astype(np.uint8)
    labels = np.resize(line, (height, width))
    noisy = np.random.default_rng(draw(st.integers(0, 9))).random((height, width)) < draw(st.sampled_from([0, 0.02, 1]))
    labels[noisy] = np.arange(noisy.sum()) * 7 % (1 << bits)
    return labels, bits


@given(label_maps(), st.sampled_from([NONE, UP]))
def test_any_label_map_is_read_back(made: tuple[NDArray[np.uint8], int], filter_type: int) -> None:
    """zlib decompresses every stream, checksum included, to the rows as the PNG specification has them."""
    assert zlib.decompress(zlib_stream(*made, filter_type)) == rows_of(*made, filter_type)


@pytest.mark.parametrize("length", [*range(1, 30), *range(255, 290), 515, 516, 517, 518, 774, 775, 776, 5000])
def test_runs_of_any_length_are_read_back(length: int) -> None:
    """A run of any length, wherever in a word it begins, comes back: those too long for one token too."""
    for begin in range(9):
        labels = np.arange(begin + length + 20, dtype=np.uint8)[np.newaxis] % 7 + 1
        labels[:, begin : begin + length] = 0
        assert zlib.decompress(zlib_stream(labels, 8)) == rows_of(labels, 8)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_what_the_sample_misses_has_a_code(bits: int) -> None:
    """Not all of a large image is looked at for its codes: noise in a single row comes back all the same."""
    for y in (0, 1, 700, 1500, 1999):
        labels = np.zeros((2000, 16000 // bits), np.uint8)
        labels[y] = np.random.default_rng(y).integers(0, 1 << bits, labels.shape[1])
        assert zlib.decompress(zlib_stream(labels, bits)) == rows_of(labels, bits)


@pytest.mark.parametrize("kind", ["blank", "lines", "scaled"])
@pytest.mark.parametrize("size", [(3000, 300), (999, 1001), (7, 40_000), (90_000, 3)])
def test_blocks_of_many_parts_are_read_back(size: tuple[int, int], kind: str) -> None:
    """Where little happens a block goes on, over rows that make no whole number of segments: all comes back."""
    labels = np.zeros(size, np.uint8)
    if kind == "lines":
        labels[::37, ::3] = 1
        labels[::31] = 200
    if kind == "scaled":
        small = np.random.default_rng(3).integers(0, 256, (size[0] // 6 + 1, size[1] // 6 + 1), np.uint8)
        labels = small.repeat(6, axis=0).repeat(6, axis=1)[: size[0], : size[1]]
    assert zlib.decompress(zlib_stream(labels, 8)) == rows_of(labels, 8)


@pytest.mark.parametrize(("n_colors", "bits"), [(2, 1), (4, 2), (9, 4), (200, 8)])
def test_streams_are_no_longer_than_those_of_zlib(n_colors: int, bits: int) -> None:
    """Patches and noise, also enlarged like pixel art, take what zlib's own run lengths do and 2 % more at most."""
    for size, scale in (((400, 600), 1), ((150, 200), 4), ((60, 90), 9), ((2500, 3000), 1)):
        labels = patchy_labels(*size, n_colors).repeat(scale, axis=0).repeat(scale, axis=1)
        peer = zlib.compressobj(strategy=zlib.Z_RLE, memLevel=9)
        usual = len(peer.compress(rows_of(labels, bits)) + peer.flush())
        assert len(zlib_stream(labels, bits)) <= usual * 1.02 + 100
        # ^ a block's head, where zlib happens to have one block less


def test_noise_hardly_grows() -> None:
    """What cannot be compressed becomes 0.3 % longer at most, large or small."""
    for size in ((200, 300), (2000, 3000)):
        labels = np.random.default_rng(0).integers(0, 256, size, np.uint8)
        assert len(zlib_stream(labels, 8)) < labels.size * 1.003 + size[0]
