"""Colour tables: three planes go in, three come out, or samples of 8 and 16 bits.

No product is contracted with a sum: `samples` gives the very bits of `tetrahedral` or `trilinear`, rounded.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from __future__ import annotations

import numpy as np
from numba import njit

_CHUNK = 512


@njit(nogil=True, cache=True, fastmath={"nsz"})
def _place(values, low, scale, top, cell, part):
    """The cell of each value along one axis, as floor(t) at most top - 1, and the way through it."""
    last = np.float32(top - 1)
    zero, end = np.float32(0), np.float32(top)
    for j in range(values.size):
        t = (values[j] - low) * scale
        t = t if t > zero else zero   # false for NaN, which becomes 0
        t = t if t < end else end
        whole = np.float32(np.int32(t))
        whole = whole if whole < last else last
        cell[j] = np.int32(whole)
        part[j] = t - whole


@njit(nogil=True, cache=True, fastmath={"nsz"})
def _four(cr, cg, cb, fr, fg, fb, count, table, side, first, second, o0, o1, o2):
    """Interpolate in the tetrahedron; the cells become corners, the parts weights."""
    one = np.float32(1)
    red, green, blue = np.int32(3), np.int32(3 * side), np.int32(3 * side * side)
    every = red + green + blue
    for j in range(count):
        x, y, z = fr[j], fg[j], fb[j]
        base = cr[j] * red + cg[j] * green + cb[j] * blue
        most = max(x, max(y, z))
        least = min(x, min(y, z))
        # The way through the cell: first along the axis of the largest part, last along that of the least.
        along = blue if (z >= x and z >= y) else (green if y >= x else red)
        last = red if (x <= y and x <= z) else (green if y <= z else blue)
        cr[j] = base
        first[j] = base + along
        second[j] = base + every - last
        fr[j] = most
        fg[j] = x + y + z - most - least
        fb[j] = least
    for j in range(count):
        a, b, c = cr[j], first[j], second[j]
        d = a + every
        wa, wb, wc, wd = one - fr[j], fr[j] - fg[j], fg[j] - fb[j], fb[j]
        o0[j] = wa * table[a] + wb * table[b] + wc * table[c] + wd * table[d]
        o1[j] = wa * table[a + 1] + wb * table[b + 1] + wc * table[c + 1] + wd * table[d + 1]
        o2[j] = wa * table[a + 2] + wb * table[b + 2] + wc * table[c + 2] + wd * table[d + 2]


@njit(nogil=True, cache=True, fastmath={"nsz"})
def _between(table, a, b, c, d, x, y, z):
    front0 = table[a] + x * (table[a + 3] - table[a])
    front1 = table[b] + x * (table[b + 3] - table[b])
    back0 = table[c] + x * (table[c + 3] - table[c])
    back1 = table[d] + x * (table[d + 3] - table[d])
    front = front0 + y * (front1 - front0)
    back = back0 + y * (back1 - back0)
    return front + z * (back - front)


@njit(nogil=True, cache=True, fastmath={"nsz"})
def _eight(cr, cg, cb, fr, fg, fb, count, table, side, o0, o1, o2):
    """Interpolate between the eight corners of the cell."""
    red, green, blue = np.int32(3), np.int32(3 * side), np.int32(3 * side * side)
    for j in range(count):
        x, y, z = fr[j], fg[j], fb[j]
        a = cr[j] * red + cg[j] * green + cb[j] * blue
        b, c = a + green, a + blue
        d = c + green
        o0[j] = _between(table, a, b, c, d, x, y, z)
        o1[j] = _between(table, a + 1, b + 1, c + 1, d + 1, x, y, z)
        o2[j] = _between(table, a + 2, b + 2, c + 2, d + 2, x, y, z)


@njit(nogil=True, cache=True, fastmath={"nsz"})
def _carry(values, low, high, out):
    """Add what lies beyond the ends of the table."""
    for j in range(values.size):
        inner = max(values[j], low)
        out[j] += values[j] - min(inner, high)


@njit(nogil=True, cache=True, fastmath={"nsz"})
def cube(planes, table, side, low, high, scale, tetrahedra, carry, out):
    """out[:, j] = the table at planes[:, j]; planes (3, n), table (side^3 * 3,), red running fastest."""
    n = planes.shape[1]
    cr, cg, cb = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32)
    fr, fg, fb = np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32)
    first, second = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32)
    for begin in range(0, n, _CHUNK):
        count = min(_CHUNK, n - begin)
        _place(planes[0, begin:begin + count], low[0], scale[0], side - 1, cr, fr)
        _place(planes[1, begin:begin + count], low[1], scale[1], side - 1, cg, fg)
        _place(planes[2, begin:begin + count], low[2], scale[2], side - 1, cb, fb)
        o0, o1, o2 = out[0, begin:begin + count], out[1, begin:begin + count], out[2, begin:begin + count]
        if tetrahedra:
            _four(cr, cg, cb, fr, fg, fb, count, table, side, first, second, o0, o1, o2)
        else:
            _eight(cr, cg, cb, fr, fg, fb, count, table, side, o0, o1, o2)
        if carry:
            for k in range(3):
                _carry(planes[k, begin:begin + count], low[k], high[k], out[k, begin:begin + count])


@njit(nogil=True, cache=True, fastmath={"nsz"})
def samples(source, table, side, cells, parts, tetrahedra, top, out):
    """As `cube` for samples (n, 3) of integers; cells and parts (3, levels) say where each level falls."""
    n = source.shape[0]
    cr, cg, cb = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32)
    fr, fg, fb = np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32)
    first, second = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int32)
    o0, o1, o2 = np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32)
    c0, c1, c2, p0, p1, p2 = cells[0], cells[1], cells[2], parts[0], parts[1], parts[2]
    zero, half = np.float32(0), np.float32(8388608)
    for begin in range(0, n, _CHUNK):
        count = min(_CHUNK, n - begin)
        for j in range(count):
            r, g, b = source[begin + j, 0], source[begin + j, 1], source[begin + j, 2]
            cr[j], cg[j], cb[j] = c0[r], c1[g], c2[b]
            fr[j], fg[j], fb[j] = p0[r], p1[g], p2[b]
        if tetrahedra:
            _four(cr, cg, cb, fr, fg, fb, count, table, side, first, second, o0, o1, o2)
        else:
            _eight(cr, cg, cb, fr, fg, fb, count, table, side, o0, o1, o2)
        for line, whole in ((o0, cr), (o1, cg), (o2, cb)):
            for j in range(count):   # as `tables.pack`: half to even, clipped, NaN is 0
                value = line[j] * top if line[j] > zero else zero
                value = value if value < top else top
                whole[j] = np.int32((value + half) - half)
        for j in range(count):
            out[begin + j, 0] = cr[j]
            out[begin + j, 1] = cg[j]
            out[begin + j, 2] = cb[j]


@njit(nogil=True, cache=True, fastmath={"nsz"})
def curves(planes, table, side, low, high, scale, carry, out):
    """out[k, j] = the curve of channel k at planes[k, j]; table (side, 3)."""
    n = planes.shape[1]
    cell, part = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.float32)
    for begin in range(0, n, _CHUNK):
        count = min(_CHUNK, n - begin)
        for k in range(3):
            _place(planes[k, begin:begin + count], low[k], scale[k], side - 1, cell, part)
            target = out[k, begin:begin + count]
            for j in range(count):
                at = cell[j] * np.int32(3) + np.int32(k)
                target[j] = table[at] + part[j] * (table[at + 3] - table[at])
            if carry:
                _carry(planes[k, begin:begin + count], low[k], high[k], target)
