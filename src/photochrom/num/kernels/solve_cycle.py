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
    image,
    prolong,
    prolong_uniform,
    relax,
    relax_uniform,
    restrict,
    restrict_uniform,
    split,
)

TOGETHER = 2  # vectors that are worked on together
HALO = 7  # rows of scratch on each side of a block: six smoothing steps and A times their result


@njit(nogil=True, forceinline=True, _nrt=False)
def _relax(
    x, step, at, pitch, width, stencil, offsets, inverse, p, lo, hi, uniform, rhs, size, q, kind, omega, out, out_step,
    to, many,
):  # fmt: skip
    """Take a step on a row: its run, and what lies on both sides of it."""
    if hi > lo:
        relax_uniform(
            x, step, at + lo, pitch, hi - lo, uniform, rhs, size, q + lo, omega, out, out_step, to + lo, many
        )  # fmt: skip
        relax(
            x, step, at, pitch, lo, stencil, offsets, inverse, p, rhs, size, q, kind, omega, out, out_step, to, many
        )  # fmt: skip
    else:
        hi = 0
    relax(
        x, step, at + hi, pitch, width - hi, stencil, offsets, inverse, p + hi, rhs, size, q + hi, kind, omega, out,
        out_step, to + hi, many,
    )  # fmt: skip


@njit(nogil=True, _nrt=False)
def smooth(
    x, x_step, x_at, x_row, rhs, size, q0, row0, lo, hi, height, width, pitch, stencil, offsets, inverse, runs, uniform,
    kind, omegas, skip, a, b, room, many,
):  # fmt: skip
    """Apply the smoothing steps to image rows [lo, hi); return which scratch (0: a, 1: b) holds the result.

    x_at is the place of image row x_row in x; row0 the image row of scratch row 0; `skip` steps are done already.
    Each step needs one more row on each side than the step after it, and follows the step before it one row behind:
    the rows of all steps stay in the nearest cache. Two scratches do for any number of steps, since no step reads again
    the rows above the one that the step after its successor writes. `many` vectors lie x_step, size (of rhs) and room
    (of a and b) from one another.
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
                    x, x_step, x_at + (i - x_row) * pitch, pitch, width, stencil, offsets, inverse, p, begin, end,
                    uniform, rhs, size, q, kind, omegas[k], a, room, to, many,
                )  # fmt: skip
            elif (k - skip) % 2 == 1:
                _relax(
                    a, room, to, pitch, width, stencil, offsets, inverse, p, begin, end, uniform, rhs, size, q, kind,
                    omegas[k], b, room, to, many,
                )  # fmt: skip
            else:
                _relax(
                    b, room, to, pitch, width, stencil, offsets, inverse, p, begin, end, uniform, rhs, size, q, kind,
                    omegas[k], a, room, to, many,
                )  # fmt: skip
    return most % 2


@njit(nogil=True)
def _scratch(like, planes, size):
    """Return room for as many vectors as are worked on together, from the beginning of a line of the cache."""
    lane = 64 // like.itemsize
    made = np.zeros(min(planes, TOGETHER) * size + lane, like.dtype)
    start = (64 - made.ctypes.data % 64) // like.itemsize % lane
    return made[start:]


@njit(nogil=True, _nrt=False)
def clear(a, room, many, row0, rows, height, pitch):
    """Zero the scratch rows that lie outside the picture."""
    for r in range(rows):
        if row0 + r < 0 or row0 + r >= height:
            for m in range(many):
                at = m * room + (r + 1) * pitch + MARGIN
                a[at : at + pitch] = 0


@njit(nogil=True, cache=True, fastmath=FAST)
def down(
    x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last,
):  # fmt: skip
    """Smooth x (zero if `zero`) into out and write its restricted residual into coarse.

    Without any step, x is zero: nothing is written into out.
    """
    room = (block + 2 * HALO + 2) * pitch + 2 * MARGIN if omegas.size else 0
    a, b, left = _scratch(x, planes, room), _scratch(x, planes, room), np.zeros(TOGETHER * width, x.dtype)
    half = (block + 2) * ((width + 1) // 2 + 1) + 1
    even, odd = np.zeros(TOGETHER * half, x.dtype), np.zeros(TOGETHER * half, x.dtype)
    _down(
        x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
        inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last, a, b, room, left, even,
        odd, half,
    )  # fmt: skip


@njit(nogil=True, _nrt=False, fastmath=FAST)
def _down(
    x, rhs, out, coarse, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets, diagonal,
    inverse, runs, uniform, kind, transfer, coarse_runs, omegas, zero, block, first, last, a, b, room, left, even, odd,
    parts,
):  # fmt: skip
    rows, half, steps = block + 2 * HALO, (width + 1) // 2, omegas.size
    span = half + 1
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        if steps:
            clear(a, room, min(planes, TOGETHER), row0, rows, height, pitch)
            clear(b, room, min(planes, TOGETHER), row0, rows, height, pitch)
        for n in range(0, planes, TOGETHER):
            q0, many = n * size, min(TOGETHER, planes - n)
            which = 0
            lo, hi = i0 - 2, i1 + 2
            if steps == 0:
                pass
            elif zero:
                for i in range(max(0, lo - steps + 1), min(height, hi + steps - 1)):
                    p, to = (i + 1) * pitch + MARGIN, (i - row0 + 1) * pitch + MARGIN
                    d = inverse[p : p + width]
                    for m in range(many):
                        right = rhs[q0 + m * size + p : q0 + m * size + p + width]
                        target = a[m * room + to : m * room + to + width]
                        for j in range(width):
                            target[j] = omegas[0] * (d[j] * right[j])
                if steps > 1:
                    which = 1 - smooth(
                        a, room, pitch + MARGIN, row0, rhs, size, q0, row0, lo, hi, height, width, pitch, stencil,
                        offsets, inverse, runs, uniform, kind, omegas, 1, b, a, room, many,
                    )  # fmt: skip
            else:
                which = smooth(
                    x, size, q0 + pitch + MARGIN, 0, rhs, size, q0, row0, lo, hi, height, width, pitch, stencil,
                    offsets, inverse, runs, uniform, kind, omegas, 0, a, b, room, many,
                )  # fmt: skip
            holder, shift = (a, -row0 * pitch) if which == 0 else (b, -row0 * pitch)
            for i in range(i0, i1 if steps else i0):
                p = (i + 1) * pitch + MARGIN
                for m in range(many):
                    at, q = m * room + shift + p, q0 + m * size + p
                    source, target = holder[at : at + width], out[q : q + width]
                    for j in range(width):
                        target[j] = source[j]
            for i in range(i0 - 1, i1 + 1):
                to = (i - i0 + 1) * span + 1
                if i < 0 or i >= height:
                    for m in range(many):
                        even[m * parts + to : m * parts + to + half] = 0
                        odd[m * parts + to : m * parts + to + half] = 0
                    continue
                p = (i + 1) * pitch + MARGIN
                at, q = shift + p, q0 + p
                if steps == 0:
                    for m in range(many):
                        split(rhs, q + m * size, width, even, odd, m * parts + to)
                    continue
                lo, hi = runs[i, 0], runs[i, 1]
                if hi > lo:
                    defect_uniform(
                        holder, room, at + lo, pitch, hi - lo, uniform, rhs, size, q + lo, left, width, lo, many
                    )  # fmt: skip
                    defect(
                        holder, room, at, pitch, lo, stencil, offsets, diagonal, p, rhs, size, q, kind, left, width, 0,
                        many,
                    )  # fmt: skip
                else:
                    hi = 0
                defect(
                    holder, room, at + hi, pitch, width - hi, stencil, offsets, diagonal, p + hi, rhs, size, q + hi,
                    kind, left, width, hi, many,
                )  # fmt: skip
                for m in range(many):
                    split(left, m * width, width, even, odd, m * parts + to)
            for i in range(i0, i1, 2):
                p = (i // 2 + 1) * coarse_pitch + MARGIN
                lo, hi = coarse_runs[i // 2, 0], coarse_runs[i // 2, 1]
                for m in range(many):
                    at, to = m * parts + (i - i0 + 1) * span + 1, (n + m) * coarse_size + p
                    begin = 0
                    if hi > lo:
                        restrict_uniform(even, odd, at + lo, span, hi - lo, coarse, to + lo)
                        restrict(even, odd, at, span, transfer, coarse_size, p, coarse_pitch, lo, coarse, to)
                        begin = hi
                    restrict(
                        even, odd, at + begin, span, transfer, coarse_size, p + begin, coarse_pitch, half - begin,
                        coarse, to + begin,
                    )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FAST)
def up(
    x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
    diagonal, inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, product, block, first, last,
):  # fmt: skip
    """Correct x (empty: zero) by P e, smooth the sum y, and go from out (zero if `zero`) to out + weight (y - out).

    Writes the largest |y - out| into change[unit, n], and A y into product if that is not empty.
    """
    room = (block + 2 * HALO + 2) * pitch + 2 * MARGIN
    a, b, largest = _scratch(rhs, planes, room), _scratch(rhs, planes, room), np.zeros(width, x.dtype)
    even, odd = np.zeros((width + 1) // 2, x.dtype), np.zeros((width + 1) // 2, x.dtype)
    _up(
        x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
        diagonal, inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, product, block, first,
        last, a, b, room, largest, even, odd,
    )  # fmt: skip


@njit(nogil=True, _nrt=False, fastmath=FAST)
def _up(
    x, rhs, out, coarse, change, planes, size, coarse_size, height, width, pitch, coarse_pitch, stencil, offsets,
    diagonal, inverse, runs, uniform, kind, transfer, coarse_runs, omegas, weight, zero, product, block, first, last, a,
    b, room, largest, even, odd,
):  # fmt: skip
    rows, half, steps = block + 2 * HALO, (width + 1) // 2, omegas.size
    more, none = 1 if product.size else 0, x.dtype.type(0)
    for unit in range(first, last):
        i0, i1 = unit * block, min(height, unit * block + block)
        row0 = i0 - HALO
        clear(a, room, min(planes, TOGETHER), row0, rows, height, pitch)
        clear(b, room, min(planes, TOGETHER), row0, rows, height, pitch)
        for n in range(0, planes, TOGETHER):
            q0, many = n * size, min(TOGETHER, planes - n)
            for i in range(max(0, i0 - steps - more), min(height, i1 + steps + more)):
                p, odd_row = (i // 2 + 1) * coarse_pitch + MARGIN, i % 2 == 1
                lo, hi = coarse_runs[i // 2, 0], coarse_runs[i // 2, 1]
                for m in range(many):
                    at, begin = (n + m) * coarse_size + p, 0
                    if hi > lo:
                        prolong_uniform(coarse, at + lo, coarse_pitch, hi - lo, odd_row, even, odd, lo)
                        prolong(coarse, at, coarse_pitch, transfer, coarse_size, p, lo, odd_row, even, odd, 0)
                        begin = hi
                    prolong(
                        coarse, at + begin, coarse_pitch, transfer, coarse_size, p + begin, half - begin, odd_row, even,
                        odd, begin,
                    )  # fmt: skip
                    to = m * room + (i - row0 + 1) * pitch + MARGIN
                    target = a[to : to + width]
                    for j in range(width // 2):
                        target[2 * j] = even[j]
                        target[2 * j + 1] = odd[j]
                    if width % 2:
                        target[width - 1] = even[half - 1]
                    if x.size:
                        q = q0 + m * size + (i + 1) * pitch + MARGIN
                        old = x[q : q + width]
                        for j in range(width):
                            target[j] += old[j]
            which = 1 - smooth(
                a, room, pitch + MARGIN, row0, rhs, size, q0, row0, i0 - more, i1 + more, height, width, pitch, stencil,
                offsets, inverse, runs, uniform, kind, omegas, 0, b, a, room, many,
            )  # fmt: skip
            holder, shift = (a, -row0 * pitch) if which == 0 else (b, -row0 * pitch)
            for i in range(i0, i1 if more else i0):
                p = (i + 1) * pitch + MARGIN
                q, d = q0 + p, inverse[p : p + width]
                image(holder, room, shift + p, pitch, width, stencil, offsets, diagonal, p, product, size, q, many)
                for m in range(many):
                    target = product[q + m * size : q + m * size + width]
                    for j in range(width):
                        target[j] = target[j] if d[j] > none else none
            for m in range(many):
                largest[:] = 0
                for i in range(i0, i1):
                    p = (i + 1) * pitch + MARGIN
                    at, q = m * room + shift + p, q0 + m * size + p
                    source, target = holder[at : at + width], out[q : q + width]
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
                change[unit * planes + n + m] = high


@njit(nogil=True, cache=True, fastmath=FAST)
def residual(
    x, rhs, out, sums, planes, size, height, width, pitch, stencil, offsets, diagonal, inverse, kind, block, first,
    last,
):  # fmt: skip
    """Write the residual b - A x into out, 0 at known pixels, and the sum of its squares into sums[unit, n]."""
    none = x.dtype.type(0)
    for unit in range(first, last):
        for n in range(0, planes, TOGETHER):
            many = min(TOGETHER, planes - n)
            for i in range(unit * block, min(height, unit * block + block)):
                p = (i + 1) * pitch + MARGIN
                q = n * size + p
                d = inverse[p : p + width]
                defect(
                    x, size, q, pitch, width, stencil, offsets, diagonal, p, rhs, size, q, kind, out, size, q, many
                )  # fmt: skip
                for m in range(many):
                    target, part = out[q + m * size : q + m * size + width], none
                    for j in range(width):
                        target[j] = target[j] if d[j] > none else none
                    for j in range(width):
                        part += target[j] * target[j]
                    sums[unit * planes + n + m] += part


@njit(nogil=True, cache=True, fastmath=FAST)
def product(
    x, other, out, sums, planes, size, height, width, pitch, stencil, offsets, diagonal, inverse, kind, block, first,
    last,
):  # fmt: skip
    """Write A x into out, 0 at known pixels, and its product with other into sums[unit, n]."""
    none, zeros = x.dtype.type(0), np.zeros(width, x.dtype)
    for unit in range(first, last):
        for n in range(0, planes, TOGETHER):
            many = min(TOGETHER, planes - n)
            for i in range(unit * block, min(height, unit * block + block)):
                p = (i + 1) * pitch + MARGIN
                q = n * size + p
                d = inverse[p : p + width]
                defect(
                    x, size, q, pitch, width, stencil, offsets, diagonal, p, zeros, 0, 0, kind, out, size, q, many
                )  # fmt: skip
                for m in range(many):
                    at = q + m * size
                    target, there = out[at : at + width], other[at : at + width]
                    part = none
                    for j in range(width):
                        target[j] = -target[j] if d[j] > none else none
                    for j in range(width):
                        part += target[j] * there[j]
                    sums[unit * planes + n + m] += part
