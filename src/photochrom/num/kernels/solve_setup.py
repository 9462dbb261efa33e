"""The hierarchy of multigrid: interpolation that follows the operator, and Galerkin operators.

Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.solve_rows import MARGIN, defect, prolong, restrict, split


@njit(nogil=True, cache=True)
def mark(fine, fine_pitch, inverse, pitch, runs):
    """Mark the pixels of a coarse grid that are unknown: those of a run are."""
    zero, one = inverse.dtype.type(0), inverse.dtype.type(1)
    for row in range(runs.shape[0]):
        p, q = (row + 1) * pitch + MARGIN, (2 * row + 1) * fine_pitch + MARGIN
        for j in range(runs[row, 2], runs[row, 3]):
            inverse[p + j] = one if runs[row, 0] <= j < runs[row, 1] or fine[q + 2 * j] != zero else zero


@njit(nogil=True, _nrt=False)
def _repeat(plane, at, pitch, parts):
    """Copy parts of a row from the one before it."""
    for lo, hi in parts:
        for j in range(at + lo, at + hi):
            plane[j] = plane[j - pitch]


@njit(nogil=True, _nrt=False)
def beside(runs, row):
    """Return the parts of the unknowns of a row on both sides of its run, and those of the run that are written."""
    lo, hi, begin, end, left, right = runs[row, 0], runs[row, 1], runs[row, 2], runs[row, 3], runs[row, 4], runs[row, 5]
    outside = ((begin, lo), (hi, end)) if hi > lo else ((begin, end), (end, end))
    return outside, (((lo, left), (right, hi)) if right > left else ((lo, hi), (hi, hi)))


@njit(nogil=True, _nrt=False)
def links(stencil, offsets, inverse, p, pitch, width, kind, w):
    """Write the eight weights of a row of pixels into w[k, j], 0 towards pixels that are not unknown."""
    steps = (1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1)
    zero, one = inverse.dtype.type(0), inverse.dtype.type(1)
    for k in range(8):
        line = w[k, :width]
        if k >= 4 and kind < 8:
            line[:] = zero
            continue
        other = inverse[p + steps[k] : p + steps[k] + width]
        if kind == 0:
            for j in range(width):
                line[j] = one if other[j] > zero else zero
        else:
            given = stencil[offsets[k] + p : offsets[k] + p + width]
            for j in range(width):
                line[j] = given[j] if other[j] > zero else zero


@njit(nogil=True, cache=True, error_model="numpy")
def edges(
    stencil, offsets, diagonal, inverse, height, width, pitch, kind, transfer, size, coarse_pitch, runs, alike, first,
    last,
):  # fmt: skip
    """Write the interpolation of the pixels between two coarse ones: the equation, summed across the line they span.

    The weights across the line join the diagonal, as if the error did not change across it (Dendy 1982). No weight is
    negative and no sum exceeds 1, which the operator of a coarse grid, or a transposed one, would not give by itself.
    """
    half = inverse.dtype.type(0.5)
    w = np.zeros((8, width + 1), inverse.dtype)
    for row in range(first, last):
        to = (row + 1) * coarse_pitch + MARGIN
        p = (2 * row + 1) * pitch + MARGIN
        outside, inside = beside(runs, row)
        for lo, hi in inside:
            for k in range(4):
                transfer[k * size + to + lo : k * size + to + hi] = half
        if alike[row] and row > first:
            for k in range(4):
                _repeat(transfer, k * size + to, coarse_pitch, outside)
            continue
        for q, stop in outside:
            if stop <= q:
                continue
            count = min(width, 2 * stop) - 2 * q
            _across(stencil, offsets, diagonal, inverse, p + 2 * q, pitch, count, kind, transfer, size, to + q, w)
            if 2 * row + 1 < height:
                _along(
                    stencil, offsets, diagonal, inverse, p + pitch + 2 * q, pitch, count, kind, transfer, size, to + q,
                    w,
                )  # fmt: skip


@njit(nogil=True, _nrt=False, error_model="numpy")
def _across(stencil, offsets, diagonal, inverse, p, pitch, width, kind, transfer, size, to, w):
    """Write the weights of the pixels between two coarse ones of a row."""
    zero = inverse.dtype.type(0)
    links(stencil, offsets, inverse, p, pitch, width, kind, w)
    d, active = diagonal[p : p + width], inverse[p - 1 : p + width + 1]
    h0, h1 = transfer[to : to + width], transfer[size + to : size + to + width]
    for q in range(width // 2):
        j = 2 * q + 1
        left = max(w[1, j] + (w[5, j] + w[6, j]), zero)
        right = max(w[0, j] + (w[7, j] + w[4, j]), zero)
        below = max(d[j] - (w[2, j] + w[3, j]), left + right)
        ok = active[j + 1] > zero and below > zero
        h0[q] = left / below if ok and active[j] > zero else zero
        h1[q] = right / below if ok and active[j + 2] > zero else zero


@njit(nogil=True, _nrt=False, error_model="numpy")
def _along(stencil, offsets, diagonal, inverse, p, pitch, width, kind, transfer, size, to, w):
    """Write the weights of the pixels between two coarse ones of a column."""
    zero = inverse.dtype.type(0)
    links(stencil, offsets, inverse, p, pitch, width, kind, w)
    d, here = diagonal[p : p + width], inverse[p : p + width]
    above, under = inverse[p - pitch : p - pitch + width], inverse[p + pitch : p + pitch + width]
    v0, v1 = transfer[2 * size + to : 2 * size + to + width], transfer[3 * size + to : 3 * size + to + width]
    for q in range((width + 1) // 2):
        j = 2 * q
        up = max(w[3, j] + (w[5, j] + w[7, j]), zero)
        down = max(w[2, j] + (w[4, j] + w[6, j]), zero)
        below = max(d[j] - (w[0, j] + w[1, j]), up + down)
        ok = here[j] > zero and below > zero
        v0[q] = up / below if ok and above[j] > zero else zero
        v1[q] = down / below if ok and under[j] > zero else zero


@njit(nogil=True, cache=True, error_model="numpy")
def centres(
    stencil, offsets, inverse, height, width, pitch, kind, transfer, size, coarse_pitch, runs, alike, first, last,
):  # fmt: skip
    """Write the interpolation of the pixels amid four coarse ones: their own equation, all neighbours interpolated."""
    quarter = inverse.dtype.type(0.25)
    w = np.zeros((8, width + 1), inverse.dtype)
    for row in range(first, last):
        if 2 * row + 1 >= height:
            continue
        p, to = (2 * row + 2) * pitch + MARGIN, (row + 1) * coarse_pitch + MARGIN
        outside, inside = beside(runs, row)
        for lo, hi in inside:
            for k in range(4, 8):
                transfer[k * size + to + lo : k * size + to + hi] = quarter
        if alike[row] and row > first:
            for k in range(4, 8):
                _repeat(transfer, k * size + to, coarse_pitch, outside)
            continue
        for q, stop in outside:
            if stop <= q:
                continue
            count = min(width, 2 * stop) - 2 * q
            _amid(stencil, offsets, inverse, p + 2 * q, pitch, count, kind, transfer, size, coarse_pitch, to + q, w)


@njit(nogil=True, _nrt=False, error_model="numpy")
def _amid(stencil, offsets, inverse, p, pitch, width, kind, transfer, size, coarse_pitch, t, w):
    """Write the weights of a row of pixels amid four coarse ones."""
    zero, one = inverse.dtype.type(0), inverse.dtype.type(1)
    links(stencil, offsets, inverse, p, pitch, width, kind, w)
    here = inverse[p : p + width]
    for q in range(width // 2):
        j, c = 2 * q + 1, t + q
        s = c + coarse_pitch
        n, e, so, we = w[3, j], w[0, j], w[2, j], w[1, j]
        c0 = max(w[5, j] + n * transfer[c] + we * transfer[2 * size + c], zero)
        c1 = max(w[7, j] + n * transfer[size + c] + e * transfer[2 * size + c + 1], zero)
        c2 = max(w[6, j] + so * transfer[s] + we * transfer[3 * size + c], zero)
        c3 = max(w[4, j] + so * transfer[size + s] + e * transfer[3 * size + c + 1], zero)
        total = (c0 + c1) + (c2 + c3)
        inv = here[j]
        if total * inv > one:
            inv = one / total
        transfer[4 * size + c] = inv * c0
        transfer[5 * size + c] = inv * c1
        transfer[6 * size + c] = inv * c2
        transfer[7 * size + c] = inv * c3


@njit(nogil=True, cache=True)
def galerkin(
    stencil, offsets, diagonal, inverse, height, width, pitch, kind, transfer, size, coarse_pitch, restriction,
    symmetric, coarse_stencil, coarse_offsets, coarse_diagonal, coarse_inverse, runs, uniform, alike, first, last,
):  # fmt: skip
    """Write rows of R A P by probing, and what is known in the runs."""
    count, rows = (width + 1) // 2, (height + 1) // 2
    dtype = inverse.dtype
    strip = np.zeros(7 * pitch + 2 * MARGIN, dtype)  # fine rows 2 row - 2 .. 2 row + 2
    probe = np.zeros(5 * coarse_pitch + 2 * MARGIN, dtype)  # coarse rows row - 1 .. row + 2
    nothing, acc = np.zeros(width, dtype), np.zeros(width, dtype)
    parts = np.zeros((3, count), dtype)
    even, odd = np.zeros(3 * (count + 1) + 1, dtype), np.zeros(3 * (count + 1) + 1, dtype)
    for row in range(first, last):
        c = (row + 1) * coarse_pitch + MARGIN
        outside, inside = beside(runs, row)
        for lo, hi in inside:
            coarse_diagonal[c + lo : c + hi] = uniform[2]
            for k in range(0, 8, 2):
                at = coarse_offsets[k] + c
                coarse_stencil[at + lo : at + hi] = uniform[0] if k < 4 else uniform[1]
        if alike[row] and row > first:
            _repeat(coarse_diagonal, c, coarse_pitch, outside)
            for k in range(0, 8, 2 if symmetric else 1):
                _repeat(coarse_stencil, coarse_offsets[k] + c, coarse_pitch, outside)
            continue
        for start, stop in outside:
            if stop <= start:
                continue
            for dy in range(0 if symmetric else -1, 2):
                if 0 <= row + dy < rows:
                    _probe(
                        row, dy, start, stop, stencil, offsets, diagonal, height, width, pitch, kind, transfer, size,
                        coarse_pitch, restriction, symmetric, coarse_stencil, coarse_offsets, coarse_diagonal,
                        coarse_inverse, strip, probe, nothing, acc, parts, even, odd,
                    )  # fmt: skip


@njit(nogil=True, _nrt=False)
def _probe(
    row, dy, start, stop, stencil, offsets, diagonal, height, width, pitch, kind, transfer, size, coarse_pitch,
    restriction, symmetric, coarse_stencil, coarse_offsets, coarse_diagonal, coarse_inverse, strip, probe, nothing,
    acc, parts, even, odd,
):  # fmt: skip
    """Write the weights of pixels start to stop of a row on those of row + dy.

    R A P e, for the vectors e that are 1 at every third pixel of that row: neighbours of a coarse pixel lie at most
    one away, so that every value of the result is one weight. Two pixels more on each side see the whole of it.
    """
    whole = (width + 1) // 2
    span = whole + 1
    q0, q1 = max(0, start - 2), min(whole, stop + 2)
    count, width = q1 - q0, min(width, 2 * q1) - 2 * q0
    c, fine = (row + 1) * coarse_pitch + MARGIN + q0, (2 * row + 1) * pitch + MARGIN + 2 * q0
    neighbour = ((5, 3, 7), (1, -1, 0), (6, 2, 4))  # by row and column
    part0, part1, value = parts[0], parts[1], parts[2]
    zero, one = probe.dtype.type(0), probe.dtype.type(1)
    probe[:] = zero
    base = (dy + 2) * coarse_pitch + MARGIN + q0
    for colour in range(3):
        marks = coarse_inverse[c + dy * coarse_pitch : c + dy * coarse_pitch + count]
        line = probe[base : base + count]
        line[:] = zero
        for q in range(colour, count, 3):
            line[q] = one if marks[q] != zero else zero
        for k in range(5):
            i = 2 * row - 2 + k
            at = (k + 1) * pitch + MARGIN + 2 * q0
            line = strip[at : at + width]
            # coarse pixels of this row touch only the three fine rows around it
            if i < 0 or i >= height or abs(i - 2 * (row + dy)) > 1:
                line[:] = zero
                continue
            above = (i + 2) // 2 - 1 - row  # floor(i / 2), seen from row
            prolong(
                probe, (above + 2) * coarse_pitch + MARGIN + q0, coarse_pitch, transfer, size,
                c + above * coarse_pitch, count, i % 2 == 1, part0, part1, 0,
            )  # fmt: skip
            for q in range(width // 2):
                line[2 * q] = part0[q]
                line[2 * q + 1] = part1[q]
            if width % 2:
                line[width - 1] = part0[count - 1]
        for k in range(3):
            i = 2 * row - 1 + k
            to = k * span + 1 + q0
            if i < 0 or i >= height or abs(i - 2 * (row + dy)) > 2:  # the last: out of the operator's reach
                even[to : to + count] = zero
                odd[to : to + count] = zero
                continue
            p = fine + (k - 1) * pitch
            at = (k + 2) * pitch + MARGIN + 2 * q0
            defect(strip, 0, at, pitch, width, stencil, offsets, diagonal, p, nothing, 0, 0, kind, acc, 0, 0, 1)
            split(acc, 0, width, even, odd, to)
        restrict(even, odd, span + 1 + q0, span, restriction, size, c, coarse_pitch, count, value, 0)
        # the probe nearest to pixel q lies at q + dx; rows of known pixels get numbers that nobody reads
        for dx in range(-1, 2):
            which = neighbour[dy + 1][dx + 1]
            first, last = start - q0, stop - q0
            first += (colour - dx - first) % 3
            if which < 0:
                target = coarse_diagonal[c : c + count]
                for q in range(first, last, 3):
                    target[q] = -value[q]
            elif not symmetric or which % 2 == 0:
                target = coarse_stencil[coarse_offsets[which] + c : coarse_offsets[which] + c + count]
                for q in range(first, last, 3):
                    target[q] = value[q]


@njit(nogil=True, cache=True)
def lump(stencil, offsets, diagonal, width, pitch, first, last):
    """Add weights below 0 to the diagonal in place of them, which leaves the sums of rows as they are.

    And let no diagonal be less than its weights, as by rounding where hardly anything holds a pixel: smoothing grows.
    """
    zero = diagonal.dtype.type(0)
    total = np.zeros(width, diagonal.dtype)
    for i in range(first, last):
        p = (i + 1) * pitch + MARGIN
        d = diagonal[p : p + width]
        total[:] = zero
        for k in range(8):
            line = stencil[offsets[k] + p : offsets[k] + p + width]
            for j in range(width):
                if line[j] < zero:
                    d[j] -= line[j]
                    line[j] = zero
                total[j] += line[j]
        for j in range(width):
            d[j] = max(d[j], total[j])


@njit(nogil=True, cache=True, error_model="numpy")
def invert(diagonal, inverse, fine_diagonal, fine_pitch, rows, count, pitch, tiny, runs):
    """Turn the marks in inverse into 1 / diagonal, 0 where that is below `tiny` times the fine diagonal.

    There a region has shrunk to a pixel with nothing to hold it, and the diagonal is rounding.
    """
    zero, one = inverse.dtype.type(0), inverse.dtype.type(1)
    for row in range(rows):
        c, f = (row + 1) * pitch + MARGIN, (2 * row + 1) * fine_pitch + MARGIN
        begin, end, left, right = runs[row, 2], runs[row, 3], runs[row, 4], runs[row, 5]
        for start, stop in ((begin, left), (right, end)) if right > left else ((begin, end), (end, end)):
            for q in range(start, stop):
                d = diagonal[c + q]
                live = inverse[c + q] != zero and d > tiny * fine_diagonal[f + 2 * q]
                inverse[c + q] = one / d if live else zero


@njit(nogil=True, cache=True)
def bound(stencil, offsets, inverse, height, width, pitch, kind):
    """Return the largest sum of |weights| / diagonal, plus 1: no eigenvalue of D^-1 A exceeds it (Gershgorin)."""
    w = np.zeros((8, width + 1), inverse.dtype)
    total = np.zeros(width, inverse.dtype)
    largest = 0.0
    for i in range(height):
        p = (i + 1) * pitch + MARGIN
        links(stencil, offsets, inverse, p, pitch, width, kind, w)
        total[:] = 0
        for k in range(kind):
            line = w[k]
            for j in range(width):
                total[j] += abs(line[j])
        d = inverse[p : p + width]
        for j in range(width):
            largest = max(largest, total[j] * d[j])
    return 1 + largest
