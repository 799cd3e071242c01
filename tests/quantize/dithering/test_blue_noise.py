"""The threshold map: every threshold once, and no low frequency in any of its patterns."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.dithering.blue_noise import SIDE, threshold_map


def test_every_threshold_stands_once():
    """The map is a permutation: each share of the pixels is set at the threshold of that share."""
    assert np.array_equal(np.sort(threshold_map().ravel()), np.arange(SIDE**2))


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 0.9])
def test_no_low_frequencies(share):
    """Of the pattern at any grey, waves of 12 pixels and longer have less than a twentieth of white noise's power."""
    pattern = threshold_map() < share * SIDE**2
    power = np.abs(np.fft.fft2(pattern - pattern.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    low = power[(frequency > 0) & (frequency <= 1 / 12)].mean()
    assert low < power[frequency > 0].mean() / 20
