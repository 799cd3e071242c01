"""Kernels loaded without numba: the same results, the same errors, and numba beside them where it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from flatpipe.quantize.compiled import Kernel
from flatpipe.quantize.machine_code import compiler_for, load_machine_code, machine_code_of


class Pair(NamedTuple):
    """What a kernel may take and return."""

    levels: NDArray[np.uint8]
    total: float


def doubled(pair: Pair) -> Pair:
    """Arrays and numbers in a named tuple, in and out."""
    return Pair(pair.levels * np.uint8(2), 2 * pair.total)


def row_sums(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """An array made in the kernel, and a number."""
    sums = np.zeros(values.shape[0], np.int64)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            sums[i] += values[i, j]
    return sums, values.size


def inverse(number: int) -> float:
    """A number, or an error."""
    if number < 0:
        raise ValueError("below zero")
    return 1 / number


def loaded(function: Any, *arguments: Any) -> Any:
    """The function for such arguments, loaded from its machine code."""
    code, _ = machine_code_of(compiler_for(function), arguments)
    assert code is not None
    return load_machine_code(code)


def test_loaded_code_returns_what_python_does() -> None:
    """Arrays, numbers and named tuples go in and come out as from the function itself."""
    pair = Pair(np.arange(5, dtype=np.uint8), 1.5)
    found = loaded(doubled, pair)(pair)
    assert type(found) is Pair
    assert (found.levels.tolist(), found.levels.dtype, found.total) == ([0, 2, 4, 6, 8], np.uint8, 3.0)
    values = np.arange(12).reshape(3, 4)
    sums, size = loaded(row_sums, values)(values)
    assert (sums.tolist(), size) == ([6, 22, 38], 12)


def test_loaded_code_raises_what_python_does() -> None:
    """An error within it arrives as what it is, whether the interpreter would raise it or the function does."""
    reciprocal = loaded(inverse, 2)
    assert reciprocal(4) == 0.25
    with pytest.raises(ZeroDivisionError):
        reciprocal(0)
    with pytest.raises(ValueError, match="below zero"):
        reciprocal(-1)


def test_every_layout_has_its_variant() -> None:
    """Rows read backwards, columns first, read-only, not in one piece: each is summed right, like ones by one code."""
    kernel = Kernel(row_sums)
    values = np.arange(12).reshape(3, 4)
    frozen = values.copy()
    frozen.flags.writeable = False
    columns_first = np.asfortranarray(values)
    other_class = [layout.view(np.recarray) for layout in (values, columns_first)]
    for layout in (
        values,
        values.copy(),
        values[::-1],
        columns_first,
        frozen,
        values[:, ::2],
        frozen[1:],
        *other_class,
    ):
        for _ in range(2):
            sums, size = kernel(layout)
            assert (sums.tolist(), size) == (layout.sum(axis=1).tolist(), layout.size)
    assert sorted(kernel.variants) == ["<i8[2Aw]", "<i8[2Cr]", "<i8[2Cw]", "<i8[2Fw]"]


PROGRAM = """
import sys
import numpy as np
from flatpipe.quantize.flatten import flatten_pixels
from tests.quantize.builders import painting
from tests.quantize.test_machine_code import inverse, row_sums

kinds = {kind: flatten_pixels(painting(60), kind) for kind in (1, 9)}
assert "numba" not in sys.modules
from flatpipe.quantize.compiled import Kernel
from flatpipe.quantize.search import kmeans
def weight(sums, labels):
    return add_up(sums, labels, 2)[1, 3]
add_up = kmeans.add_up
assert Kernel(weight)(np.ones((3, 4), np.int64), np.ones(3, np.uint8)) == 3
assert "numba" in sys.modules
from numba import njit
assert njit(row_sums)(np.ones((2, 2), np.int64))[0].tolist() == [2, 2]
try:
    njit(inverse)(0)
except ZeroDivisionError:
    print(kinds[9].n_colors, flatten_pixels(painting(60), 9).n_colors)
"""


def test_numba_is_imported_only_to_compile() -> None:
    """With all kernels at hand an image is flattened without numba, which then works beside what was loaded."""
    assert _printed("from flatpipe.work.kernels import load_kernels; load_kernels()") == ("", "")
    assert _printed(PROGRAM) == ("9 9\n", "")


def _printed(program: str) -> tuple[str, str]:
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr
