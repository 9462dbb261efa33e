"""Derivatives by 3 x 3 windows, and the steps of Canny's edges. The torch definitions are in `photochrom.num.edges`.

Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.edges import TANGENT
from photochrom.num.kernels.powers import wide

_FAST = {"contract", "nsz"}
_TANGENT = np.float32(TANGENT)


@njit(nogil=True, cache=True, fastmath=_FAST)
def _line(source, i, fold_x, out):
    # a row with one more pixel at either end; nothing outside is zero
    width = out.size - 2
    if i < 0:
        out[:] = 0
        return
    row = source[i]
    inner = out[1 : width + 1]
    for j in range(width):
        inner[j] = row[j]
    out[0] = row[fold_x[0]] if fold_x[0] >= 0 else np.float32(0)
    out[width + 1] = row[fold_x[1]] if fold_x[1] >= 0 else np.float32(0)


@njit(nogil=True, cache=True, fastmath=_FAST)
def _cross(a, b, c, smooth, slope, sums, rises):
    wide()
    s0, s1, s2 = smooth[0], smooth[1], smooth[2]
    d0, d1, d2 = slope[0], slope[1], slope[2]
    for j in range(a.size):
        sums[j] = s0 * a[j] + s1 * b[j] + s2 * c[j]
        rises[j] = d0 * a[j] + d1 * b[j] + d2 * c[j]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _along(line, w0, w1, w2, out):
    wide()
    left, middle, right = line[: out.size], line[1 : out.size + 1], line[2:]
    for j in range(out.size):
        out[j] = w0 * left[j] + w1 * middle[j] + w2 * right[j]


@njit(nogil=True, cache=True, fastmath=_FAST)
def pair(source, fold_y, fold_x, smooth, slope, dx, dy, first, last):
    """Write both derivatives of rows first..last of a plane, dx = slope across of smooth down, dy the other way.

    Args:
        source: (H, W) float32.
        fold_y: (H + 2,) rows of the rows from -1 to H; -1 is zeros.
        fold_x: (2,) columns of -1 and W.
        smooth: (3,) float32.
        slope: (3,) float32.
        dx: (H, W) float32; written.
        dy: (H, W) float32; written.
        first: first row.
        last: one past the last row.
    """
    width = source.shape[1]
    lines = np.empty((3, width + 2), np.float32)
    sums, rises = np.empty(width + 2, np.float32), np.empty(width + 2, np.float32)
    _line(source, fold_y[first], fold_x, lines[0])
    _line(source, fold_y[first + 1], fold_x, lines[1])
    for i in range(first, last):
        k = i - first
        _line(source, fold_y[i + 2], fold_x, lines[(k + 2) % 3])
        _cross(lines[k % 3], lines[(k + 1) % 3], lines[(k + 2) % 3], smooth, slope, sums, rises)
        _along(sums, slope[0], slope[1], slope[2], dx[i])
        _along(rises, smooth[0], smooth[1], smooth[2], dy[i])


@njit(nogil=True, cache=True, fastmath=_FAST)
def laplacian(source, fold_y, fold_x, eight, out, first, last):
    """Write the sum of the four (or eight) neighbours less as many times the pixel, rows first..last of a plane."""
    width = source.shape[1]
    lines = np.empty((3, width + 2), np.float32)
    sums = np.empty(width + 2, np.float32)
    _line(source, fold_y[first], fold_x, lines[0])
    _line(source, fold_y[first + 1], fold_x, lines[1])
    for i in range(first, last):
        k = i - first
        _line(source, fold_y[i + 2], fold_x, lines[(k + 2) % 3])
        a, b, c = lines[k % 3], lines[(k + 1) % 3], lines[(k + 2) % 3]
        if eight:
            _sum(a, b, c, sums)
            _eight(sums, b[1:], out[i])
        else:
            _four(a[1:], b, c[1:], out[i])


@njit(nogil=True, cache=True, fastmath=_FAST)
def _sum(a, b, c, out):
    wide()
    for j in range(out.size):
        out[j] = a[j] + b[j] + c[j]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _eight(sums, middle, out):
    wide()
    left, here, right = sums[: out.size], sums[1 : out.size + 1], sums[2:]
    for j in range(out.size):
        out[j] = left[j] + here[j] + right[j] - np.float32(9) * middle[j]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _four(above, line, under, out):
    wide()
    left, here, right = line[: out.size], line[1 : out.size + 1], line[2:]
    for j in range(out.size):
        out[j] = above[j] + under[j] + left[j] + right[j] - np.float32(4) * here[j]


@njit(nogil=True, cache=True)
def blur_levels(source, fold_y, fold_x, taps, out, first, last):
    """Blur rows first..last of 8-bit levels (H, W) by five whole taps of sum 256, down and across, rounded once.

    Args:
        source: (H, W) uint8.
        fold_y: (H + 4,) rows of the rows from -2 to H + 1.
        fold_x: (W + 4,) columns likewise; only the outer ones are read.
        taps: (3,) int32, from the outermost to the middle.
        out: (H, W) uint8; written.
        first: first row.
        last: one past the last row.
    """
    width = source.shape[1]
    line = np.empty(width + 4, np.int32)
    p, q, m = taps[0], taps[1], taps[2]
    for i in range(first, last):
        _down(source[fold_y[i]], source[fold_y[i + 1]], source[fold_y[i + 2]], source[fold_y[i + 3]],
              source[fold_y[i + 4]], p, q, m, line[2 : width + 2])
        for k in range(2):
            line[k] = line[2 + fold_x[k]]
            line[width + 2 + k] = line[2 + fold_x[width + 2 + k]]
        _five(line, p, q, m, out[i])


@njit(nogil=True, cache=True)
def _down(a, b, c, d, e, p, q, m, out):
    wide()
    for j in range(out.size):
        out[j] = p * (np.int32(a[j]) + np.int32(e[j])) + q * (np.int32(b[j]) + np.int32(d[j])) + m * np.int32(c[j])


@njit(nogil=True, cache=True)
def _five(line, p, q, m, out):
    wide()
    n = out.size
    a, b, c, d, e = line[:n], line[1 : n + 1], line[2 : n + 2], line[3 : n + 3], line[4:]
    for j in range(n):
        total = p * (a[j] + e[j]) + q * (b[j] + d[j]) + m * c[j]
        out[j] = np.uint8((total + np.int32(32768)) >> np.int32(16))


@njit(nogil=True, cache=True)
def thin(source, fold_y, fold_x, squared, low, high, out, first, last):
    """Mark the pixels of rows first..last whose gradient is greatest across the edge: 2 above `high`, 1 above `low`.

    Args:
        source: (H, W) float32 or uint8, blurred.
        fold_y: (H + 4,) rows of the rows from -2 to H + 1.
        fold_x: (2,) columns of -1 and W.
        squared: the size of a gradient is dx^2 + dy^2, else |dx| + |dy|.
        low: limits of that size.
        high: see `low`.
        out: (H, W) uint8; written; its rows may lie apart.
        first: first row.
        last: one past the last row.
    """
    height, width = source.shape
    lines = np.empty((3, width + 2), np.float32)
    sums, rises = np.empty(width + 2, np.float32), np.empty(width + 2, np.float32)
    dx, dy, size = (np.zeros((3, width), np.float32), np.zeros((3, width), np.float32),
                    np.zeros((3, width + 2), np.float32))
    one, two = np.float32(1), np.float32(2)
    smooth, slope = np.array([one, two, one]), np.array([-one, np.float32(0), one])
    _line(source, fold_y[first], fold_x, lines[0])
    _line(source, fold_y[first + 1], fold_x, lines[1])
    for i in range(first - 1, last + 1):   # the gradient of row i, then what row i - 1 makes of it
        k = i - first + 1
        _line(source, fold_y[i + 3], fold_x, lines[(k + 2) % 3])
        x, y, m = dx[k % 3], dy[k % 3], size[k % 3]
        if i < 0 or i >= height:
            m[:] = 0
        else:
            _cross(lines[k % 3], lines[(k + 1) % 3], lines[(k + 2) % 3], smooth, slope, sums, rises)
            _along(sums, slope[0], slope[1], slope[2], x)
            _along(rises, smooth[0], smooth[1], smooth[2], y)
            _size(x, y, squared, m[1 : width + 1])
        if i > first:
            c = (k + 2) % 3
            _peaks(dx[c], dy[c], size[(k + 1) % 3], size[c], m, low, high, out[i - 1])


@njit(nogil=True, cache=True, fastmath=_FAST)
def _size(x, y, squared, out):
    wide()
    if squared:
        for j in range(out.size):
            out[j] = x[j] * x[j] + y[j] * y[j]
    else:
        for j in range(out.size):
            out[j] = abs(x[j]) + abs(y[j])


@njit(nogil=True, cache=True)
def _peaks(dx, dy, above, here, under, low, high, out):
    for j in range(out.size):
        out[j] = 0
        m = here[j + 1]
        if m > low:
            x, y = abs(dx[j]), abs(dy[j])
            flat = x * _TANGENT
            if y < flat:
                peak = m > here[j] and m >= here[j + 2]
            elif y > flat + x + x:
                peak = m > above[j + 1] and m >= under[j + 1]
            elif (dx[j] < 0) != (dy[j] < 0):
                peak = m > above[j + 2] and m > under[j]
            else:
                peak = m > above[j] and m > under[j + 2]
            if peak:
                out[j] = 2 if m > high else 1


@njit(nogil=True, cache=True)
def link(marks, words, pitch, low, high, first, last):
    """Turn every 1 of rows low..high that hangs together with a 2 of rows first..last there into a 2, in place.

    Args:
        marks: flat uint8 rows of `pitch`, a multiple of 8; the first and last row and column are 0.
        words: the same memory as uint64.
        pitch: length of a row.
        low: rows that may be looked at and changed.
        high: one past the last of them.
        first: rows whose 2s are followed.
        last: one past the last of them.
    """
    stack = np.empty(4096, np.int64)
    steps = (-pitch - 1, -pitch, -pitch + 1, -1, 1, pitch - 1, pitch, pitch + 1)
    begin, end = low * pitch, high * pitch
    for k in range(first * pitch // 8, last * pitch // 8):
        if words[k] == 0:
            continue
        for start in range(8 * k, 8 * k + 8):
            if marks[start] != 2:
                continue
            count = 1
            stack[0] = start
            while count > 0:
                count -= 1
                at = stack[count]
                if count + 8 > stack.size:
                    more = np.empty(2 * stack.size, np.int64)
                    more[:count] = stack[:count]
                    stack = more
                for step in steps:
                    to = at + step
                    if begin <= to < end and marks[to] == 1:
                        marks[to] = 2
                        stack[count] = to
                        count += 1


@njit(nogil=True, cache=True)
def white(marks, out, first, last):
    """Write 255 where marks (H, W) are 2, else 0."""
    for i in range(first, last):
        _white(marks[i], out[i])


@njit(nogil=True, cache=True)
def _white(marks, out):
    wide()
    for j in range(out.size):
        out[j] = np.uint8(0) - (marks[j] >> np.uint8(1))
