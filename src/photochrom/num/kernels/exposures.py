"""Weights of exposure fusion and sums of a radiance map. The torch definitions are in `photochrom.num.exposures`."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

_FAST = {"contract", "nsz", "reassoc"}


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
    top, most = np.float32(levels - 1), np.int32(levels - 2)
    points = stack.shape[2]
    for c in range(first, last):
        table, above, sums, weights = tables[c, :-1], tables[c, 1:], total[c], weight[c]
        floor = least[c] * top
        sums[:] = 0
        weights[:] = 0
        for n in range(stack.shape[0]):
            picture, t = stack[n, c], log_times[n]
            for p in range(points):
                z = min(max(picture[p] * top, np.float32(0)), top)
                i = max(min(np.int32(z), most), np.int32(0))   # NaN must not read outside the table
                low = table[i]
                g = low + (z - np.float32(i)) * (above[i] - low)
                w = max(min(z - floor, top - z), np.float32(0))
                weights[p] += w
                sums[p] += w * (g - t)
        i = min(int(floor), levels - 2)
        dark = table[i] + (floor - np.float32(i)) * (above[i] - table[i])
        for p in range(points):
            if weights[p] > 0:
                sums[p] /= weights[p]
            else:
                sums[p] = _bound(stack[:, c, p], log_times, top, floor, dark, above[levels - 2])


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
