"""Small images and settings that several rooms' tests use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.records import ImageSource
from flatpipe.settings import AnimationOptions, TaskSettings


def noisy_pixels(height: int = 24, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) of a few soft colour areas with noise: more colours than any k."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    areas = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) * 255 // (height + width)], axis=2)
    noise = random.integers(-20, 21, (height, width, 3))
    return np.clip(areas + noise, 0, 255).astype(np.uint8)


def write_image(path: Path, seed: int = 0, height: int = 24, width: int = 32) -> Path:
    """Save a noisy image, whatever format the name says; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noisy_pixels(height, width, seed)).save(path)
    return path


def source_of(path: Path, image_id: str | None = None) -> ImageSource:
    """An ImageSource for a file as it is now."""
    status = path.stat()
    return ImageSource(image_id or path.name, str(path), status.st_size, f"{status.st_mtime_ns}-{status.st_ctime_ns}")


def settings_for(output: Path, **animation: object) -> TaskSettings:
    """Task settings that write below `output`, with changes to the animation."""
    return TaskSettings(str(output), animation=AnimationOptions(**animation))  # type: ignore[arg-type]
