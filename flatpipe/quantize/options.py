"""What a caller may choose; standard library only, because the config reads it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Solver = Literal["multilevel", "sklearn", "textbook"]
Space = Literal["rgb", "oklab"]
FreeMetric = Literal["mse", "psnr"]
# ^ known with every flat image
EyeMetric = Literal["ssim", "ciede2000"]
# ^ of the flat image as it is seen
CostlyMetric = Literal[EyeMetric, "own_mse"]
# ^ each costs about as much as the flat image
Metric = Literal[FreeMetric, CostlyMetric]

Weighing = Literal["pixels", "images"]
# ^ what counts alike in the colours of several images
Dither = Literal["none", "floyd-steinberg", "blue-noise"]

MAX_K = 256
# ^ a label map holds uint8, and so does a palette PNG or a GIF frame


@dataclass(frozen=True, slots=True)
class FixedColor:
    """A colour that is in every palette and never moves."""

    color: str
    # ^ "#rrggbb"
    row: int | None = None
    # ^ of the palette, from 0; None: the first that no other one has asked for


@dataclass(frozen=True, slots=True)
class FlattenOptions:
    """How the colours of a flat image are found, and how its pixels get them."""

    solver: Solver = "multilevel"
    seed: int = 0
    space: Space = "rgb"
    # ^ where distance is measured
    chart: tuple[str, ...] = ()
    # ^ the only colours that a palette is chosen from, "#rrggbb"; empty: any
    fixed: tuple[FixedColor, ...] = ()
    match: Space | None = None
    # ^ where the nearest colour is measured when pixels are put into a palette that is given; None: in `space`
    dither: Dither = "none"

    @property
    def matched_in(self) -> Space:
        """The space in which pixels are put into a palette that is given."""
        return self.match or self.space

    @property
    def searched_in(self) -> Space:
        """The space in which a palette is searched for: of a chart, the colours that are near where pixels are put."""
        return self.matched_in if self.chart else self.space

    @property
    def is_plain(self) -> bool:
        """Whether a pixel simply gets the mean colour of its cluster, and no palette has to be found first."""
        return not self.chart and not self.fixed and self.matched_in == self.space and self.dither == "none"
