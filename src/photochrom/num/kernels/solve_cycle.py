"""Half cycles of multigrid: smoothing and the way to the coarser grid in one pass over memory, and the way back.

A block of rows is smoothed with a halo of its neighbours' rows, out of place, so that blocks are independent and the
result depends neither on the block a thread takes nor on the number of threads. Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import FAST, MARGIN, defect, prolong, relax, restrict, split

HALO = 5  # rows of scratch on each side of a block: two for the restricted residual, one for each smoothing step


@njit(nogil=True, cache=True)
def smooth(
    x, x_at, x_row, rhs, q0, row0, lo, hi, height, width, pitch, stencil, offsets, inverse, kind, omegas, skip, a, b,
    acc,
):  # fmt: skip
    """Apply the smoothing steps to image rows [lo, hi); return which scratch (0: a, 1: b) holds the result.

    x_at is the place of image row x_row in x; row0 the image row of scratch row 0; `skip` steps are done already.
    Each step needs one more row on each side than the step after it, and follows the step before it one row behind:
    the rows of all steps stay in the nearest cache. Two scratches do for any number of steps, since no step reads again
    the rows above the one that the step after its successor writes.
    """
    steps = omegas.size
    most = steps - 1 - skip
    for t in range(lo - most, hi + 2 * most):
        for k in range(skip, steps):
            i, margin = t - (k - skip), steps - 1 - k
            if i < max(0, lo - margin) or i >= min(height, hi + margin):
                continue
            p = (i + 1) * pitch + MARGIN
            to = (i - row0 + 1) * pitch + MARGIN
            if k == skip:
                at = x_at + (i - x_row) * pitch
                relax(acc, x, at, pitch, width, stencil, offsets, inverse, p, rhs, q0 + p, kind, omegas[k], a, to)
            elif (k - skip) % 2 == 1:
                relax(acc, a, to, pitch, width, stencil, offsets, inverse, p, rhs, q0 + p, kind, omegas[k], b, to)
            else:
                relax(acc, b, to, pitch, width, stencil, offsets, inverse, p, rhs, q0 + p, kind, omegas[k], a, to)
    return most % 2


@njit(nogil=True, cache=True)
def clear(a, row0, rows, height, pitch):
    """Zero the scratch rows that lie outside the picture."""
    for r in range(rows):
        if row0 + r < 0 or row0 + r >= height:
            a[r * pitch + pitch + MARGIN : r * pitch + 2 * pitch + MARGIN] = 0


@njit(nogil=True, cache=True, fastmath=FAST)
def down(
    x, rhs, out, coarse, planes, plane, coarse_plane, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
    inverse, kind, transfer, size, omegas, zero, block, first, last,
):  # fmt: skip
    """Smooth x (zero if `zero`) into out and write its restricted residual into coarse."""
    rows = block + 2 * HALO
    a, b = np.zeros((rows + 2) * pitch + 2 * MARGIN, x.dtype), np.zeros((rows + 2) * pitch + 2 * MARGIN, x.dtype)
    acc = np.zeros(width, x.dtype)
    half = (width + 1) // 2
    span = half + 1
    even, odd = np.zeros((block + 2) * span + 1, x.dtype), np.zeros((block + 2) * span + 1, x.dtype)
    steps = omegas.size
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        clear(a, row0, rows, height, pitch)
        clear(b, row0, rows, height, pitch)
        for n in range(planes):
            q0 = n * plane
            which = 0
            lo, hi = i0 - 2, i1 + 2
            if zero:
                for i in range(max(0, lo - steps + 1), min(height, hi + steps - 1)):
                    p, to = (i + 1) * pitch + MARGIN, (i - row0 + 1) * pitch + MARGIN
                    right, d, target = rhs[q0 + p : q0 + p + width], inverse[p : p + width], a[to : to + width]
                    for j in range(width):
                        target[j] = omegas[0] * (d[j] * right[j])
                if steps > 1:
                    which = 1 - smooth(
                        a, pitch + MARGIN, row0, rhs, q0, row0, lo, hi, height, width, pitch, stencil, offsets,
                        inverse, kind, omegas, 1, b, a, acc,
                    )  # fmt: skip
            else:
                which = smooth(
                    x, q0 + pitch + MARGIN, 0, rhs, q0, row0, lo, hi, height, width, pitch, stencil, offsets,
                    inverse, kind, omegas, 0, a, b, acc,
                )  # fmt: skip
            holder, shift = (a if which == 0 else b), -row0 * pitch
            for i in range(i0, i1):
                p = (i + 1) * pitch + MARGIN
                source, target = holder[shift + p : shift + p + width], out[q0 + p : q0 + p + width]
                for j in range(width):
                    target[j] = source[j]
            for i in range(i0 - 1, i1 + 1):
                to = (i - i0 + 1) * span + 1
                if i < 0 or i >= height:
                    even[to : to + half] = 0
                    odd[to : to + half] = 0
                    continue
                p = (i + 1) * pitch + MARGIN
                defect(acc, holder, shift + p, pitch, width, stencil, offsets, diagonal, p, rhs, q0 + p, kind)
                split(acc, width, even, odd, to)
            for i in range(i0, i1, 2):
                p = (i // 2 + 1) * coarse_pitch + MARGIN
                to = n * coarse_plane + p
                restrict(
                    even, odd, (i - i0 + 1) * span + 1, span, transfer, size, p, coarse_pitch, half,
                    coarse[to : to + half],
                )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FAST)
def up(
    x, rhs, out, coarse, change, planes, plane, coarse_plane, height, width, pitch, coarse_pitch, stencil, offsets,
    inverse, kind, transfer, size, omegas, weight, zero, block, first, last,
):  # fmt: skip
    """Correct x by P e, smooth the sum y, and go from out (zero if `zero`) to out + weight (y - out).

    Writes the largest |y - out| into change[unit, n].
    """
    rows = block + 2 * HALO
    a, b = np.zeros((rows + 2) * pitch + 2 * MARGIN, x.dtype), np.zeros((rows + 2) * pitch + 2 * MARGIN, x.dtype)
    acc, largest = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
    half = (width + 1) // 2
    even, odd = np.zeros(half, x.dtype), np.zeros(half, x.dtype)
    steps = omegas.size
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        clear(a, row0, rows, height, pitch)
        clear(b, row0, rows, height, pitch)
        for n in range(planes):
            q0 = n * plane
            for i in range(max(0, i0 - steps), min(height, i1 + steps)):
                p, to = (i // 2 + 1) * coarse_pitch + MARGIN, (i - row0 + 1) * pitch + MARGIN
                prolong(
                    coarse, n * coarse_plane + p, coarse_pitch, transfer, size, p, half, i % 2 == 1, even, odd
                )  # fmt: skip
                target = a[to : to + width]
                for j in range(width // 2):
                    target[2 * j] = even[j]
                    target[2 * j + 1] = odd[j]
                if width % 2:
                    target[width - 1] = even[half - 1]
                q = q0 + (i + 1) * pitch + MARGIN
                old = x[q : q + width]
                for j in range(width):
                    target[j] += old[j]
            which = 1 - smooth(
                a, pitch + MARGIN, row0, rhs, q0, row0, i0, i1, height, width, pitch, stencil, offsets, inverse, kind,
                omegas, 0, b, a, acc,
            )  # fmt: skip
            holder, shift = (a if which == 0 else b), -row0 * pitch
            largest[:] = 0
            for i in range(i0, i1):
                p = (i + 1) * pitch + MARGIN
                q = q0 + p
                source, target = holder[shift + p : shift + p + width], out[q : q + width]
                if zero:
                    for j in range(width):
                        d = abs(source[j])
                        target[j] = weight * source[j]
                        largest[j] = d if d > largest[j] else largest[j]
                else:
                    for j in range(width):
                        step = source[j] - target[j]
                        target[j] += weight * step
                        d = abs(step)
                        largest[j] = d if d > largest[j] else largest[j]
            change[unit * planes + n] = largest.max()


@njit(nogil=True, cache=True, fastmath=FAST)
def residual(
    x, rhs, out, sums, planes, plane, height, width, pitch, stencil, offsets, diagonal, inverse, kind, block, first,
    last,
):  # fmt: skip
    """Write the residual b - A x into out, 0 at known pixels, and the sum of its squares into sums[unit, n]."""
    acc = np.zeros(width, x.dtype)
    none = x.dtype.type(0)
    for unit in range(first, last):
        for n in range(planes):
            total = 0.0
            for i in range(unit * block, min(height, unit * block + block)):
                p = (i + 1) * pitch + MARGIN
                q = n * plane + p
                defect(acc, x, q, pitch, width, stencil, offsets, diagonal, p, rhs, q, kind)
                target, d = out[q : q + width], inverse[p : p + width]
                for j in range(width):
                    target[j] = acc[j] if d[j] > none else none
                part = none
                for j in range(width):
                    part += target[j] * target[j]
                total += part
            sums[unit * planes + n] = total
