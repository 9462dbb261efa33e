"""Sums and products of the solver's vectors, planes of `size` values cut into chunks. Imported on first use (Numba)."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import FAST

CHUNK = 1 << 15
PIECE = 1024  # values added up in their own precision before float64 takes over


@njit(nogil=True, cache=True, fastmath=FAST)
def update(y, x, alpha, beta, planes, size, first, last):
    """Write y = alpha x + beta y, with factors of their own for each plane; beta 0 does not read y."""
    for unit in range(first, last):
        for n in range(planes):
            lo, hi = n * size + unit * CHUNK, n * size + min(size, unit * CHUNK + CHUNK)
            source, target = x[lo:hi], y[lo:hi]
            a, b = alpha[n], beta[n]
            if b == 0:
                for j in range(hi - lo):
                    target[j] = a * source[j]
            else:
                for j in range(hi - lo):
                    target[j] = a * source[j] + b * target[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def advance(x, y, alpha, r, v, beta, other, sums, planes, size, first, last):
    """Write x + alpha y into x and r + beta v into r, and the products of the latter with other into sums[unit, n]."""
    for unit in range(first, last):
        for n in range(planes):
            lo, hi = n * size + unit * CHUNK, n * size + min(size, unit * CHUNK + CHUNK)
            total = 0.0
            a, b = alpha[n], beta[n]
            for start in range(lo, hi, PIECE):
                stop = min(hi, start + PIECE)
                here, step, there = x[start:stop], y[start:stop], other[start:stop]
                left, change = r[start:stop], v[start:stop]
                part = x.dtype.type(0)
                for j in range(stop - start):
                    here[j] += a * step[j]
                for j in range(stop - start):
                    left[j] += b * change[j]
                for j in range(stop - start):
                    part += left[j] * there[j]
                total += part
            sums[unit * planes + n] = total


@njit(nogil=True, cache=True, fastmath=FAST)
def dots(x, y, sums, planes, size, first, last):
    """Write the inner products of the chunks into sums[unit, n]."""
    for unit in range(first, last):
        for n in range(planes):
            lo, hi = n * size + unit * CHUNK, n * size + min(size, unit * CHUNK + CHUNK)
            total = 0.0
            for start in range(lo, hi, PIECE):
                stop = min(hi, start + PIECE)
                a, b = x[start:stop], y[start:stop]
                part = x.dtype.type(0)
                for j in range(stop - start):
                    part += a[j] * b[j]
                total += part
            sums[unit * planes + n] = total


@njit(nogil=True, cache=True)
def peaks(x, largest, planes, size, first, last):
    """Write the largest absolute values of the chunks into largest[unit, n]."""
    high = np.zeros(PIECE, x.dtype)
    for unit in range(first, last):
        for n in range(planes):
            lo, hi = n * size + unit * CHUNK, n * size + min(size, unit * CHUNK + CHUNK)
            high[:] = 0
            for start in range(lo, hi, PIECE):
                a = x[start : min(hi, start + PIECE)]
                for j in range(a.size):
                    d = abs(a[j])
                    high[j] = high[j] if high[j] >= d else d  # so that NaN wins
            largest[unit * planes + n] = high.max()
