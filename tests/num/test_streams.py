"""Formulas over rows against NumPy, at all lengths around a vector, and nothing beyond the row is touched."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from photochrom.num.kernels.streams import stream

_formula = stream(lambda a, b, k: (a - k * b) + a * b, rows=2, numbers=1)


@njit
def _apply(count, out, a, b, k):
    _formula(count, out, 2, a, 3, b, 1, k)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 50])
def test_a_formula_is_what_numpy_makes_of_it(dtype, count):
    random = np.random.default_rng(count)
    a, b = random.random((2, count + 3)).astype(dtype)   # which end where the row of a ends
    out = np.full(count + 4, 7, dtype)
    k = dtype(0.3)
    _apply(count, out, a, b, k)
    x, y = a[3:], b[1:][:count]
    np.testing.assert_allclose(out[2 : 2 + count], (x - k * y) + x * y, rtol=4 * np.finfo(dtype).eps, atol=1e-6)
    assert (out[:2] == 7).all()
    assert (out[2 + count :] == 7).all()
