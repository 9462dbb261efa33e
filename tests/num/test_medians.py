"""Networks for medians, proved on every pattern of zeros and ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from photochrom.num.kernels import load
from photochrom.num.medians import median_samples


@pytest.mark.parametrize(("name", "count"), [("NINE", 9), ("TWENTY_FIVE", 25)])
def test_the_network_finds_the_middle_of_all_patterns(name, count):
    """A network that sorts every pattern of zeros and ones sorts everything (Knuth's zero-one principle)."""
    patterns = np.arange(1 << count, dtype=np.uint32)
    bits = [np.packbits((patterns >> k).astype(np.uint8) & 1) for k in range(count)]
    ones = np.zeros(1 << count, np.uint8)
    for k in range(count):
        ones += (patterns >> k).astype(np.uint8) & 1
    for a, b in getattr(load("medians"), name):
        bits[a], bits[b] = bits[a] & bits[b], bits[a] | bits[b]
    np.testing.assert_array_equal(np.unpackbits(bits[count // 2]), ones > count // 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("radius", [1, 2, 3, 9])
@pytest.mark.parametrize("shape", [(40, 131), (7, 5), (1, 1), (3, 70)])
def test_scipy_agrees(dtype, radius, shape):
    random = np.random.default_rng(radius)
    plane = random.random(shape).astype(dtype) if dtype == np.float32 else random.integers(0, 200, shape).astype(dtype)
    for border, mode in (("reflect", "mirror"), ("replicate", "nearest"), ("circular", "wrap"),
                         ("constant", "constant")):
        expected = ndimage.median_filter(plane, 2 * radius + 1, mode=mode)
        np.testing.assert_array_equal(median_samples(plane, radius, border), expected)
