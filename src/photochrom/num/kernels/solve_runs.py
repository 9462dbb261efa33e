"""The runs of rows: where the operator of weights 1 is uniform, where unknowns are, which rows are like the one above.

Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from numba import njit

from photochrom.num.kernels.solve_rows import MARGIN

REACH = 4  # fine pixels around a coarse one that its weights, and the ways to its neighbours, depend on


@njit(nogil=True)
def _extent(line, width, runs, i):
    """Write and return where the unknowns of a row begin and end."""
    begin, end = 0, width
    while begin < width and not line[begin]:
        begin += 1
    while end > begin and not line[end - 1]:
        end -= 1
    runs[i, 2], runs[i, 3] = begin, end
    return begin, end


@njit(nogil=True)
def _longest(line, whole, start, stop, runs, i):
    """Write the longest run of a value between two places of a row."""
    for j in range(start, stop + 1):
        if j == stop or line[j] != whole:
            if j - start > runs[i, 1] - runs[i, 0]:
                runs[i, 0], runs[i, 1] = start, j
            start = j + 1


@njit(nogil=True, cache=True)
def find_runs(inverse, width, pitch, runs, plain, first, last):
    """Write where the unknowns of each row begin and end, and the longest run of them with four neighbours of weight 1.

    Without weights of 1 (not `plain`) there is none.
    """
    for i in range(first, last):
        p = (i + 1) * pitch + MARGIN
        line = inverse[p : p + width]
        begin, end = _extent(line, width, runs, i)
        if plain:
            _longest(line, inverse.dtype.type(0.25), begin, end, runs, i)


@njit(nogil=True, cache=True)
def find_marked_runs(unknown, height, width, runs, first, last):
    """Write the same for weights of 1 inside a frame, from the marks alone."""
    for i in range(first, last):
        line = unknown[i * width : (i + 1) * width]
        begin, end = _extent(line, width, runs, i)
        if 0 < i < height - 1:
            _longest(line, True, max(1, begin), min(end, width - 1), runs, i)


@njit(nogil=True, cache=True)
def halve_runs(runs, made, width):
    """Write the runs of the next coarser grid: what all rows within `REACH` share, less `REACH` at both ends.

    Its unknowns begin and end where some of the rows around do.
    """
    for row in range(made.shape[0]):
        begin, end = 2 * width, 0
        for i in range(max(0, 2 * row - 2), min(runs.shape[0], 2 * row + 3)):
            if runs[i, 3] > runs[i, 2]:
                begin, end = min(begin, runs[i, 2]), max(end, runs[i, 3])
        if end > begin:
            made[row, 2], made[row, 3] = max(0, begin // 2 - 1), min(width, end // 2 + 2)
        if 2 * row < REACH or 2 * row + REACH >= runs.shape[0]:
            continue
        lo, hi = 0, 1 << 40
        for i in range(2 * row - REACH, 2 * row + REACH + 1):
            lo, hi = max(lo, runs[i, 0]), min(hi, runs[i, 1])
        lo, hi = (lo + REACH + 1) // 2, (hi - 1 - REACH) // 2 + 1
        if hi > lo:
            made[row, 0], made[row, 1] = lo, hi


@njit(nogil=True, cache=True)
def hollow_runs(runs, margin):
    """Write which part of each run lies further than a margin from all that is not in runs."""
    for row in range(margin, runs.shape[0] - margin):
        lo, hi = runs[row, 0] + margin, runs[row, 1] - margin
        for i in range(row - margin, row + margin + 1):
            lo, hi = max(lo, runs[i, 0] + margin), min(hi, runs[i, 1] - margin)
            if hi <= lo:
                break
        if hi > lo:
            runs[row, 4], runs[row, 5] = lo, hi


@njit(nogil=True, cache=True)
def find_alike(runs, made):
    """Tell of each row whether its equations are those of the row above: both are one run, between the same columns."""
    for i in range(1, runs.shape[0]):
        lo, hi = runs[i, 0], runs[i, 1]
        made[i] = hi > lo and runs[i, 2] == lo and runs[i, 3] == hi
        for k in range(4):
            made[i] &= runs[i, k] == runs[i - 1, k]


@njit(nogil=True, cache=True)
def halve_alike(alike, made):
    """Tell the same of the next coarser grid: all rows that the two depend on are alike."""
    for row in range(1, made.shape[0]):
        first, last = 2 * row - 2 - REACH, 2 * row + REACH
        made[row] = first > 0 and last < alike.shape[0]
        for i in range(first + 1, last + 1 if made[row] else 0):
            made[row] &= alike[i]
