"""Close pairs: two pixels that are each other's mean but for a little. Imported on first use (Numba).

Smoothing leaves what the two have in common, and where both lie between the pixels of the coarser grid that does not
know it either. No pixel is in two pairs: both weights exceed half of their diagonals.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import FAST, MARGIN

_CLOSE = 0.8   # the product of both weights, in parts of the diagonals


@njit(nogil=True, cache=True, fastmath=FAST)
def find(stencil, offsets, inverse, height, width, pitch, tiny, starts, pairs, first, last):
    """Count the pairs of each row into starts; or, if there is room for pairs, write them from starts on.

    A pair is the place of the pixel that comes first, and the weight that leads to the other. One that less than `tiny`
    holds is rounding, and left alone.
    """
    steps = (1, pitch, pitch + 1, pitch - 1)
    found, close, most = np.zeros(width, np.uint8), inverse.dtype.type(_CLOSE), inverse.dtype.type(1 - tiny)
    for i in range(first, last):
        p, total = (i + 1) * pitch + MARGIN, 0
        found[:] = 0
        own = inverse[p : p + width]
        for k in range(4):
            q = p + steps[k]
            there, back = stencil[offsets[2 * k] + p :][:width], stencil[offsets[2 * k + 1] + q :][:width]
            other = inverse[q : q + width]
            for j in range(width):
                product = (there[j] * own[j]) * (back[j] * other[j])
                found[j] = k + 1 if product > close and product < most else found[j]
        for j in range(width):
            total += found[j] > 0
        if not len(pairs):
            starts[i] = total
        elif total:
            at = starts[i]
            for j in range(width):
                if found[j]:
                    pairs[at, 0], pairs[at, 1] = p + j, 2 * (found[j] - 1)
                    at += 1


@njit(nogil=True, cache=True, fastmath=FAST)
def solve(pairs, steps, x, rhs, stencil, offsets, inverse, pitch, size, first, last):
    """Write into steps[plane, pair] what solves the equations of both pixels."""
    ways = (1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1)
    one = x.dtype.type(1)
    for m in range(first, last):
        p, k = pairs[m]
        q = p + ways[k]
        there, back = stencil[offsets[k] + p] * inverse[p], stencil[offsets[k + 1] + q] * inverse[q]
        for n in range(len(steps)):
            at, to = n * size + p, n * size + q
            left, right = rhs[at], rhs[to]
            for d in range(8):
                left += stencil[offsets[d] + p] * x[at + ways[d]]
                right += stencil[offsets[d] + q] * x[to + ways[d]]
            left, right = left * inverse[p] - x[at], right * inverse[q] - x[to]
            scale = one / (one - there * back)
            steps[n, m, 0], steps[n, m, 1] = scale * (left + there * right), scale * (right + back * left)


@njit(nogil=True, cache=True)
def add(pairs, steps, x, pitch, size, first, last):
    """Add the steps to x."""
    ways = (1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1)
    for m in range(first, last):
        p, k = pairs[m]
        for n in range(len(steps)):
            x[n * size + p] += steps[n, m, 0]
            x[n * size + p + ways[k]] += steps[n, m, 1]
