"""How far a picture is from another: distortion, PSNR, SSIM, colour difference. (H, W, 3) uint8 sRGB both."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def mse(pixels: NDArray[np.uint8], flat: NDArray[np.uint8]) -> float:
    """Return the mean over pixels of the squared RGB distance, summed over channels, in squared 8-bit levels."""
    gaps = pixels.astype(np.int64) - flat
    return int((gaps * gaps).sum()) / (pixels.size // 3)


def psnr(pixels: NDArray[np.uint8], flat: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in dB over all channels; infinite for equal pictures."""
    return psnr_of_mse(mse(pixels, flat))


def psnr_of_mse(distortion: float) -> float:
    """Return the PSNR in dB of an `mse` that is summed over the three channels."""
    return math.inf if distortion == 0 else 10 * math.log10(3 * 255**2 / distortion)
