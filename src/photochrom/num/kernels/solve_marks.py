"""Sets of patches, as planes of marks: small ones, for which NumPy's calls take longer than the work.

Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def wide(marks, after):
    """Return marks and their neighbours: those before and, by `after` of 1 instead of 0, behind them on both axes."""
    height, width = marks.shape
    made = np.zeros((height, width), np.bool_)
    for i in range(height):
        for j in range(width):
            if marks[i, j]:
                made[max(0, i - 1) : i + 1 + after, max(0, j - 1) : j + 1 + after] = True
    return made


@njit(nogil=True, cache=True)
def quarters(marks, all_of_them):
    """Return which four marks are all set, or any; beyond the end lies none."""
    height, width = marks.shape
    made = np.zeros(((height + 1) // 2, (width + 1) // 2), np.bool_)
    for i in range(made.shape[0]):
        for j in range(made.shape[1]):
            count = 0
            for y in range(2 * i, min(2 * i + 2, height)):
                for x in range(2 * j, min(2 * j + 2, width)):
                    count += marks[y, x]
            made[i, j] = count == 4 if all_of_them else count > 0
    return made


@njit(nogil=True, cache=True)
def parents(marks):
    """Return which patches of the next coarser grid some are interpolated from: one pixel beyond them counts too."""
    height, width = marks.shape
    made = np.zeros(((height + 1) // 2, (width + 1) // 2), np.bool_)
    for i in range(height):
        for j in range(width):
            if marks[i, j]:
                made[i // 2 : (i + 1) // 2 + 1, j // 2 : (j + 1) // 2 + 1] = True
    return made


@njit(nogil=True, cache=True)
def around_finer(near, used):
    """Mark in used, which begins one patch before a grid, what the next coarser one's patches are restricted from."""
    for i in range(near.shape[0]):
        for j in range(near.shape[1]):
            if near[i, j]:
                used[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] = True


@njit(nogil=True, cache=True)
def places(used, size):
    """Return a place for each patch used, in steps of a size, those above one another in one piece; and how many."""
    height, width = used.shape
    made, count = np.zeros((height, width), np.int64), 0
    for j in range(width):
        for i in range(height):
            if used[i, j]:
                count += 1
                made[i, j] = size * count
    return made, count
