"""Local histograms over a grid of tiles, and curves blended between tiles. Imported on first use (Numba)."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def count_tile(samples, fold_y, fold_x, top, left, height, width, out):
    """out[k, v] += how often the tile holds the value v; fold_y and fold_x say where rows and columns are read."""
    whole = max(0, min(left + width, samples.shape[1]) - left)
    a, b, c, d = out[0], out[1], out[2], out[3]
    for i in range(top, top + height):
        line = samples[fold_y[i]]
        row = line[left : left + whole]
        even = whole // 4 * 4
        for j in range(0, even, 4):
            a[row[j]] += 1
            b[row[j + 1]] += 1
            c[row[j + 2]] += 1
            d[row[j + 3]] += 1
        for j in range(even, whole):
            a[row[j]] += 1
        for j in range(left + whole, left + width):
            a[line[fold_x[j]]] += 1


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def blend_few(samples, curves, row_tile, row_share, starts, tiles, inverse, first, out):
    """Send samples through curves (ty, tx, levels) blended between the four tiles around each, few levels.

    The two rows of tiles are blended once for a row of pixels. `starts[s]` is where the columns begin that lie between
    the tiles tiles[s, 0] and tiles[s, 1].
    """
    across, levels = curves.shape[1], curves.shape[2]
    line = np.empty((across, levels), np.float32)
    half = np.float32(8388608)
    for i in range(samples.shape[0]):
        y = first + i
        upper, lower, share = curves[row_tile[y, 0]], curves[row_tile[y, 1]], row_share[y]
        for t in range(across):
            one, two, dst = upper[t], lower[t], line[t]
            for v in range(levels):
                dst[v] = one[v] + share * (two[v] - one[v])
        src, done = samples[i], out[i]
        for s in range(starts.size - 1):
            one, two = line[tiles[s, 0]], line[tiles[s, 1]]
            origin = np.float32(tiles[s, 2])
            for j in range(starts[s], starts[s + 1]):
                v = src[j]
                part = np.float32(j) * inverse - np.float32(0.5) - origin
                low = one[v]
                value = low + part * (two[v] - low)
                done[j] = np.int32((value + half) - half)   # 2^23 leaves no room for a fraction: half to even


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def blend_many(samples, curves, row_tile, row_share, starts, tiles, inverse, first, out):
    """As `blend_few`, where there are more levels than pixels in a row."""
    half = np.float32(8388608)
    for i in range(samples.shape[0]):
        y = first + i
        upper, lower, share = curves[row_tile[y, 0]], curves[row_tile[y, 1]], row_share[y]
        src, done = samples[i], out[i]
        for s in range(starts.size - 1):
            a, b, c, d = upper[tiles[s, 0]], upper[tiles[s, 1]], lower[tiles[s, 0]], lower[tiles[s, 1]]
            origin = np.float32(tiles[s, 2])
            for j in range(starts[s], starts[s + 1]):
                v = src[j]
                part = np.float32(j) * inverse - np.float32(0.5) - origin
                one, two = a[v] + part * (b[v] - a[v]), c[v] + part * (d[v] - c[v])
                value = one + share * (two - one)
                done[j] = np.int32((value + half) - half)
