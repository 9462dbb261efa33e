"""Multigrid where only the surroundings of an edge are fine: cycles over patches of 16 x 16 pixels.

A plane holds the patches that are used, and zeros around them so that no loop asks where the picture ends. Patches one
above the other lie in one piece, row after row, so that the row above a patch is the last of the one above it. `tiles`
has a row for each patch of each list: where it is, and how many bytes into their planes it and its neighbours lie.
`parts[grid, list, row]` is where in `tiles` those of a row of patches begin.

`levels` and `work` hold, a row for each grid, its sizes and the addresses of its planes, which the caller keeps alive.
Each step of a half cycle follows the one before it one row of patches behind, so that what they pass on stays near.
Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.patches import WIDE
from photochrom.num.kernels.solve_patches import (
    ACROSS,
    AFTER,
    BEFORE,
    DOWN,
    EDGE,
    FILL,
    GHOST,
    HEIGHT,
    INVERSE,
    LISTS,
    MIXED,
    NEAR,
    OTHER,
    OTHER_AFTER,
    OTHER_BEFORE,
    PLACE,
    PURE,
    QUARTER,
    ROW,
    WIDTH,
    R,
    X,
    Y,
    Z,
    add,
    between,
    between_second,
    both,
    copy_rows,
    down,
    first,
    first_pure,
    move,
    own_residual,
    place_of,
    residual,
    set_both,
    set_to,
    smooth,
    sum_between,
    sum_between_second,
    sum_rows,
    up,
)
from photochrom.num.kernels.solve_rows import MARGIN


@njit(nogil=True, cache=True)
def start(levels, work, tiles, parts):
    """Set x to 0 on all grids, and the right-hand side on the finest."""
    for g in range(levels.shape[0]):
        for k in range(parts[g, MIXED, 0], parts[g, GHOST, -1]):
            rows, at = place_of(levels, g, tiles, k)
            set_to(rows, work[g, X] + at, np.float32(0))
            if g == 0:
                set_to(rows, work[g, R] + at, np.float32(0))


@njit(nogil=True, cache=True)
def cycle(levels, work, tiles, parts, uniform, omegas, inverse, last_right, last_found, far, weight):
    """Take a cycle and go `weight` times as far; write how far it would on the finest grid, by column of patches.

    Args:
        last_right, last_found: flat planes of the coarsest grid, whose addresses `work` has.
        far: the address of 16 values.
    """
    last = levels.shape[0] - 1
    for g in range(last):
        _half_down(levels, g, work, tiles, parts, uniform, omegas)
    _coarsest(levels, tiles, parts, inverse, last_right, last_found)
    for k in range(parts[last, MIXED, 0], parts[last, GHOST, -1]):
        rows, at = place_of(levels, last, tiles, k)
        add(rows, work[last, X] + at, work[last, X] + at, work[last, Z] + at, weight)
    set_to(1, far, np.float32(0))
    for g in range(last - 1, -1, -1):
        _half_up(levels, g, work, tiles, parts, uniform, omegas, far, weight)


@njit(nogil=True, _nrt=False)
def _half_down(levels, g, work, tiles, parts, uniform, omegas):
    """Smooth, and restrict the residual."""
    x, y, z, r, zero = work[g, X], work[g, Y], work[g, Z], work[g, R], np.float32(0)
    count, coarse = (levels[g, HEIGHT] + WIDE - 1) // WIDE, (levels[g + 1, HEIGHT] + WIDE - 1) // WIDE
    for row in range(coarse):
        own_residual(levels, g + 1, tiles, parts, row, uniform, work[g + 1, X], work[g + 1, R])
    for time in range(count + 5):
        row = time
        if row < count:
            for k in range(parts[g, GHOST, row], parts[g, GHOST, row + 1]):
                rows, at = place_of(levels, g, tiles, k)
                if g == 0:
                    both(rows, y + at, z + at, x + at)
                else:
                    set_both(rows, y + at, z + at, zero)
            if g == 0:
                smooth(levels, g, tiles, parts, row, uniform, x, r, y, omegas[g, 0])
            else:
                for k in range(parts[g, MIXED, row], parts[g, MIXED, row + 1]):
                    rows, at = place_of(levels, g, tiles, k)
                    first(rows, y + at, r + at, levels[g, INVERSE] + at, omegas[g, 0])
                for k in range(parts[g, PURE, row], parts[g, PURE, row + 1]):
                    rows, at = place_of(levels, g, tiles, k)
                    first_pure(rows, y + at, r + at, omegas[g, 0] * uniform[g, 3])
        row = time - 1
        if 0 <= row < count:
            smooth(levels, g, tiles, parts, row, uniform, y, r, z, omegas[g, 1])
        row = time - 2
        if 0 <= row < count:
            smooth(levels, g, tiles, parts, row, uniform, z, r, y, omegas[g, 2])
        row = time - 3
        if 0 <= row < count:
            residual(levels, g, tiles, parts, row, uniform, y, r, z)
        row = (time - 4) // 2   # of the coarser grid, whose second fine row is done by now
        if time % 2 == 0 and 0 <= row < coarse:
            down(levels, g, tiles, parts, row, z, work[g + 1, R])


@njit(nogil=True, _nrt=False)
def _half_up(levels, g, work, tiles, parts, uniform, omegas, far, weight):
    """Correct by the coarser grid, smooth, and add that to x, or to the finest x what it differs by."""
    x, y, z, r = work[g, X], work[g, Y], work[g, Z], work[g, R]
    count = (levels[g, HEIGHT] + WIDE - 1) // WIDE
    for time in range(count + 4):
        row = time
        if row < count:
            up(levels, g, tiles, parts, row, work[g + 1, Z], y, z)
        row = time - 1
        if 0 <= row < count:
            smooth(levels, g, tiles, parts, row, uniform, y, r, z, omegas[g, 0])
        row = time - 2
        if 0 <= row < count:
            smooth(levels, g, tiles, parts, row, uniform, z, r, y, omegas[g, 1])
        row = time - 3
        if 0 <= row < count:
            smooth(levels, g, tiles, parts, row, uniform, y, r, z, omegas[g, 2])
        row = time - 4
        if 0 <= row < count:
            for which in range(MIXED, GHOST + 1):
                for k in range(parts[g, which, row], parts[g, which, row + 1]):
                    rows, at = place_of(levels, g, tiles, k)
                    if g:
                        add(rows, x + at, x + at, z + at, weight)
                    else:
                        move(rows, x + at, far, x + at, z + at, far, weight)


@njit(nogil=True)
def _coarsest(levels, tiles, parts, inverse, right, found):
    """Solve the coarsest grid, of one patch, by its dense inverse."""
    last = levels.shape[0] - 1
    height, width, at = levels[last, HEIGHT], levels[last, WIDTH], tiles[parts[last, MIXED, 0], PLACE] // 4
    total = np.zeros(height * width, np.float32)
    for i in range(height):
        for j in range(width):
            value, row = right[at + i * WIDE + j], inverse[i * width + j]
            for q in range(total.size):
                total[q] += value * row[q]
    for i in range(height):
        for j in range(width):
            found[at + i * WIDE + j] = total[i * width + j]


@njit(nogil=True, cache=True)
def edge(unknown, inner, outer, at, full_width, right, tiles, parts, levels):
    """Write into right, which is 0, what neighbours outside a region add to its equations: outer - inner there.

    Args:
        unknown: flat marks of the frame.
        inner, outer: flat pictures, of whose rows the frame begins at `at`.
        right: flat plane.

    Returns:
        the largest absolute value of what is added, NaN where any is.
    """
    height, width = levels[0, HEIGHT], levels[0, WIDTH]
    largest, none = np.float32(0), np.float32(0)
    for k in range(parts[0, EDGE, 0], parts[0, EDGE, -1]):
        top, left = WIDE * tiles[k, DOWN], WIDE * tiles[k, ACROSS]
        for i in range(top, min(height, top + WIDE)):
            q = tiles[k, PLACE] // 4 + (i - top) * WIDE - left
            above, below = (width if i > 0 else 0), (width if i + 1 < height else 0)
            for j in range(left, min(width, left + WIDE)):
                p, s = i * width + j, at + i * full_width + j
                if not unknown[p]:
                    continue
                before, after = (1 if j > 0 else 0), (1 if j + 1 < width else 0)
                if unknown[p - above] and unknown[p + below] and unknown[p - before] and unknown[p + after]:
                    continue
                total = none
                for n in range(4):
                    step = (-above, below, -before, after)[n]
                    if not unknown[p + step]:
                        other = s + (step if n > 1 else (n * 2 - 1) * full_width)
                        d = outer[other] - inner[other]
                        total += d
                        largest = largest if abs(d) <= largest else abs(d)
                right[q + j] = total
    return largest


@njit(nogil=True, cache=True)
def fill(levels, work, tiles, parts):
    """Write x of all grids but the finest where it is only interpolated."""
    for g in range(levels.shape[0] - 2, 0, -1):
        for which in (GHOST, FILL):
            for k in range(parts[g, which, 0], parts[g, which, -1]):
                b, c, d, left, right = _around(work[g + 1, X], tiles, k)
                x = work[g, X] + tiles[k, PLACE]
                if tiles[k, ACROSS] % 2:
                    between_second(
                        WIDE // 2, x, x + ROW, b, right - ROW, left, c, right, left + ROW, d, right + ROW, QUARTER)
                else:
                    between(
                        WIDE // 2, x, x + ROW, b, right - ROW, left, c, right, left + ROW, d, right + ROW, QUARTER)


@njit(nogil=True, forceinline=True, _nrt=False)
def _around(plane, tiles, k):
    """Return the addresses of three rows of a coarser grid, and of the second one's neighbours on both sides."""
    half = (tiles[k, DOWN] % 2) * (WIDE // 2 * ROW)
    c = plane + tiles[k, OTHER] + half
    return c - ROW, c, c + ROW, plane + tiles[k, OTHER_BEFORE] + half, plane + tiles[k, OTHER_AFTER] + half


@njit(nogil=True, cache=True)
def leave(levels, work, tiles, parts, x, unknown, inner, out, places, full_width, first, last):
    """Write inner + x where rows first to last of the patches of a frame are unknown.

    Args:
        x: flat plane, whose address `work` has.
        unknown: flat marks of the frame.
        inner, out: flat pictures.
        places: the addresses of the frame's first pixel in inner and out, and its place in the pictures.
    """
    height, width, full = levels[0, HEIGHT], levels[0, WIDTH], 4 * full_width
    for which in (GHOST, FILL):
        for k in range(parts[0, which, first], parts[0, which, last]):
            at = 4 * WIDE * (tiles[k, DOWN] * full_width + tiles[k, ACROSS])
            near, to = places[0] + at, places[1] + at
            b, c, d, left, right = _around(work[1, X], tiles, k)
            if tiles[k, ACROSS] % 2:
                sum_between_second(
                    WIDE // 2, 2 * full, to, to + full, near, near + full, b, right - ROW, left, c, right, left + ROW,
                    d, right + ROW, QUARTER,
                )  # fmt: skip
            else:
                sum_between(
                    WIDE // 2, 2 * full, to, to + full, near, near + full, b, right - ROW, left, c, right, left + ROW,
                    d, right + ROW, QUARTER,
                )  # fmt: skip
    for k in range(parts[0, PURE, first], parts[0, PURE, last]):
        to = 4 * WIDE * (tiles[k, DOWN] * full_width + tiles[k, ACROSS])
        sum_rows(WIDE, full, places[1] + to, places[0] + to, work[0, X] + tiles[k, PLACE])
    for k in range(parts[0, MIXED, first], parts[0, MIXED, last]):
        top, left = WIDE * tiles[k, DOWN], WIDE * tiles[k, ACROSS]
        for i in range(top, min(height, top + WIDE)):
            q, p, s = tiles[k, PLACE] // 4 + (i - top) * WIDE, i * width + left, places[2] + i * full_width + left
            for j in range(min(WIDE, width - left)):
                if unknown[p + j]:
                    out[s + j] = inner[s + j] + x[q + j]


@njit(nogil=True, cache=True)
def surround(outer, out, runs, top, left, full_width, first, last):
    """Copy rows first to last of a flat picture, but for the runs of the frame at (top, left), which are unknown."""
    for row in range(first, last):
        i, at, lo, hi = row - top, row * full_width, full_width, full_width
        if 0 <= i < runs.shape[0] and runs[i, 1] > runs[i, 0]:
            lo, hi = left + runs[i, 0], left + runs[i, 1]
        out[at : at + lo] = outer[at : at + lo]
        out[at + hi : at + full_width] = outer[at + hi : at + full_width]


@njit(nogil=True, cache=True)
def lay(sources, pitch, tiles, a, b, height, targets):
    """Copy patches a to b of planes of rows, as `solve_rows` stores them.

    Args:
        sources: addresses of pixel (0, 0).
        pitch: in bytes.
        targets: addresses of planes.
    """
    for k in range(a, b):
        rows, at = min(WIDE, height - WIDE * tiles[k, DOWN]), WIDE * tiles[k, DOWN] * pitch + ROW * tiles[k, ACROSS]
        for n in range(sources.size):
            copy_rows(rows, pitch, targets[n] + tiles[k, PLACE], sources[n] + at)


@njit(nogil=True, cache=True)
def solid(unknown, marks):
    """Tell of blocks of 8 x 8 pixels whether all are unknown, with four neighbours each."""
    height, width = unknown.shape
    for row in range(marks.shape[0]):
        marks[row] = row > 0 and 8 * row + 8 < height
        for i in range(8 * row, min(height, 8 * row + 8)):
            line = unknown[i]
            for block in range(marks.shape[1]):
                every = block > 0 and 8 * block + 8 < width and marks[row, block]
                if every:
                    for j in range(8 * block, 8 * block + 8):
                        every &= line[j]
                marks[row, block] = every


@njit(nogil=True, cache=True)
def live(inverse, runs, width, pitch, marks):
    """Tell of patches whether any pixel is unknown: in a run or by its diagonal."""
    zero = np.float32(0)
    for i in range(runs.shape[0]):
        p = (i + 1) * pitch + MARGIN
        for tile in range(marks.shape[1]):
            if marks[i // WIDE, tile]:
                continue
            first, last = WIDE * tile, min(width, WIDE * tile + WIDE)
            marks[i // WIDE, tile] = max(first, runs[i, 0]) < min(last, runs[i, 1])
            for j in range(p + first, p + last):
                if inverse[j] > zero:
                    marks[i // WIDE, tile] = True
                    break


@njit(nogil=True, cache=True)
def listed(bits, place, finer, coarser, tiles, count, parts):
    """Write the patches of a grid list by list into tiles from `count` on, and where rows begin; return where they end.

    Args:
        bits: by patch, which lists it is in.
        place, finer, coarser: where patches lie in the planes of this grid and its neighbours, with one more around.
        tiles: to be written.
        parts: to be written, for this grid.
    """
    for which in range(LISTS):
        for i in range(parts.shape[1]):
            parts[which, i] = count
            for j in range(bits.shape[1] if i < bits.shape[0] else 0):
                if not (bits[i, j] >> which) & 1:
                    continue
                row = tiles[count]
                row[DOWN], row[ACROSS], row[PLACE], row[BEFORE], row[AFTER] = (
                    i, j, place[i + 1, j + 1], place[i + 1, j], place[i + 1, j + 2])
                other, p, q = (finer, 2 * i + 1, 2 * j + 1) if which == NEAR else (coarser, i // 2 + 1, j // 2 + 1)
                row[OTHER], row[OTHER_AFTER], row[OTHER_BEFORE] = other[p, q], other[p, q + 1], other[p, q - 1]
                count += 1
    return count
