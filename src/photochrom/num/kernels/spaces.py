"""Conversions of colour: fused passes over blocks of planes that stay in the first-level cache.

The torch definitions of the same numbers are in `photochrom.color`. Matrices come from there, nine values row by row,
float64 for OKLab and the way back from CIELAB, else float32. Planes are one-dimensional and contiguous. Imported on
first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from photochrom.num.kernels.powers import FAST, F, cbrt, cbrt_single, exp2, log2, power, power_2_4, wide

BLOCK = 256  # pixels; of 1024, a memory page of each plane, streaming from memory took 30 % longer

_EDGE, _KNEE = F(0.04045), F(0.0031308)
_INFINITE = F(np.inf)
_GAIN, _LESS = F(1.055), F(0.055)
_LESS_REST, _GAIN_REST = F(0.055 - float(F(0.055))), F(1.055 / float(F(1.055)) - 1)
_SCALE, _OFFSET = F(1 / 1.055), F(0.055 / 1.055)
_LOG_SCALE, _NONE = F(math.log2(1.055**-2.4)), F(0)
_FLAT, _STEEP = F(1 / 12.92), F(12.92)
_P_DECODE, _P_ENCODE, _P_LOST = F(0.4), F(1 / 2.4), F(2.4)
# CIE 15: f(t) = t^(1/3) above (6/29)^3, the tangent below
_CIE, _CIE_SLOPE, _CIE_LINE = F((6 / 29) ** 3), F(29**2 / (3 * 6**2)), F(4 / 29)
# The way back is float64 up to linear RGB: where a primary is nearly 0 it is a small difference of large numbers.
_BACK_ROOT, _BACK_LINE, _BACK_SLOPE = 6 / 29, 4 / 29, 3 * 6**2 / 29**2
_N16, _N116, _N200, _N500 = F(16), F(116), F(200), F(500)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def signed(size, v):
    """Return the size with the sign of v."""
    return size if v > 0 else -size


@njit(inline="always", fastmath=FAST, error_model="numpy")
def decode(v):
    """Return linear light of an sRGB-encoded value."""
    size = abs(v)
    # NaN fails the comparison and goes down the line
    big = size if size > _EDGE else _EDGE
    w = big + _LESS
    lost = _LESS - (w - big) + _LESS_REST  # what the sum has rounded away: w^2.4 grows by 2.4 w^1.4 of it
    high, rest = power(w, _P_DECODE, _LOG_SCALE)
    square = w * w * high
    curve = square + (square * rest + w * high * (_P_LOST * lost))
    return (signed(curve, v) if size < _INFINITE else v) if size > _EDGE else v * _FLAT


@njit(inline="always", fastmath=FAST, error_model="numpy")
def encode(v):
    """Return the sRGB-encoded value of linear light."""
    size = abs(v)
    high, rest = power(size if size > _KNEE else _KNEE, _P_ENCODE, _NONE)
    high *= _GAIN
    curve = high + (high * rest + (high * _GAIN_REST - _LESS))
    return (signed(curve, v) if size < _INFINITE else v) if size > _KNEE else v * _STEEP


@njit(inline="always", fastmath=FAST, error_model="numpy")
def decode_quickly(v):
    """Return linear light of an sRGB-encoded value; relative error below 8e-7."""
    size = abs(v)
    curve = power_2_4((size if size > _EDGE else _EDGE) * _SCALE + _OFFSET)
    return signed(curve, v) if size > _EDGE else v * _FLAT


@njit(inline="always", fastmath=FAST, error_model="numpy")
def lightness(t):
    """Return f(t) of CIELAB."""
    curve = cbrt_single(t if t > _CIE else _CIE)
    return curve if t > _CIE else t * _CIE_SLOPE + _CIE_LINE


@njit(inline="always", fastmath=FAST, error_model="numpy")
def light(f):
    """Return t of f(t), both float64."""
    return f * f * f if f > _BACK_ROOT else (f - _BACK_LINE) * _BACK_SLOPE


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def srgb_to_linear(src, dst):
    """Decode values one by one."""
    wide()
    for j in range(src.size):
        dst[j] = decode(src[j])


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def linear_to_srgb(src, dst):
    """Encode values one by one."""
    wide()
    for j in range(src.size):
        dst[j] = encode(src[j])


@njit(inline="always", fastmath=FAST, error_model="numpy")
def row(matrix, i):
    """Return a row of the matrix."""
    return matrix[3 * i], matrix[3 * i + 1], matrix[3 * i + 2]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def rgb_to_lab(r, g, b, x, y, z, matrix):
    """Convert encoded RGB to CIELAB; the matrix leads from linear RGB to XYZ over white, so that its rows sum to 1."""
    wide()
    work = np.empty((6, BLOCK), np.float32)
    for start in range(0, r.size, BLOCK):
        n = min(BLOCK, r.size - start)
        for k in range(3):
            src = (r if k == 0 else (g if k == 1 else b))[start : start + n]
            dst = work[k]
            for j in range(n):
                dst[j] = decode_quickly(src[j])
        red, green, blue = work[0], work[1], work[2]
        # m0 r + m1 g + m2 b = g + m0 (r - g) + m2 (b - g): greys stay what they are to the last bit
        for j in range(n):
            red[j] -= green[j]
        for j in range(n):
            blue[j] -= green[j]
        for k in range(3):
            m0, _, m2 = row(matrix, k)
            dst = work[3 + k]
            for j in range(n):
                dst[j] = lightness(green[j] + red[j] * m0 + blue[j] * m2)
        fx, fy, fz = work[3], work[4], work[5]
        p, q, s = x[start : start + n], y[start : start + n], z[start : start + n]
        for j in range(n):
            p[j] = fy[j] * _N116 - _N16
        for j in range(n):
            q[j] = (fx[j] - fy[j]) * _N500
        for j in range(n):
            s[j] = (fy[j] - fz[j]) * _N200


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def lab_to_rgb(x, y, z, r, g, b, matrix):
    """Convert CIELAB to encoded RGB; the matrix leads from XYZ over the white point to linear RGB."""
    wide()
    work = np.empty((3, BLOCK), np.float64)
    for start in range(0, x.size, BLOCK):
        n = min(BLOCK, x.size - start)
        p, q, s = x[start : start + n], y[start : start + n], z[start : start + n]
        tx, ty, tz = work[0], work[1], work[2]
        for j in range(n):
            tx[j] = light((p[j] + 16.0) * (1 / 116) + q[j] * (1 / 500))
        for j in range(n):
            ty[j] = light((p[j] + 16.0) * (1 / 116))
        for j in range(n):
            tz[j] = light((p[j] + 16.0) * (1 / 116) - s[j] * (1 / 200))
        for k in range(3):
            m0, m1, m2 = row(matrix, k)
            dst = (r if k == 0 else (g if k == 1 else b))[start : start + n]
            for j in range(n):
                dst[j] = encode(F(tx[j] * m0 + ty[j] * m1 + tz[j] * m2))


_DARK = 1e-30


@njit(inline="always", fastmath=FAST, error_model="numpy")
def odd_root(t):
    """Return the cube root of either sign as two float32 to add; nothing below 1e-30."""
    size = abs(t)
    y, rest = cbrt(size if size > _DARK else _DARK)
    if t < 0:
        y, rest = -y, -rest
    # NaN fails the comparison and passes
    return (y, rest) if size > _DARK else (F(t), _NONE)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def rgb_to_oklab(r, g, b, x, y, z, matrix, mix):
    """Convert encoded RGB to OKLab: linear RGB, a matrix, cube roots, another matrix."""
    wide()
    work = np.empty((9, BLOCK), np.float32)
    for start in range(0, r.size, BLOCK):
        n = min(BLOCK, r.size - start)
        for k in range(3):
            src = (r if k == 0 else (g if k == 1 else b))[start : start + n]
            dst = work[k]
            for j in range(n):
                dst[j] = decode(src[j])
        red, green, blue = work[0], work[1], work[2]
        for k in range(3):
            m0, m1, m2 = row(matrix, k)
            high, low = work[3 + k], work[6 + k]
            for j in range(n):
                high[j], low[j] = odd_root(red[j] * m0 + green[j] * m1 + blue[j] * m2)
        hl, hm, hs, ll, lm, ls = work[3], work[4], work[5], work[6], work[7], work[8]
        for k in range(3):
            m0, m1, m2 = row(mix, k)
            dst = (x if k == 0 else (y if k == 1 else z))[start : start + n]
            for j in range(n):
                first, second, third = np.float64(hl[j]) + ll[j], np.float64(hm[j]) + lm[j], np.float64(hs[j]) + ls[j]
                dst[j] = first * m0 + second * m1 + third * m2


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def oklab_to_rgb(x, y, z, r, g, b, mix, matrix):
    """Convert OKLab to encoded RGB: a matrix, cubes, another matrix."""
    wide()
    work = np.empty((3, BLOCK), np.float64)
    for start in range(0, x.size, BLOCK):
        n = min(BLOCK, x.size - start)
        p, q, s = x[start : start + n], y[start : start + n], z[start : start + n]
        for k in range(3):
            m0, m1, m2 = row(mix, k)
            dst = work[k]
            for j in range(n):
                f = p[j] * m0 + q[j] * m1 + s[j] * m2
                dst[j] = f * f * f
        red, green, blue = work[0], work[1], work[2]
        for k in range(3):
            m0, m1, m2 = row(matrix, k)
            dst = (r if k == 0 else (g if k == 1 else b))[start : start + n]
            for j in range(n):
                dst[j] = encode(F(red[j] * m0 + green[j] * m1 + blue[j] * m2))


_TOE, _LOG_TOE = F(1 / 255), F(math.log10(1 / 255))
_SLOPE, _UNSLOPE = F(255 / math.log(10)), F(math.log(10) / 255)
_LOG10_2, _LOG2_10 = F(math.log10(2)), F(math.log2(10))


@njit(inline="always", fastmath=FAST, error_model="numpy")
def toed_log(t):
    """Return log10(t), below 1/255 its tangent."""
    return log2(t if t > _TOE else _TOE) * _LOG10_2 if t > _TOE else (t - _TOE) * _SLOPE + _LOG_TOE


@njit(inline="always", fastmath=FAST, error_model="numpy")
def toed_exp(t):
    """Return t of `toed_log`."""
    return exp2((t if t > _LOG_TOE else _LOG_TOE) * _LOG2_10) if t > _LOG_TOE else (t - _LOG_TOE) * _UNSLOPE + _TOE


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def rgb_to_l_alpha_beta(r, g, b, x, y, z, matrix, mix):
    """Convert RGB to l-alpha-beta: a matrix, the logarithm, another matrix."""
    wide()
    work = np.empty((3, BLOCK), np.float32)
    for start in range(0, r.size, BLOCK):
        n = min(BLOCK, r.size - start)
        red, green, blue = r[start : start + n], g[start : start + n], b[start : start + n]
        for k in range(3):
            m0, m1, m2 = row(matrix, k)
            dst = work[k]
            for j in range(n):
                dst[j] = toed_log(red[j] * m0 + green[j] * m1 + blue[j] * m2)
        p, q, s = work[0], work[1], work[2]
        for k in range(3):
            m0, m1, m2 = row(mix, k)
            dst = (x if k == 0 else (y if k == 1 else z))[start : start + n]
            for j in range(n):
                dst[j] = p[j] * m0 + q[j] * m1 + s[j] * m2


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def l_alpha_beta_to_rgb(x, y, z, r, g, b, mix, matrix):
    """Convert l-alpha-beta to RGB: a matrix, the exponential, another matrix."""
    wide()
    work = np.empty((3, BLOCK), np.float32)
    for start in range(0, x.size, BLOCK):
        n = min(BLOCK, x.size - start)
        p, q, s = x[start : start + n], y[start : start + n], z[start : start + n]
        for k in range(3):
            m0, m1, m2 = row(mix, k)
            dst = work[k]
            for j in range(n):
                dst[j] = toed_exp(p[j] * m0 + q[j] * m1 + s[j] * m2)
        red, green, blue = work[0], work[1], work[2]
        for k in range(3):
            m0, m1, m2 = row(matrix, k)
            dst = (r if k == 0 else (g if k == 1 else b))[start : start + n]
            for j in range(n):
                dst[j] = red[j] * m0 + green[j] * m1 + blue[j] * m2
