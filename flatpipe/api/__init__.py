"""What `import flatpipe` gives: flatten, sweep, run, palettes, and the images that they return.

Imported when one of the names is first used, because NumPy and Pillow take a while to load.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flatpipe.api.checks import check_choice, check_search
from flatpipe.api.common import common_palette
from flatpipe.api.flat_image import FlatImage, Sweep
from flatpipe.api.image_like import ImageLike, original_of
from flatpipe.api.palette import Palette
from flatpipe.api.quantizer import ColorQuantizer
from flatpipe.errors import ConfigError
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.options import MAX_K, Dither, FlattenOptions, Solver, Space

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.observer import RunObserver
    from flatpipe.summaries import RunSummary

__all__ = ["ColorQuantizer", "FlatImage", "Palette", "Sweep", "common_palette", "flatten", "run", "sweep"]

_AUTO_KS = range(2, 16)
# ^ what `auto` tries, as flatten.auto.max has it


def flatten(
    image: ImageLike,
    k: int | str,
    *,
    seed: int = 0,
    space: Space = "rgb",
    solver: Solver = "multilevel",
    dither: Dither = "none",
    alpha: str = "keep",
) -> FlatImage:
    """Return the image in at most k colours, 1 <= k <= 256: the FlatImage that `flatpipe run` would save.

    With k "auto" it is that of 2 to 15 colours at the knee of the distortion curve, with "auto:psnr>=30" the first that
    reaches 30 dB (the last when none does).

    `image` is a path, the bytes of an image file, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) uint8 of
    grey, sRGB or sRGB with opacity; only files are turned upright and have their profile applied. `space` is where
    distance is measured, "rgb" or "oklab"; `solver` is a word of `flatten.solver` in docs/config.md; `dither`
    ("floyd-steinberg" or "blue-noise") mixes colours that are not there out of those that are; `alpha` keeps
    transparency, or names the background "#rrggbb" to put the image on.
    The same arguments give the same colours, on every machine.

    Raises ConfigError for arguments that cannot be, and ImageError for a file that cannot be read or decoded.

    >>> import flatpipe
    >>> flat = flatpipe.flatten("data/kodim03.png", 5)
    >>> flat.palette.shape, flat.label_map.shape, flat.flat.shape
    ((5, 3), (512, 768), (512, 768, 3))
    >>> flat.n_colors, round(flat.psnr)
    (5, 22)
    >>> flat.save("kodim03.png")    # a palette PNG; .ase, .gpl and others save the palette
    """
    ks = k if isinstance(k, str) else [k]
    made = sweep(image, ks, seed=seed, space=space, solver=solver, dither=dither, alpha=alpha)
    return made[made.suggested_k]


def sweep(
    image: ImageLike,
    ks: Iterable[int] | str = range(2, 16),
    *,
    seed: int = 0,
    space: Space = "rgb",
    solver: Solver = "multilevel",
    dither: Dither = "none",
    alpha: str = "keep",
) -> Sweep:
    """Return the image in every k of `ks`: a Sweep, which maps k to FlatImage; arguments and errors as in `flatten`.

    The image is decoded and its colours are counted once. Each k comes out as `flatten` gives it. With ks "auto" or
    "auto:psnr>=30" they are 2 to 15, and `suggested_k` is the one that the word asks for.

    >>> import flatpipe
    >>> sweep = flatpipe.sweep("data/kodim03.png", [2, 4, 8])
    >>> [(k, flat.n_colors) for k, flat in sweep.items()]
    [(2, 2), (4, 4), (8, 8)]
    >>> sweep[2].mse > sweep[4].mse > sweep[8].mse
    True
    >>> sweep.save("sweep.gif")     # the flats from low k to high, then the original
    """
    wanted, target = (_AUTO_KS, _target(ks)) if isinstance(ks, str) else (_checked(ks), "knee")
    check_search(seed, space, solver)
    check_choice("dither", dither, Dither)
    options = FlattenOptions(solver=solver, seed=seed, space=space, dither=dither)
    original = original_of(image, alpha)
    indexed = index_colors(original.pixels, original.alpha)
    flats = {k: FlatImage.of(flatten_indexed(indexed, k, options), original.alpha) for k in wanted}
    return Sweep(flats, replace(original, counted=indexed), target, options)


def run(
    config: Config | str | os.PathLike[str],
    overrides: Sequence[str] = (),
    *,
    profile: str | None = None,
    only: Sequence[str] = (),
    force: bool = False,
    observer: RunObserver | None = None,
) -> RunSummary:
    """Bring every output that a config asks for up to date, as `flatpipe run` does; return a RunSummary.

    `config` is a file's path, with `overrides` ("flatten.k=2-8") and a `profile`, or a Config from `load_config`.
    `only` are globs of image ids. The summary's `exit_code` is the command's: 0 all is right, 1 some images failed,
    3 given up, with the `reason` in words. An `observer` is told of progress.

    Raises ConfigError when the config cannot be, RunGivenUp when another run is writing to the output.

    >>> import flatpipe
    >>> summary = flatpipe.run("pipeline.yaml", ["flatten.k=[2, 3]", "report.enabled=false", "output.path=small"])
    >>> summary.images, summary.pairs, summary.exit_code
    (3, 6, 0)
    >>> flatpipe.run("pipeline.yaml", ["flatten.k=[2, 3]", "report.enabled=false", "output.path=small"]).pairs
    0
    """
    from flatpipe.config import Config, load_config
    from flatpipe.pipeline import run as run_pipeline
    from flatpipe.plan.request import Request

    if not isinstance(config, Config):
        config = load_config(config, overrides, profile)
    elif overrides or profile:
        raise ConfigError("overrides and profile go to load_config, or to run together with a path")
    return run_pipeline(config, Request(only=tuple(only), force=force), observer)


def _target(word: str) -> str:
    """What `auto` and its like choose by: "knee", or "psnr>=30"."""
    auto, _, target = word.partition(":")
    if auto != "auto" or not re.fullmatch(r"|knee|psnr>=\d+(\.\d+)?", target):
        raise ConfigError(f"k must be a whole number, 'auto', or one such as 'auto:psnr>=30', not {word!r}")
    return target or "knee"


def _checked(ks: Iterable[int]) -> list[int]:
    """The k, ascending, each once."""
    try:
        wanted = sorted({operator.index(k) for k in ks})
    except TypeError as error:
        raise ConfigError(f"k must be a whole number: {error}") from None
    if not wanted or not 1 <= wanted[0] <= wanted[-1] <= MAX_K:
        raise ConfigError(f"k must be from 1 to {MAX_K}, not {', '.join(map(str, wanted)) or 'nothing'}")
    return wanted
