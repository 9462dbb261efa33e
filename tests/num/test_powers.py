"""Powers, logarithms and roots in float32 against float64, every mantissa of the octaves that repeat."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from photochrom.num.kernels import powers
from photochrom.num.kernels.powers import FAST, F

MANTISSAS = np.arange(1 << 23, dtype=np.int32)


def octave(exponent: int) -> np.ndarray:
    """All float32 of [2^e, 2^(e+1))."""
    return (MANTISSAS | np.int32((exponent + 127) << 23)).view(np.float32)


@njit(fastmath=FAST, error_model="numpy")
def roots(x, high, low):
    for i in range(x.size):
        high[i], low[i] = powers.cbrt(x[i])


@njit(fastmath=FAST, error_model="numpy")
def logs(x, out):
    for i in range(x.size):
        out[i] = powers.log2(x[i])


@njit(fastmath=FAST, error_model="numpy")
def exps(x, out):
    for i in range(x.size):
        out[i] = powers.exp2(x[i])


@njit(fastmath=FAST, error_model="numpy")
def raised(x, p, out):
    for i in range(x.size):
        high, rest = powers.power(x[i], p, F(0))
        out[i] = high + high * rest


@pytest.mark.parametrize("exponent", [-90, -3, -2, -1, 0, 1, 100])
def test_cube_roots(exponent: int) -> None:
    x = octave(exponent).astype(np.float64)
    high, low = np.empty(x.shape, np.float32), np.empty(x.shape, np.float32)
    roots(x, high, low)
    wanted = np.cbrt(x)
    assert (np.abs(high + low.astype(np.float64) - wanted) / wanted).max() < 1e-8
    assert (np.abs(high - wanted) / wanted).max() < 1e-4   # the second part is needed


@njit(fastmath=FAST, error_model="numpy")
def quick(x, cubes, fifths):
    for i in range(x.size):
        cubes[i], fifths[i] = powers.cbrt_single(x[i]), powers.power_2_4(x[i])


@pytest.mark.parametrize("exponent", [-9, -5, -4, -3, -2, -1, 0, 1, 12])
def test_quick_roots(exponent: int) -> None:
    x = octave(exponent)
    cubes, fifths = np.empty_like(x), np.empty_like(x)
    quick(x, cubes, fifths)
    wide = x.astype(np.float64)
    for made, wanted, bound in ((cubes, np.cbrt(wide), 1e-7), (fifths, wide**2.4, 8e-7)):
        assert (np.abs(made - wanted) / wanted).max() < bound


@pytest.mark.parametrize("exponent", [-126, -8, -1, 0, 7, 127])
def test_logarithms(exponent: int) -> None:
    x = octave(exponent)
    out = np.empty_like(x)
    logs(x, out)
    wanted = np.log2(x.astype(np.float64))
    assert (np.abs(out - wanted) / np.maximum(np.abs(wanted), 1)).max() < 1.2e-7


def test_exponentials() -> None:
    for low, high in ((-1, 1), (-12, 12), (-126, 127.4)):
        x = np.linspace(low, high, 1 << 22).astype(np.float32)
        out = np.empty_like(x)
        exps(x, out)
        wanted = np.exp2(x.astype(np.float64))
        assert (np.abs(out - wanted) / wanted).max() < 1.5e-7
    ends = np.array([0, 1, -126, 128, 1000, np.inf], np.float32)
    out = np.empty_like(ends)
    exps(ends, out)
    assert out.tolist() == [1, 2, 2.0**-126, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("p", [0.4, 1 / 2.4])
@pytest.mark.parametrize("exponent", [-9, -4, -3, -2, -1, 0, 1, 5, 19])
def test_powers(p: float, exponent: int) -> None:
    x = octave(exponent)
    out = np.empty_like(x)
    raised(x, F(p), out)
    wanted = x.astype(np.float64) ** float(F(p))
    assert (np.abs(out - wanted) / wanted).max() < 2.5e-7


@pytest.mark.slow
def test_both_ways_of_srgb_on_every_float_up_to_2() -> None:
    from photochrom.num.kernels import spaces

    for exponent in range(-30, 1):
        x = octave(exponent)
        wide, out = x.astype(np.float64), np.empty_like(x)
        spaces.srgb_to_linear(x, out)
        wanted = np.where(x <= np.float32(0.04045), wide / 12.92, ((wide + 0.055) / 1.055) ** 2.4)
        assert (np.abs(out - wanted) / wanted).max() < 2.5e-7
        spaces.linear_to_srgb(x, out)
        wanted = np.where(x <= np.float32(0.0031308), wide * 12.92, 1.055 * wide ** (1 / 2.4) - 0.055)
        assert (np.abs(out - wanted) / np.maximum(wanted, 1)).max() < 1.3e-7
