"""Half cycles of multigrid: smoothing and the way to the coarser grid in one pass over memory, and the way back.

A block of rows is smoothed with a halo of its neighbours' rows, out of place, so that blocks are independent and the
result depends neither on the block a thread takes nor on the number of threads. Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import (
    FAST,
    MARGIN,
    defect,
    defect_uniform,
    prolong,
    prolong_uniform,
    relax,
    relax_uniform,
    restrict,
    restrict_uniform,
    split,
)

HALO = 5  # rows of scratch on each side of a block: five smoothing steps, or three and two for the residual


@njit(nogil=True, forceinline=True, _nrt=False)
def _relax(x, at, pitch, width, stencil, offsets, inverse, p, lo, hi, uniform, rhs, q, kind, omega, out, to):
    """Take a step on a row: its run, and what lies on both sides of it."""
    if hi > lo:
        relax_uniform(x, at + lo, pitch, hi - lo, uniform, rhs, q + lo, omega, out, to + lo)
        relax(x, at, pitch, lo, stencil, offsets, inverse, p, rhs, q, kind, omega, out, to)
    else:
        hi = 0
    relax(x, at + hi, pitch, width - hi, stencil, offsets, inverse, p + hi, rhs, q + hi, kind, omega, out, to + hi)


@njit(nogil=True, _nrt=False)
def smooth(
    x, x_at, x_row, rhs, q0, row0, lo, hi, height, width, pitch, stencil, offsets, inverse, runs, uniform, kind, omegas,
    skip, a, b,
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
            q, begin, end = q0 + p, runs[i, 0], runs[i, 1]
            if k == skip:
                _relax(
                    x, x_at + (i - x_row) * pitch, pitch, width, stencil, offsets, inverse, p, begin, end, uniform, rhs,
                    q, kind, omegas[k], a, to,
                )  # fmt: skip
            elif (k - skip) % 2 == 1:
                _relax(
                    a, to, pitch, width, stencil, offsets, inverse, p, begin, end, uniform, rhs, q, kind, omegas[k],
                    b, to,
                )  # fmt: skip
            else:
                _relax(
                    b, to, pitch, width, stencil, offsets, inverse, p, begin, end, uniform, rhs, q, kind, omegas[k],
                    a, to,
                )  # fmt: skip
    return most % 2


@njit(nogil=True, _nrt=False)
def clear(a, row0, rows, height, pitch):
    """Zero the scratch rows that lie outside the picture."""
    for r in range(rows):
        if row0 + r < 0 or row0 + r >= height:
            a[r * pitch + pitch + MARGIN : r * pitch + 2 * pitch + MARGIN] = 0


@njit(nogil=True, cache=True, fastmath=FAST)
def down(
    x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last,
):  # fmt: skip
    """Smooth x (zero if `zero`) into out and write its restricted residual into coarse."""
    scratch = (block + 2 * HALO + 2) * pitch + 2 * MARGIN
    a, b, left = np.zeros(scratch, x.dtype), np.zeros(scratch, x.dtype), np.zeros(width, x.dtype)
    half = (block + 2) * ((width + 1) // 2 + 1) + 1
    even, odd = np.zeros(half, x.dtype), np.zeros(half, x.dtype)
    _down(
        x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
        inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last, a, b, left, even, odd,
    )  # fmt: skip


@njit(nogil=True, _nrt=False, fastmath=FAST)
def _down(
    x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last, a, b, left, even, odd,
):  # fmt: skip
    rows, half, steps = block + 2 * HALO, (width + 1) // 2, omegas.size
    span = half + 1
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        clear(a, row0, rows, height, pitch)
        clear(b, row0, rows, height, pitch)
        for n in range(planes):
            q0 = n * size
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
                        inverse, runs, uniform, kind, omegas, 1, b, a,
                    )  # fmt: skip
            else:
                which = smooth(
                    x, q0 + pitch + MARGIN, 0, rhs, q0, row0, lo, hi, height, width, pitch, stencil, offsets,
                    inverse, runs, uniform, kind, omegas, 0, a, b,
                )  # fmt: skip
            holder, shift = (a, -row0 * pitch) if which == 0 else (b, -row0 * pitch)
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
                at, q = shift + p, q0 + p
                lo, hi = runs[i, 0], runs[i, 1]
                if hi > lo:
                    defect_uniform(holder, at + lo, pitch, hi - lo, uniform, rhs, q + lo, left, lo)
                    defect(holder, at, pitch, lo, stencil, offsets, diagonal, p, rhs, q, kind, left, 0)
                else:
                    hi = 0
                defect(
                    holder, at + hi, pitch, width - hi, stencil, offsets, diagonal, p + hi, rhs, q + hi, kind, left, hi
                )  # fmt: skip
                split(left, width, even, odd, to)
            for i in range(i0, i1, 2):
                p = (i // 2 + 1) * coarse_pitch + MARGIN
                at, to = (i - i0 + 1) * span + 1, n * coarse_size + p
                lo, hi = coarse_runs[i // 2, 0], coarse_runs[i // 2, 1]
                if hi > lo:
                    restrict_uniform(even, odd, at + lo, span, hi - lo, coarse, to + lo)
                    restrict(even, odd, at, span, transfer, coarse_size, p, coarse_pitch, lo, coarse, to)
                else:
                    hi = 0
                restrict(
                    even, odd, at + hi, span, transfer, coarse_size, p + hi, coarse_pitch, half - hi,
                    coarse, to + hi,
                )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FAST)
def up(
    x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, block, first, last,
):  # fmt: skip
    """Correct x by P e, smooth the sum y, and go from out (zero if `zero`) to out + weight (y - out).

    Writes the largest |y - out| into change[unit, n].
    """
    scratch = (block + 2 * HALO + 2) * pitch + 2 * MARGIN
    a, b, largest = np.zeros(scratch, x.dtype), np.zeros(scratch, x.dtype), np.zeros(width, x.dtype)
    even, odd = np.zeros((width + 1) // 2, x.dtype), np.zeros((width + 1) // 2, x.dtype)
    _up(
        x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
        inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, block, first, last, a, b, largest,
        even, odd,
    )  # fmt: skip


@njit(nogil=True, _nrt=False, fastmath=FAST)
def _up(
    x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, block, first, last, a, b, largest, even,
    odd,
):  # fmt: skip
    rows, half, steps = block + 2 * HALO, (width + 1) // 2, omegas.size
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        clear(a, row0, rows, height, pitch)
        clear(b, row0, rows, height, pitch)
        for n in range(planes):
            q0 = n * size
            for i in range(max(0, i0 - steps), min(height, i1 + steps)):
                p, to = (i // 2 + 1) * coarse_pitch + MARGIN, (i - row0 + 1) * pitch + MARGIN
                at, odd_row = n * coarse_size + p, i % 2 == 1
                lo, hi = coarse_runs[i // 2, 0], coarse_runs[i // 2, 1]
                if hi > lo:
                    prolong_uniform(coarse, at + lo, coarse_pitch, hi - lo, odd_row, even, odd, lo)
                    prolong(coarse, at, coarse_pitch, transfer, coarse_size, p, lo, odd_row, even, odd, 0)
                else:
                    hi = 0
                prolong(
                    coarse, at + hi, coarse_pitch, transfer, coarse_size, p + hi, half - hi, odd_row, even, odd, hi
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
                a, pitch + MARGIN, row0, rhs, q0, row0, i0, i1, height, width, pitch, stencil, offsets, inverse, runs,
                uniform, kind, omegas, 0, b, a,
            )  # fmt: skip
            holder, shift = (a, -row0 * pitch) if which == 0 else (b, -row0 * pitch)
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
            high = largest[0]
            for j in range(width):
                high = max(high, largest[j])
            change[unit * planes + n] = high


@njit(nogil=True, cache=True, fastmath=FAST)
def residual(
    x, rhs, out, sums, planes, size, height, width, pitch, stencil, offsets, diagonal, inverse, kind, block, first,
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
                q = n * size + p
                defect(x, q, pitch, width, stencil, offsets, diagonal, p, rhs, q, kind, acc, 0)
                target, d = out[q : q + width], inverse[p : p + width]
                for j in range(width):
                    target[j] = acc[j] if d[j] > none else none
                part = none
                for j in range(width):
                    part += target[j] * target[j]
                total += part
            sums[unit * planes + n] = total


@njit(nogil=True, cache=True, fastmath=FAST)
def product(
    x, other, out, sums, planes, size, height, width, pitch, stencil, offsets, diagonal, inverse, kind, block, first,
    last,
):  # fmt: skip
    """Write A x into out, 0 at known pixels, its product with other into sums[unit, n, 0], with itself into [.., 1]."""
    acc, zeros = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
    none = x.dtype.type(0)
    for unit in range(first, last):
        for n in range(planes):
            mixed, square = 0.0, 0.0
            for i in range(unit * block, min(height, unit * block + block)):
                p = (i + 1) * pitch + MARGIN
                q = n * size + p
                defect(x, q, pitch, width, stencil, offsets, diagonal, p, zeros, 0, kind, acc, 0)
                target, d, there = out[q : q + width], inverse[p : p + width], other[q : q + width]
                first_part, second_part = none, none
                for j in range(width):
                    target[j] = -acc[j] if d[j] > none else none
                for j in range(width):
                    first_part += target[j] * there[j]
                    second_part += target[j] * target[j]
                mixed += first_part
                square += second_part
            sums[2 * (unit * planes + n)], sums[2 * (unit * planes + n) + 1] = mixed, square
