"""What a caller may choose; standard library only, because the config reads it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Solver = Literal["multilevel", "sklearn", "textbook"]
Space = Literal["rgb", "oklab"]
FreeMetric = Literal["mse", "psnr"]
# ^ known with every flat image
CostlyMetric = Literal["ssim", "ciede2000"]
# ^ each costs about as much as the flat image
Metric = Literal[FreeMetric, CostlyMetric]

MAX_K = 256
# ^ a label map holds uint8, and so does a palette PNG or a GIF frame


@dataclass(frozen=True, slots=True)
class FlattenOptions:
    """How the colours of a flat image are found."""

    solver: Solver = "multilevel"
    seed: int = 0
    space: Space = "rgb"
    # ^ where distance is measured
