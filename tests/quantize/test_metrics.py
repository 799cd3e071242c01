"""Measures of difference, against scikit-image and the papers."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.color_space import srgb_to_lab
from flatpipe.quantize.knee import psnr
from flatpipe.quantize.metrics import ciede2000, ssim_map
from tests.quantize.builders import mse, noise, painting

FIRST = painting(30)
SECOND = np.clip(FIRST.astype(int) + np.random.default_rng(0).integers(-30, 31, FIRST.shape), 0, 255).astype(np.uint8)
OTHER = noise(31, *FIRST.shape[:2])


@pytest.mark.parametrize("second", [SECOND, OTHER], ids=["near", "far"])
def test_measures_equal_scikit_image(second):
    """PSNR, SSIM (Gaussian window) and mean CIEDE2000 equal those of scikit-image."""
    from skimage import color, metrics

    peers = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    similarity = metrics.structural_similarity(FIRST, second, channel_axis=-1, **peers)
    difference = color.deltaE_ciede2000(color.rgb2lab(FIRST), color.rgb2lab(second)).mean()
    ours = ciede2000(*(srgb_to_lab(picture.reshape(-1, 3)) for picture in (FIRST, second)))
    assert psnr(mse(FIRST, second)) == pytest.approx(metrics.peak_signal_noise_ratio(FIRST, second))
    assert ssim_map(FIRST, second).mean() == pytest.approx(similarity)
    assert ours.mean() == pytest.approx(difference, rel=1e-6)


def test_equal_pictures_do_not_differ():
    """A picture compared with itself: one everywhere, nothing everywhere."""
    lab = srgb_to_lab(FIRST.reshape(-1, 3))
    assert ssim_map(FIRST, FIRST) == pytest.approx(1)
    assert (ciede2000(lab, lab) == 0).all()


def test_ciede2000_of_the_paper():
    """Pairs 1, 7, 15, 16 and 25 of the paper's table of test data."""
    first = np.array(
        [[50, 2.6772, -79.7751], [50, 0, 0], [50, -0.001, 2.49], [50, 2.5, 0], [60.2574, -34.0099, 36.2677]]
    )
    second = np.array(
        [[50, 0, -82.7485], [50, -1, 2], [50, 0.0011, -2.49], [50, 0, -2.5], [60.4626, -34.1751, 39.4387]]
    )
    assert np.allclose(ciede2000(first, second), [2.0425, 2.3669, 4.7461, 4.3065, 1.2644], atol=1e-4)
