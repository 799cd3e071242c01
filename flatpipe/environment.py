"""What a run ran on: the packages whose versions matter, and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from typing import Literal, get_args

from flatpipe.versions import __version__
from flatpipe.vocabulary import AnimationFormat, VideoFormat

Effect = Literal["work", "images", "sklearn", "animations", "video", "heif"]

PACKAGES: dict[str, Effect] = {
    "av": "video",
    "dask": "work",
    "distributed": "work",
    "imageio": "animations",
    "numba": "images",
    "numpy": "images",
    "pillow": "images",
    "pillow-heif": "heif",
    "scikit-learn": "sklearn",
}
# ^ every package whose version matters, and for what: "work" is carried by it and no byte depends on it; every byte of
#   "images" may; of the others only those that the settings ask for: a solver, animations that are no GIF, HEIF files
_OPTIONAL: tuple[Effect, ...] = ("heif", "video")
# ^ flatpipe works without them
INSTALL_PARQUET = "pip install 'flatpipe[parquet]'"


def package_versions() -> dict[str, str]:
    """Versions of the packages that every flatpipe needs, by name, in the order of names."""
    return {name: metadata.version(name) for name, effect in PACKAGES.items() if effect not in _OPTIONAL}


def versions_for(effects: Iterable[Effect]) -> dict[str, str]:
    """Versions of the packages that have one of these effects, as far as they are installed."""
    wanted = {name for name, effect in PACKAGES.items() if effect in set(effects)}
    return {name: version for name in sorted(wanted) if (version := _installed(name)) is not None}


def missing_codecs(animation: AnimationFormat) -> str:
    """What must be installed before such an animation can be written, in words; "" when nothing is missing."""
    if animation not in get_args(VideoFormat) or _installed("av"):
        return ""
    return f"{animation} is written with PyAV, which is not installed: pip install 'flatpipe[video]'"


def missing_parquet(what: str) -> str:
    """What must be installed before a Parquet file can be read or written, in words; "" when nothing is missing."""
    return "" if _installed("pyarrow") else f"{what} needs pyarrow, which is not installed: {INSTALL_PARQUET}"


def environment() -> dict[str, object]:
    """Versions of flatpipe, Python and the libraries below it, and what machine this is."""
    return {
        "flatpipe": __version__,
        "python": platform.python_version(),
        "packages": package_versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
    }


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
