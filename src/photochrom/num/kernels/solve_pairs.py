"""Close pairs: two pixels that are each other's mean but for a little. Imported on first use (Numba).

Smoothing leaves what the two have in common, and where both lie between the pixels of the coarser grid that does not
know it either. No pixel is in two pairs: both weights exceed half of their diagonals.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import FAST, MARGIN


@njit(nogil=True, cache=True, fastmath=FAST)
def find(stencil, offsets, inverse, height, width, pitch, least, most, starts, pairs, first, last):
    """Count the pairs of each row into starts; or, if there is room for pairs, write them from starts on.

    A pair is the place of the pixel that comes first, and the weight that leads to the other.

    Args:
        least, most: of the product of both weights, in parts of the diagonals.
    """
    steps = (1, pitch, pitch + 1, pitch - 1)
    found = np.zeros(width, np.uint8)
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
                found[j] = k + 1 if least < product < most else found[j]
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


@njit(nogil=True, cache=True)
def settle(pairs, x, product, rhs, stencil, offsets, diagonal, inverse, planes, pitch, size):
    """Change x so that the equations of both pixels of each pair hold; product, A x, follows.

    All pairs at once from the same x, one after the other: there are few, and what they change may overlap.
    """
    ways = (1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1)
    zero, one = x.dtype.type(0), x.dtype.type(1)
    change = np.empty((len(pairs), 2, planes), x.dtype)
    for m in range(len(pairs)):
        p, k = pairs[m]
        q = p + ways[k]
        there, back = stencil[offsets[k] + p] * inverse[p], stencil[offsets[k + 1] + q] * inverse[q]
        scale = one / (one - there * back)
        for n in range(planes):
            here, other = n * size + p, n * size + q
            left, right = (rhs[here] - product[here]) * inverse[p], (rhs[other] - product[other]) * inverse[q]
            change[m, 0, n], change[m, 1, n] = scale * (left + there * right), scale * (right + back * left)
    for m in range(len(pairs)):
        for side in range(2):
            place = pairs[m, 0] + (ways[pairs[m, 1]] if side else 0)
            for n in range(planes):
                at, step = n * size + place, change[m, side, n]
                x[at] += step
                product[at] += diagonal[place] * step
                for d in range(8):
                    near = place + ways[d]
                    if inverse[near] > zero:
                        product[n * size + near] -= stencil[offsets[d ^ 1] + near] * step
