"""Weights of exposure fusion and sums of a radiance map. The torch definitions are in `photochrom.num.exposures`."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

_FAST = {"contract", "nsz", "reassoc"}
_RUN = 1024
"""Points taken through a table at once: the loops around the look-up vectorise, and what they share stays at hand."""


@njit(nogil=True, cache=True, fastmath=_FAST)
def gather(stack, tables, log_times, least, total, weight, first, last):
    """Average g(z) - log t over exposures, weighted by w(z).

    Args:
        stack: (N, C, P) float32, the pictures.
        tables: (C, L) float32, log exposure of each level.
        log_times: (N,) float32.
        least: (C,) float32 in 0..1, the level at and below which a picture is black.
        total: (C, P) float32; written: the weighted mean, or the bound that the clipped ones give.
        weight: (C, P) float32; scratch.
        first: first channel.
        last: one past the last channel.
    """
    levels = tables.shape[1]
    top = np.float32(levels - 1)
    points = stack.shape[2]
    z, g = np.empty(_RUN, np.float32), np.empty(_RUN, np.float32)
    index, slope = np.empty(_RUN, np.int32), np.zeros(levels, np.float32)
    for c in range(first, last):
        table, sums, weights = tables[c], total[c], weight[c]
        floor = least[c] * top
        for i in range(levels - 1):
            slope[i] = table[i + 1] - table[i]
        sums[:] = 0
        weights[:] = 0
        for start in range(0, points, _RUN):
            stop = min(points, start + _RUN)
            for n in range(stack.shape[0]):
                between = _split(stack[n, c, start:stop], top, z, index)
                for p in range(stop - start):
                    g[p] = table[np.intp(index[p])]
                if between > 0:
                    for p in range(stop - start):
                        g[p] += (z[p] - np.float32(index[p])) * slope[np.intp(index[p])]
                _add(z[: stop - start], g, floor, top, log_times[n], weights[start:stop], sums[start:stop])
        i = min(int(floor), levels - 2)
        dark = table[i] + (floor - np.float32(i)) * slope[i]
        for p in range(points):
            if weights[p] > 0:
                sums[p] /= weights[p]
            else:
                sums[p] = _bound(stack[:, c, p], log_times, top, floor, dark, table[levels - 1])


@njit(nogil=True, cache=True, fastmath=_FAST)
def _split(picture, top, z, index):
    # in levels: the value, the whole level below it, and how many values lie between two levels
    most, between = np.int32(top), np.int32(0)
    for p in range(picture.size):
        value = min(max(picture[p] * top, np.float32(0)), top)
        level = max(min(np.int32(value), most), np.int32(0))   # NaN must not read outside the table
        z[p] = value
        index[p] = level
        between += np.int32(value != np.float32(level))
    return between


@njit(nogil=True, cache=True, fastmath=_FAST)
def _add(z, g, floor, top, log_time, weights, sums):
    for p in range(z.size):
        w = max(min(z[p] - floor, top - z[p]), np.float32(0))
        weights[p] += w
        sums[p] += w * (g[p] - log_time)


@njit(nogil=True, cache=True)
def _bound(values, log_times, top, floor, dark, light):
    # all exposures of a pixel are clipped: the longest black and the shortest white one say most
    bounds, count = np.float32(0), 0
    far = np.float32(1e30)
    white, black = far, -far
    for n in range(values.size):
        z = min(max(values[n] * top, np.float32(0)), top)
        if z >= top:
            white = min(white, log_times[n])
        if z <= floor:
            black = max(black, log_times[n])
    if white < far:
        bounds += light - white
        count += 1
    if black > -far:
        bounds += dark - black
        count += 1
    return bounds / np.float32(max(1, count))


@njit(nogil=True, cache=True, fastmath=_FAST)
def _power(row, exponent):
    if exponent == 1:
        return
    if exponent == 0:
        row[:] = 1
        return
    for j in range(row.size):
        row[j] = row[j] ** np.float32(exponent)


@njit(nogil=True, cache=True, fastmath=_FAST)
def _grey(picture, i, out):
    if picture.shape[0] == 3:
        r, g, b = picture[0, i], picture[1, i], picture[2, i]
        for j in range(out.size):
            out[j] = np.float32(0.299) * r[j] + np.float32(0.587) * g[j] + np.float32(0.114) * b[j]
    else:
        out[:] = 0
        for c in range(picture.shape[0]):
            row = picture[c, i]
            for j in range(out.size):
                out[j] += row[j]
        for j in range(out.size):
            out[j] /= np.float32(picture.shape[0])


@njit(nogil=True, cache=True, fastmath=_FAST)
def quality(stack, exponents, least, floor, out, first, last):
    """Write the normalised weights of exposure fusion.

    Args:
        stack: (N, C, H, W) float32.
        exponents: (3,) float32: contrast, saturation, well-exposedness.
        least: contrast and saturation below it are taken for 0.
        floor: what is added to each weight.
        out: (N, 1, H, W) float32; written.
        first: first row.
        last: one past the last row.
    """
    count, channels, height, width = stack.shape
    above, here, under = np.empty(width, np.float32), np.empty(width + 2, np.float32), np.empty(width, np.float32)
    a, b = np.empty(width, np.float32), np.empty(width, np.float32)
    total = np.empty(width, np.float32)
    share = np.float32(1 / channels)
    for i in range(first, last):
        total[:] = 0
        for n in range(count):
            picture, w = stack[n], out[n, 0, i]
            w[:] = 1
            if exponents[0] > 0:
                _grey(picture, max(0, i - 1), above)
                _grey(picture, i, here[1 : width + 1])
                _grey(picture, min(height - 1, i + 1), under)
                here[0], here[width + 1] = here[1], here[width]
                for j in range(width):
                    d = abs(above[j] + under[j] + here[j] + here[j + 2] - np.float32(4) * here[j + 1])
                    w[j] = d if d > least else np.float32(0)
                _power(w, exponents[0])
            if exponents[1] > 0 and channels > 1:
                a[:] = 0
                for c in range(channels):
                    row = picture[c, i]
                    for j in range(width):
                        a[j] += row[j]
                b[:] = 0
                for c in range(channels):
                    row = picture[c, i]
                    for j in range(width):
                        d = row[j] - a[j] * share
                        b[j] += d * d
                for j in range(width):
                    d = np.sqrt(b[j] * share)
                    b[j] = d if d > least else np.float32(0)
                _power(b, exponents[1])
                for j in range(width):
                    w[j] *= b[j]
            if exponents[2] > 0:
                a[:] = 0
                for c in range(channels):
                    row = picture[c, i]
                    for j in range(width):
                        d = row[j] - np.float32(0.5)
                        a[j] += d * d
                scale = np.float32(-12.5 * exponents[2])
                for j in range(width):
                    w[j] *= np.exp(scale * a[j])
            for j in range(width):
                w[j] += floor
                total[j] += w[j]
        for n in range(count):
            w = out[n, 0, i]
            for j in range(width):
                w[j] /= total[j]
