"""Compiling: everything before the first image, each kernel once."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np

import flatpipe.quantize
from flatpipe.quantize import compiled
from flatpipe.quantize.dither import dithered
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.quantize.options import FlattenOptions
from tests.quantize.builders import painting


def variants():
    """How many compiled variants each kernel has."""
    found = {}
    for module in pkgutil.walk_packages(flatpipe.quantize.__path__, "flatpipe.quantize."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if isinstance(value, numba.core.dispatcher.Dispatcher):
                found[f"{value.py_func.__module__}.{name}"] = len(value.signatures)
    return found


def test_images_find_every_kernel_compiled():
    """After compile_kernels no image compiles anything: with alpha, read-only, in Oklab, k=256, dithered."""
    compile_kernels()
    before = variants()
    assert sum(before.values()) > 10
    pixels = painting(60)
    frozen = pixels[:, ::-1]
    frozen.flags.writeable = False
    for space in ("rgb", "oklab"):
        for k in (1, 9, 256):
            flatten_pixels(pixels, k, FlattenOptions(space=space))
            flatten_pixels(frozen, k, FlattenOptions(space=space), alpha=np.ascontiguousarray(frozen[:, :, 0]) // 128)
    flatten_pixels(pixels[:2, :2], 9)
    dithered(frozen, 32, alpha=frozen[:, :, 1])
    assert variants() == before


def test_kernels_work_where_no_cache_can_be_written(monkeypatch):
    """Without any writable folder a kernel still compiles, only without a cache."""

    def refusing(*args, **settings):
        if settings.get("cache"):
            return _no_locator
        return numba.njit(*args, **settings)

    def _no_locator(function):
        raise RuntimeError("no locator available")

    monkeypatch.setattr(compiled, "njit", refusing)

    @compiled.kernel
    def doubled(number):
        return 2 * number

    assert doubled(21) == 42


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path):
    """With a warm cache, an edit of another file's kernel changes the result of the kernel that calls it."""
    package = Path(flatpipe.quantize.__path__[0]).parent
    shutil.copytree(package, tmp_path / "flatpipe", ignore=shutil.ignore_patterns("__pycache__"))
    head = "from flatpipe.quantize.compiled import kernel\n"
    outer, inner = (tmp_path / "flatpipe" / "quantize" / f"{name}.py" for name in ("outer", "inner"))
    outer.write_text(
        f"{head}from flatpipe.quantize.inner import one\n\n@kernel\ndef doubled():\n    return 2 * one()\n"
    )
    call = [sys.executable, "-c", "from flatpipe.quantize.outer import doubled; print(doubled())"]
    found = []
    for number in (1, 1, 5):
        inner.write_text(f"{head}\n@kernel\ndef one():\n    return {number}\n")
        found.append(subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip())
    assert found == ["2", "2", "10"]
    assert list(outer.parent.glob("__pycache__/outer.doubled*.nbi"))
