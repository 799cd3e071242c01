"""flatpipe flattens the colours of whole image collections.

    import flatpipe

    flat = flatpipe.flatten("photo.jpg", 5)     # palette, label_map, flat, mse, save()
    sweep = flatpipe.sweep("photo.jpg", [2, 4, 8])
    flat = flatpipe.Palette.read("pico-8").apply("photo.jpg")
    summary = flatpipe.run("pipeline.yaml")

docs/python.md has more. Importing flatpipe is cheap; what it takes is loaded when a name is first used.
"""

from typing import TYPE_CHECKING

from flatpipe.errors import ConfigError, FlatpipeError, ImageError, RunGivenUp
from flatpipe.versions import __version__

if TYPE_CHECKING:
    from flatpipe.api import ColorQuantizer, FlatImage, Palette, Sweep, common_palette, flatten, run, sweep
    from flatpipe.config import Config, load_config

__all__ = [
    "ColorQuantizer",
    "Config",
    "ConfigError",
    "FlatImage",
    "FlatpipeError",
    "ImageError",
    "Palette",
    "RunGivenUp",
    "Sweep",
    "__version__",
    "common_palette",
    "flatten",
    "load_config",
    "run",
    "sweep",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'flatpipe' has no attribute {name!r}")
    if name in ("Config", "load_config"):
        from flatpipe import config as room
    else:
        from flatpipe import api as room  # type: ignore[no-redef]

    found: object = getattr(room, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
