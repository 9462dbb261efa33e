"""Halving a picture, and one level of a blend of pyramids. The torch definitions are in `photochrom.num.pyramids`."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

_FAST = {"contract", "nsz", "reassoc"}


@njit(nogil=True, cache=True)
def _mirror(i, n):
    # the mirror with the edge sample repeated, as often as a tiny picture needs
    i = i % (2 * n)
    return i if i < n else 2 * n - 1 - i


@njit(nogil=True, cache=True, fastmath=_FAST)
def reduce(src, dst, first, last):
    """Halve planes by 1 4 6 4 1 / 16.

    Args:
        src: (P, H, W) float32.
        dst: (P, ceil(H / 2), ceil(W / 2)) float32; written.
        first: first unit; unit u is row u % rows of plane u // rows of the result.
        last: one past the last unit.
    """
    height, width = src.shape[1], src.shape[2]
    rows, columns = dst.shape[1], dst.shape[2]
    line = np.empty(width + 5, np.float32)
    for unit in range(first, last):
        p, i = unit // rows, unit % rows
        a, b = src[p, _mirror(2 * i - 2, height)], src[p, _mirror(2 * i - 1, height)]
        c = src[p, 2 * i]
        d, e = src[p, _mirror(2 * i + 1, height)], src[p, _mirror(2 * i + 2, height)]
        inner = line[2 : width + 2]
        for j in range(width):
            inner[j] = (a[j] + e[j]) * np.float32(0.0625) + (b[j] + d[j]) * np.float32(0.25) + c[j] * np.float32(0.375)
        line[1] = inner[0]
        line[0] = inner[_mirror(-2, width)]
        for k in range(3):
            line[width + 2 + k] = inner[_mirror(width + k, width)]
        out = dst[p, i]
        for j in range(columns):
            q = 2 * j
            out[j] = ((line[q] + line[q + 4]) * np.float32(0.0625) + (line[q + 1] + line[q + 3]) * np.float32(0.25)
                      + line[q + 2] * np.float32(0.375))


@njit(nogil=True, cache=True, fastmath=_FAST)
def _between(plane, i, line):
    # row i of the doubled plane, before it is doubled along the row; line[0] and line[-1] repeat the edge
    rows, columns = plane.shape
    k = i // 2
    inner = line[1 : columns + 1]
    if i % 2 == 0:
        a, b, c = plane[max(0, k - 1)], plane[k], plane[min(rows - 1, k + 1)]
        for j in range(columns):
            inner[j] = (a[j] + c[j]) * np.float32(0.125) + b[j] * np.float32(0.75)
    else:
        b, c = plane[k], plane[min(rows - 1, k + 1)]
        for j in range(columns):
            inner[j] = (b[j] + c[j]) * np.float32(0.5)
    line[0] = inner[0]
    line[columns + 1] = inner[columns - 1]


@njit(nogil=True, cache=True, fastmath=_FAST)
def mix(fine, coarse, share, below, out, first, last):
    """Write sum_n share_n (fine_n - doubled coarse_n) + doubled below.

    Args:
        fine: (N, C, H, W) float32.
        coarse: (N, C, ceil(H / 2), ceil(W / 2)).
        share: (N, 1, H, W).
        below: (1, C, ceil(H / 2), ceil(W / 2)).
        out: (1, C, H, W); written.
        first: first unit; unit u is row u % H of channel u // H.
        last: one past the last unit.
    """
    count, height, width = fine.shape[0], fine.shape[2], fine.shape[3]
    columns = coarse.shape[3]
    line = np.empty(columns + 2, np.float32)
    total = np.empty(2 * columns, np.float32)
    pairs, single = width // 2, width % 2
    for unit in range(first, last):
        c, i = unit // height, unit % height
        _between(below[0, c], i, line)
        for j in range(columns):
            total[2 * j] = (line[j] + line[j + 2]) * np.float32(0.125) + line[j + 1] * np.float32(0.75)
            total[2 * j + 1] = (line[j + 1] + line[j + 2]) * np.float32(0.5)
        for n in range(count):
            _between(coarse[n, c], i, line)
            x, w = fine[n, c, i], share[n, 0, i]
            for j in range(pairs):
                even = (line[j] + line[j + 2]) * np.float32(0.125) + line[j + 1] * np.float32(0.75)
                odd = (line[j + 1] + line[j + 2]) * np.float32(0.5)
                total[2 * j] += w[2 * j] * (x[2 * j] - even)
                total[2 * j + 1] += w[2 * j + 1] * (x[2 * j + 1] - odd)
            if single:
                j = pairs
                even = (line[j] + line[j + 2]) * np.float32(0.125) + line[j + 1] * np.float32(0.75)
                total[2 * j] += w[2 * j] * (x[2 * j] - even)
        out[0, c, i] = total[:width]
