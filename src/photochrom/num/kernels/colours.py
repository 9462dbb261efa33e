"""Collecting the colours of a picture, sums of signed differences over them, and a look-up in a lattice of colours.

Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

NUDGE = np.float32(1 / 1024)
"""Of an 8-bit level: what float32 makes of a stored level is taken for the level."""
OUTSIDE = (np.float32(0.2126), np.float32(0.7152), np.float32(0.0722))
"""Weights of what a colour lies beyond 0..1 (luminance of the sRGB primaries)."""


@njit(inline="always")
def _cell(value, top):
    """Return the cell of a value among top + 1; NaN is 0."""
    place = value * np.float32(255) + NUDGE
    place = place if place > 0 else np.float32(0)
    return np.int32(place if place < 255 else np.float32(255)) * (top + 1) // 256


@njit(nogil=True, cache=True)
def collect(red, green, blue, weight, weighted, cells, factor, table, keys, sums, off):
    """Sum weight and weighted colour over each of cells^3 boxes.

    `table` is a hash table of a power of two entries, all -1; a key's place is key * factor. Returns the number of
    boxes found, or -1 where there are more than `keys` has room for.
    """
    mask, found, per = table.size - 1, 0, np.float32(255) / 256 * cells
    for i in range(red.size):
        r, g, b = red[i], green[i], blue[i]
        w = weight[i] if weighted else np.float32(1)
        kr, kg, kb = _cell(r, cells - 1), _cell(g, cells - 1), _cell(b, cells - 1)
        key = (kr * cells + kg) * cells + kb
        place = (np.int64(key) * factor) & mask
        slot = table[place]
        while slot >= 0 and keys[slot] != key:
            place = (place + 1) & mask
            slot = table[place]
        if slot < 0:
            if found == keys.size:
                return -1
            slot = found
            table[place] = slot
            keys[slot] = key
            found += 1
        entry = sums[slot]
        entry[0] += w
        entry[1] += w * r
        entry[2] += w * g
        entry[3] += w * b
        if max(r * per - kr, g * per - kg, b * per - kb) > NUDGE:
            off[slot] = True
    return found


@njit(inline="always")
def _tanh(x):
    """A rational approximation on 0..9, within 4e-7 (the coefficients are those of Eigen)."""
    x = min(x, np.float32(9))
    s = x * x
    p = s * np.float32(-2.76076847742355e-16) + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = s * np.float32(1.19825839466702e-06) + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc", "arcp"})
def signed_sums(targets, light, green, blue, weight, cos, sin, bound, first, last, out):
    """out[i] = sum over j of weight[j] delta(targets[i], (light, green, blue)[j]), see `num.signed.signed`."""
    scale, count = np.float32(1) / bound, light.size
    for i in range(first, last):
        m, a, b = targets[i, 0], targets[i, 1], targets[i, 2]
        total = 0.0
        for start in range(0, count, 1024):
            stop = min(start + 1024, count)
            ls, gs, bs, ws = light[start:stop], green[start:stop], blue[start:stop], weight[start:stop]
            part = np.float32(0)
            for j in range(stop - start):
                dl, da, db = m - ls[j], a - gs[j], b - bs[j]
                chroma = bound * _tanh(np.sqrt(da * da + db * db) * scale)
                side = da * cos + db * sin
                size = chroma if side > 0 else -chroma
                part += ws[j] * (dl if (abs(dl) > chroma) | (side == 0) else size)
            total += part
        out[i] = total


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def window_sums(light, green, blue, radius, cos, sin, bound, first, last, out):
    """out[y, x] += the sum of delta from the pixels within `radius` of (y, x), windows cut at the picture's edge."""
    height, width = light.shape
    scale = np.float32(1) / bound
    for y in range(first, last):
        row = out[y]
        for v in range(max(0, y - radius), min(height, y + radius + 1)):
            for dx in range(-min(radius, width - 1), min(radius, width - 1) + 1):
                start, stop = max(0, -dx), min(width, width - dx)
                l0, a0, b0 = light[y, start:stop], green[y, start:stop], blue[y, start:stop]
                begin, end = start + dx, stop + dx
                l1, a1, b1 = light[v, begin:end], green[v, begin:end], blue[v, begin:end]
                target = row[start:stop]
                for x in range(stop - start):
                    dl, da, db = l0[x] - l1[x], a0[x] - a1[x], b0[x] - b1[x]
                    chroma = bound * _tanh(np.sqrt(da * da + db * db) * scale)
                    side = da * cos + db * sin
                    size = chroma if side > 0 else -chroma
                    target[x] += dl if (abs(dl) > chroma) | (side == 0) else size


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def look_up_lattice(red, green, blue, table, cells, out):
    """Interpolate table, (cells + 1)^3 values, over tetrahedra; what lies outside 0..1 is added by its luminance."""
    per, side = np.float32(255) / 256 * cells, cells + 1
    plane = side * side
    for i in range(red.size):
        r = min(max(red[i], np.float32(0)), np.float32(1))
        g = min(max(green[i], np.float32(0)), np.float32(1))
        b = min(max(blue[i], np.float32(0)), np.float32(1))
        kr, kg, kb = _cell(r, cells - 1), _cell(g, cells - 1), _cell(b, cells - 1)
        fr, fg, fb = r * per - kr, g * per - kg, b * per - kb
        fr = fr if fr > NUDGE else np.float32(0)
        fg = fg if fg > NUDGE else np.float32(0)
        fb = fb if fb > NUDGE else np.float32(0)
        base = (kr * side + kg) * side + kb
        # the largest fraction is walked first: high, then middle, then low
        if fr >= fg:
            if fg >= fb:
                high, middle, low, one, two = fr, fg, fb, plane, plane + side
            elif fr >= fb:
                high, middle, low, one, two = fr, fb, fg, plane, plane + 1
            else:
                high, middle, low, one, two = fb, fr, fg, 1, plane + 1
        elif fr >= fb:
            high, middle, low, one, two = fg, fr, fb, side, plane + side
        elif fg >= fb:
            high, middle, low, one, two = fg, fb, fr, side, side + 1
        else:
            high, middle, low, one, two = fb, fg, fr, 1, side + 1
        v0, v1, v2 = table[base], table[base + one], table[base + two]
        v3 = table[base + plane + side + 1]
        beyond = (red[i] - r) * OUTSIDE[0] + (green[i] - g) * OUTSIDE[1] + (blue[i] - b) * OUTSIDE[2]
        out[i] = v0 + high * (v1 - v0) + middle * (v2 - v1) + low * (v3 - v2) + beyond
