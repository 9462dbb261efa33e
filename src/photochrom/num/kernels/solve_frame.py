"""From pictures to the solver's padded storage and back. Imported on first use (Numba).

A frame is rows top .. top + height and columns left .. left + width of a contiguous picture of full_width columns.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import MARGIN


@njit(nogil=True, cache=True, error_model="numpy")
def operator(unknown, given, diagonal, inverse, height, width, pitch, first, last):
    """Lay out the diagonal, and its inverse at unknown pixels, 0 elsewhere."""
    zero, one = inverse.dtype.type(0), inverse.dtype.type(1)
    for i in range(first, last):
        p = (i + 1) * pitch + MARGIN
        source, marks = given[i * width : (i + 1) * width], unknown[i * width : (i + 1) * width]
        d, target = diagonal[p : p + width], inverse[p : p + width]
        for j in range(width):
            d[j] = source[j]
            target[j] = one / source[j] if marks[j] and source[j] > zero else zero


@njit(nogil=True, cache=True)
def hollow(unknown, runs, diagonal, inverse, height, width, pitch, first, last):
    """Lay out the diagonal and its inverse for weights of 1, but for what `runs` says nothing is written about."""
    zero, one, four = inverse.dtype.type(0), inverse.dtype.type(1), inverse.dtype.type(4)
    for i in range(first, last):
        p, left, right = (i + 1) * pitch + MARGIN, runs[i, 4], runs[i, 5]
        for start, stop in ((0, left), (right, width)) if right > left else ((0, width), (width, width)):
            for j in range(start, stop):
                d = four - (i == 0) - (i == height - 1) - (j == 0) - (j == width - 1)
                diagonal[p + j] = d
                inverse[p + j] = one / d if unknown[i * width + j] and d > zero else zero


@njit(nogil=True, cache=True)
def enter(
    unknown, rhs, boundary, start, x, b, largest, planes, plane, full_plane, full_width, top, left, height, width,
    pitch, block, first, last,
):  # fmt: skip
    """Lay out rhs into b and (start at unknown, boundary at known pixels) into x; an empty array stands for zeros.

    Raises largest[unit] to the largest |x|. What is not finite does not count: known pixels far from any unknown are
    never read again.
    """
    zero = b.dtype.type(0)
    top_value = np.zeros(width, b.dtype)
    for unit in range(first, last):
        top_value[:] = zero
        for n in range(planes):
            for i in range(unit * block, min(height, unit * block + block)):
                q = n * plane + (i + 1) * pitch + MARGIN
                s = n * full_plane + (top + i) * full_width + left
                source, target = rhs[s : s + width], b[q : q + width]
                for j in range(width):
                    target[j] = source[j]
                if x.size == 0:
                    continue
                marks, out = unknown[i * width : (i + 1) * width], x[q : q + width]
                if boundary.size and start.size:
                    outer, inner = boundary[s : s + width], start[s : s + width]
                    for j in range(width):
                        out[j] = inner[j] if marks[j] else outer[j]
                elif boundary.size:
                    outer = boundary[s : s + width]
                    for j in range(width):
                        out[j] = zero if marks[j] else outer[j]
                else:
                    inner = start[s : s + width]
                    for j in range(width):
                        out[j] = inner[j] if marks[j] else zero
                for j in range(width):
                    d = abs(out[j])
                    top_value[j] = d if d > top_value[j] else top_value[j]
        high = zero
        for j in range(width):
            if top_value[j] > high and top_value[j] < np.inf:
                high = top_value[j]
        largest[unit] = high


@njit(nogil=True, cache=True)
def remainder(
    x, b, stencil, offsets, excess, inverse, planes, plane, height, width, pitch, kind, first, last
):  # fmt: skip
    """Replace b by b - A x at unknown pixels, 0 elsewhere, from differences: b + sum_k w_k (x_k - x) - s x.

    Differences of neighbours are exact or nearly so. The rounding of D x - sum_k w_k x_k leans to one side in smooth
    pictures, and a residual off by 1e-8 everywhere moves the middle of 2000 pixels by a grey level. So no fastmath.
    """
    steps = (1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1)
    zero = b.dtype.type(0)
    acc = np.zeros(width, b.dtype)
    for i in range(first, last):
        p = (i + 1) * pitch + MARGIN
        d = inverse[p : p + width]
        # a row beyond the frame is no neighbour: the row itself stands in, its difference is 0
        up, down = (0 if i == 0 else -pitch), (0 if i == height - 1 else pitch)
        for n in range(planes):
            q = n * plane + p
            right, here = b[q : q + width], x[q : q + width]
            if kind == 0:
                above, below = x[q + up : q + up + width], x[q + down : q + down + width]
                before, after = x[q - 1 : q - 1 + width], x[q + 1 : q + 1 + width]
                for j in range(width):
                    acc[j] = (above[j] - here[j]) + (below[j] - here[j])
                first_column, last_column = acc[0], acc[width - 1]
                for j in range(width):
                    acc[j] += (before[j] - here[j]) + (after[j] - here[j])
                if width > 1:
                    acc[0] = first_column + (here[1] - here[0])
                    acc[width - 1] = last_column + (here[width - 2] - here[width - 1])
                else:
                    acc[0] = first_column
            else:
                acc[:] = zero
                for k in range(kind):
                    other = x[q + steps[k] : q + steps[k] + width]
                    w = stencil[offsets[k] + p : offsets[k] + p + width]
                    for j in range(width):
                        acc[j] += w[j] * (other[j] - here[j])
            if excess.size:
                s = excess[i * width : (i + 1) * width]
                for j in range(width):
                    acc[j] -= s[j] * here[j]
            for j in range(width):
                right[j] = right[j] + acc[j] if d[j] > zero else zero


@njit(nogil=True, cache=True)
def leave(
    x, e, out, planes, plane, full_plane, full_width, top, left, height, width, pitch, first, last
):  # fmt: skip
    """Write x + e into the frame of a picture; an empty x stands for zeros."""
    for i in range(first, last):
        for n in range(planes):
            q = n * plane + (i + 1) * pitch + MARGIN
            s = n * full_plane + (top + i) * full_width + left
            source, target = e[q : q + width], out[s : s + width]
            if x.size:
                old = x[q : q + width]
                for j in range(width):
                    target[j] = old[j] + source[j]
            else:
                for j in range(width):
                    target[j] = source[j]
