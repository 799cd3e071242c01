"""Measures of difference, against scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest

from flatpipe.quantize.metrics import ciede2000, color_difference, mse, psnr, psnr_of_mse, ssim
from tests.quantize.builders import noise, painting

FIRST = painting(30)
SECOND = np.clip(FIRST.astype(int) + np.random.default_rng(0).integers(-30, 31, FIRST.shape), 0, 255).astype(np.uint8)
OTHER = noise(31, *FIRST.shape[:2])


def test_mse_sums_over_channels():
    """Two pixels, one of them off by (1, 2, 3): the mean over pixels of 1 + 4 + 9."""
    assert mse(np.zeros((1, 2, 3), np.uint8), np.array([[[1, 2, 3], [0, 0, 0]]], np.uint8)) == 7


@pytest.mark.parametrize("second", [SECOND, OTHER], ids=["near", "far"])
def test_measures_equal_scikit_image(second):
    """PSNR, SSIM (Gaussian window) and mean CIEDE2000 equal those of scikit-image."""
    from skimage import color, metrics

    peers = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    difference = color.deltaE_ciede2000(color.rgb2lab(FIRST), color.rgb2lab(second)).mean()
    assert psnr(FIRST, second) == pytest.approx(metrics.peak_signal_noise_ratio(FIRST, second))
    assert ssim(FIRST, second) == pytest.approx(metrics.structural_similarity(FIRST, second, channel_axis=-1, **peers))
    assert color_difference(FIRST, second) == pytest.approx(difference, rel=1e-6)


def test_equal_pictures_do_not_differ():
    """A picture compared with itself: nothing, infinite, one, nothing."""
    assert mse(FIRST, FIRST) == 0
    assert psnr(FIRST, FIRST) == math.inf
    assert ssim(FIRST, FIRST) == pytest.approx(1)
    assert color_difference(FIRST, FIRST) == 0


def test_psnr_of_one_level():
    """One level off in every channel is 48.13 dB."""
    assert psnr_of_mse(3) == pytest.approx(48.1308, abs=1e-4)


def test_ciede2000_of_the_paper():
    """Pairs 1, 7, 15, 16 and 25 of the paper's table of test data."""
    first = np.array(
        [[50, 2.6772, -79.7751], [50, 0, 0], [50, -0.001, 2.49], [50, 2.5, 0], [60.2574, -34.0099, 36.2677]]
    )
    second = np.array(
        [[50, 0, -82.7485], [50, -1, 2], [50, 0.0011, -2.49], [50, 0, -2.5], [60.4626, -34.1751, 39.4387]]
    )
    assert np.allclose(ciede2000(first, second), [2.0425, 2.3669, 4.7461, 4.3065, 1.2644], atol=1e-4)
