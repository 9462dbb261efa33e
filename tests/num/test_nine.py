"""Nine-point rows against NumPy, for one vector and two, at all lengths around a vector of the processor."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from photochrom.num.kernels.nine import nine
from photochrom.num.solve import NEIGHBOURS

PITCH, START, STEP = 96, 200, 400   # of the vectors: rows, the row's first value, from one vector to the next


def _formula(x, b, f, near, omega):
    return x + omega * (f * (b + near) - x)


_one, _both = (nine(_formula, planes) for planes in (1, 2))


@njit
def _apply(planes, count, out, x, b, w, offsets, f, omega):
    if planes == 2:
        _both(count, out, 3, 80, x, START, STEP, PITCH, b, 2, 70, w, offsets, 5, f, omega)
    else:
        _one(count, out, 3, 80, x, START, STEP, PITCH, b, 2, 70, w, offsets, 5, f, omega)


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 32, 50, 64])
def test_a_row_is_what_numpy_makes_of_it(count, dtype, planes):
    random = np.random.default_rng(count)
    x, b, f = (random.random(size).astype(dtype) for size in (2 * STEP, 70 + 2 + count, 5 + count))   # b, f end there
    w, offsets = random.random(8 * 80 + 5).astype(dtype), 80 * random.permutation(8)
    out, omega = np.full(80 * 2 + 3, 7, dtype), dtype(0.7)
    w = w[: offsets.max() + 5 + count]
    _apply(planes, count, out, x, b, w, offsets, f, omega)
    for m in range(2):
        made = out[3 + 80 * m : 3 + 80 * m + 80]
        if m < planes:
            at = START + m * STEP + np.arange(count)
            near = sum(w[offsets[k] + 5 :][:count] * x[at + dy * PITCH + dx] for k, (dy, dx) in enumerate(NEIGHBOURS))
            wanted = _formula(x[at], b[2 + 70 * m :][:count], f[5:], near, omega)
            np.testing.assert_allclose(made[:count], wanted, rtol=20 * np.finfo(dtype).eps)
        assert (made[count if m < planes else 0 :] == 7).all()
    assert (out[:3] == 7).all()
