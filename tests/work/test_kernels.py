"""Compiling: everything before the first image, each kernel once."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import product
from typing import get_args

import numpy as np

import flatpipe.encode
import flatpipe.quantize
from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.quantize.compiled import Kernel
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.options import Dither, FlattenOptions
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.work.kernels import load_kernels
from tests.quantize.builders import painting


def variants() -> dict[str, int]:
    """How many compiled variants each kernel has."""
    found = {}
    for room in (flatpipe.quantize, flatpipe.encode):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Kernel):
                    found[f"{value.__module__}.{name}"] = len(value.variants)
    return found


def test_images_find_every_kernel_compiled() -> None:
    """After load_kernels no image compiles anything: with alpha, read-only, in Oklab, k=256, dithered, as GIF."""
    load_kernels()
    before = variants()
    assert sum(before.values()) > 10
    pixels = painting(60)
    frozen = pixels[:, ::-1]
    frozen.flags.writeable = False
    for space, dither in product(("rgb", "oklab"), get_args(Dither)):
        options = FlattenOptions(space=space, dither=dither)
        for k in (1, 9, 256):
            flatten_pixels(pixels, k, options)
            flatten_pixels(frozen, k, options, alpha=np.ascontiguousarray(frozen[:, :, 0]) // 128)
    flatten_pixels(pixels[:2, :2], 9)
    for picture in (pixels, frozen):
        labels = picture[:, :, 0]
        flat = PaletteImage(np.zeros((256, 3), np.uint8), labels)
        encode_animation({256: flat}, Original(picture, np.ascontiguousarray(labels)), AnimationOptions())
    assert variants() == before
