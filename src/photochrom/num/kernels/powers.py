"""Powers, logarithms and exponentials of float32 values as short polynomials, in loops that vectorise.

`tests/num/test_powers.py` tries every mantissa and holds the relative errors to what is said here. Each looks at one
value and no other, so that a value gives the same bits wherever it stands. They are compiled into the kernels that call
them: after a change here, touch those files too, or Numba's cache keeps the old ones. Imported on first use only.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def"

from __future__ import annotations

import numpy as np
from llvmlite import binding
from numba import njit, types
from numba.extending import intrinsic

F, N = np.float32, np.int32
FAST = {"contract", "nsz"}

_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))


@intrinsic
def wide(context):
    """Ask for vectors of 512 bits in the kernel that calls this, where there are any: LLVM keeps to half by itself.

    In `spaces.rgb_to_lab` that is 2.5 ns a pixel instead of 3.3, with the same bits.
    """

    def generate(ctx, b, signature, args):
        if _WIDE:
            # llvmlite lists the attributes it knows, and this one is not among them
            set.add(b.function.attributes, '"prefer-vector-width"="512"')
        return ctx.get_dummy_value()

    return types.void(), generate


_HALF_ROOT = N(0x3F3504F3)  # the bits of sqrt(1/2): mantissas are taken from sqrt(1/2) to sqrt(2)
_SHIFT, _BIAS = N(23), N(127)
_ROUND = F(12582912)  # 1.5 * 2^23: adding it leaves no room for a fraction
_ONE, _TOP = F(1), F(128)

# log2((1 + s) / (1 - s)) / s as a polynomial in s^2, |s| <= 0.1716: least greatest relative error, 8e-10
_L0, _L1, _L2, _L3 = F(2.88539008), F(0.96179848), F(0.57673973), F(0.43123944)
# 2^f on [-1/2, 1/2]: likewise, 2e-9, the first coefficient then set to 1 to keep 2^0
_E1, _E2, _E3 = F(0.693147206), F(0.240226469), F(0.0555032878)
_E4, _E5, _E6 = F(0.00961848896), F(0.00133999312), F(0.000153458119)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def parts(x):
    """Return e and m with log2(x) = e + m, of a positive normal number; m lies between -1/2 and 1/2."""
    bits = np.float32(x).view(np.int32)
    e = N(N(bits - _HALF_ROOT) >> _SHIFT)
    c = np.int32(bits - N(e << _SHIFT)).view(np.float32)
    s = (c - _ONE) / (c + _ONE)
    q = s * s
    return F(e), s * (_L0 + q * (_L1 + q * (_L2 + q * _L3)))


@njit(inline="always", fastmath=FAST, error_model="numpy")
def scale(n):
    """Return 2^n of a whole n from -126 to 127."""
    return np.int32(N(N(n) + _BIAS) << _SHIFT).view(np.float32)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def rise(f):
    """Return 2^f - 1, f between -1/2 and 1/2."""
    return f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))


@njit(inline="always", fastmath=FAST, error_model="numpy")
def exp2(t):
    """Return 2^t for t from -126, infinity from 127.5; relative error below 1.5e-7."""
    t = t if t < _TOP else _TOP
    n = (t + _ROUND) - _ROUND
    return (_ONE + rise(t - n)) * scale(n)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def power(x, p, gain):
    """Return a and b with 2^gain x^p = a (1 + b), of a positive normal number; p from 0 to 1, error below 3e-7.

    The caller adds 1 last, where it rounds least.
    """
    e, m = parts(x)
    n = (e * p + m * p + gain + _ROUND) - _ROUND
    return scale(n), rise((e * p - n) + (m * p + gain))


@njit(inline="always", fastmath=FAST, error_model="numpy")
def log2(x):
    """Return the binary logarithm of a positive normal number; error below 1.2e-7 times the larger of 1 and itself."""
    e, m = parts(x)
    return e + m


# the bits of x^(-1/3) are about this less a third of the bits of x
_MAGIC, _THIRD = F(1419967116), F(1 / 3)
_C1, _C2, _C3 = F(1 / 3), F(2 / 9), F(14 / 81)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def inverse_cbrt(x):
    """Return x^(-1/3) of a positive normal number; error below 1e-4."""
    bits = F(np.float32(x).view(np.int32))
    r = np.int32(_MAGIC - bits * _THIRD).view(np.float32)
    # r nears x^(-1/3) = r (1 - h)^(-1/3), h = 1 - x r^3: three terms of the series
    h = _ONE - (x * r) * (r * r)
    return r + r * h * (_C1 + h * (_C2 + h * _C3))


@njit(inline="always", fastmath=FAST, error_model="numpy")
def cbrt(x):
    """Return the cube root of a positive float64 of float32's range as two float32 to add; error below 1e-8."""
    single = F(x)
    r = inverse_cbrt(single)
    square = r * r
    y = single * square
    # one step of Newton's on y^3 = x; y + this would round
    return y, F(x - np.float64(y) * y * y) * (square * _C1)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def cbrt_single(x):
    """Return the cube root of a positive normal number; error below 1e-7."""
    r = inverse_cbrt(x)
    square = r * r
    y = x * square
    return y + (x - y * (y * y)) * (square * _C1)


# likewise x^(-1/5), and the series of (1 - h)^(-1/5)
_MAGIC_5, _FIFTH = F(1.2 * 0x3F800000 - 0.0435 * 2**23), F(1 / 5)
_Q1, _Q2, _Q3 = F(1 / 5), F(3 / 25), F(11 / 125)


@njit(inline="always", fastmath=FAST, error_model="numpy")
def power_2_4(x):
    """Return x^2.4 of a positive normal number as (x x^(-1/5))^3; error below 8e-7, at half the cost of `power`."""
    bits = F(np.float32(x).view(np.int32))
    r = np.int32(_MAGIC_5 - bits * _FIFTH).view(np.float32)
    square = r * r
    h = _ONE - (x * r) * (square * square)
    r += r * h * (_Q1 + h * (_Q2 + h * _Q3))
    square = r * r
    h = _ONE - (x * r) * (square * square)
    p = x * (r + r * h * _Q1)
    return p * p * p
