"""Which k? The knee of a distortion curve, or the first k that is good enough. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SENSITIVITY = 1.0
# ^ S of the paper: how many mean steps the curve must fall below its bulge before the bulge counts as a knee


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio in dB of an mse that is summed over the three channels; infinite when mse is 0."""
    return math.inf if mse == 0 else 10 * math.log10(3 * 255**2 / mse)


def suggested_k(ks: Sequence[int], mses: Sequence[float]) -> int | None:
    """The k at the knee of the distortion curve; without a clear knee, the k at its deepest bulge. None for no k.

    ks ascend; mses are in squared 8-bit levels. A flat curve suggests its smallest k: more colours bring nothing.
    """
    if not ks:
        return None
    bulge = _bulge(ks, mses)
    knee = _knee_row(bulge)
    return ks[bulge.index(max(bulge)) if knee is None else knee]


def smallest_reaching(ks: Sequence[int], mses: Sequence[float], least_psnr: float) -> int | None:
    """The smallest k whose PSNR is at least `least_psnr` dB; None when none is."""
    return next((k for k, mse in zip(ks, mses, strict=True) if psnr(mse) >= least_psnr), None)


def best_k(ks: Sequence[int], mses: Sequence[float], target: str = "") -> int | None:
    """The k that `target` names: the first to reach "psnr>=30" (dB), else the largest; suggested_k for other words."""
    least = _least_psnr(target)
    if least is None or not ks:
        return suggested_k(ks, mses)
    return smallest_reaching(ks, mses, least) or ks[-1]


def missed(ks: Sequence[int], mses: Sequence[float], target: str) -> str:
    """In words, that no k reaches the target; "" when one does, or when there is nothing to reach."""
    least = _least_psnr(target)
    if least is None or not ks or smallest_reaching(ks, mses, least) is not None:
        return ""
    return f"no k up to {ks[-1]} reaches {least:g} dB"


def _least_psnr(target: str) -> float | None:
    number = target.partition(">=")[2]
    return float(number) if number else None


def knee_k(ks: Sequence[int], mses: Sequence[float]) -> int | None:
    """The k at the knee of a falling convex curve; None when the curve has none.

    Source: Satopää, Albrecht, Irwin, Raghavan: Finding a "Kneedle" in a Haystack (2011), section III, offline, S = 1.
    """
    row = _knee_row(_bulge(ks, mses))
    return None if row is None else ks[row]


def _bulge(ks: Sequence[int], mses: Sequence[float]) -> list[float]:
    """How far each point hangs below the straight line between the ends, both axes scaled to 0..1."""
    width, height = ks[-1] - ks[0], max(mses) - min(mses)
    if not width or not height:
        return [0.0] * len(ks)
    highest = max(mses)
    return [(highest - mse) / height - (k - ks[0]) / width for k, mse in zip(ks, mses, strict=True)]


def _knee_row(bulge: Sequence[float]) -> int | None:
    """The first local maximum after which the curve falls below its threshold before it turns again."""
    candidate, threshold = None, 0.0
    for row in range(len(bulge) - 1):
        before, here, after = bulge[max(row - 1, 0)], bulge[row], bulge[row + 1]
        if here >= before and here >= after:
            candidate, threshold = row, here - _SENSITIVITY / (len(bulge) - 1)
        if here <= before and here <= after:
            candidate = None
        if candidate is not None and after < threshold:
            return candidate
    return None
