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


@njit(nogil=True, cache=True, fastmath=FAST)
def shares(images, r, sums, slots, now, used, planes, size, first, last):
    """Write the products of the image in slot `now` with those in use, and with r, into sums[unit, slots + 1, n]."""
    for unit in range(first, last):
        for n in range(planes):
            for start in range(unit * CHUNK, min(size, unit * CHUNK + CHUNK), PIECE):
                stop = min(size, unit * CHUNK + CHUNK, start + PIECE)
                own = images[(now * planes + n) * size + start : (now * planes + n) * size + stop]
                for slot in range(used):
                    other = images[(slot * planes + n) * size + start : (slot * planes + n) * size + stop]
                    part = images.dtype.type(0)
                    for j in range(stop - start):
                        part += own[j] * other[j]
                    sums[(unit * (slots + 1) + slot) * planes + n] += part
                other, part = r[n * size + start : n * size + stop], images.dtype.type(0)
                for j in range(stop - start):
                    part += own[j] * other[j]
                sums[(unit * (slots + 1) + slots) * planes + n] += part


@njit(nogil=True, cache=True, fastmath=FAST)
def descend(x, r, ways, images, now, used, beta, alpha, sums, largest, planes, size, first, last):
    """Take a step; see `Vectors.descend`. Writes squares into sums[unit, 2, n], changes of x into largest[unit, n]."""
    high = np.zeros(PIECE, x.dtype)
    for unit in range(first, last):
        for n in range(planes):
            left, square, a = 0.0, 0.0, alpha[n]
            high[:] = 0
            for start in range(unit * CHUNK, min(size, unit * CHUNK + CHUNK), PIECE):
                stop = min(size, unit * CHUNK + CHUNK, start + PIECE)
                at = (now * planes + n) * size
                way, image = ways[at + start : at + stop], images[at + start : at + stop]
                for slot in range(used):
                    if slot == now:
                        continue
                    b, at = beta[slot * planes + n], (slot * planes + n) * size
                    other, its = ways[at + start : at + stop], images[at + start : at + stop]
                    for j in range(stop - start):
                        way[j] -= b * other[j]
                    for j in range(stop - start):
                        image[j] -= b * its[j]
                here, rest = x[n * size + start : n * size + stop], r[n * size + start : n * size + stop]
                part, part_left = x.dtype.type(0), x.dtype.type(0)
                for j in range(stop - start):
                    step = a * way[j]
                    here[j] += step
                    d = abs(step)
                    high[j] = high[j] if high[j] >= d else d  # so that NaN wins
                for j in range(stop - start):
                    rest[j] -= a * image[j]
                for j in range(stop - start):
                    part += image[j] * image[j]
                    part_left += rest[j] * rest[j]
                square += part
                left += part_left
            sums[2 * unit * planes + n], sums[(2 * unit + 1) * planes + n] = left, square
            largest[unit * planes + n] = high.max()
