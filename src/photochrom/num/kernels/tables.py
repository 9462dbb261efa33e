"""Table look-ups on stored samples."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def look_up(source, table, out):   # type: ignore[no-untyped-def]
    """out[i] = table[source[i]]."""
    for i in range(source.shape[0]):
        out[i] = table[source[i]]


@njit(nogil=True, cache=True)
def look_up_pairs(words, table, out):   # type: ignore[no-untyped-def]
    """Send each of the four pairs of bytes of a word through a table of 65536 pairs."""
    pair, once, twice, thrice = np.uint64(65535), np.uint64(16), np.uint64(32), np.uint64(48)
    for i in range(words.shape[0]):
        word = words[i]
        found = np.uint64(table[word & pair])
        found |= np.uint64(table[(word >> once) & pair]) << once
        found |= np.uint64(table[(word >> twice) & pair]) << twice
        found |= np.uint64(table[word >> thrice]) << thrice
        out[i] = found


@njit(nogil=True, cache=True)
def look_up_colour(source, table, bands, out):   # type: ignore[no-untyped-def]
    """As `look_up`, but the last of every `bands` samples is alpha and passes untouched."""
    for i in range(source.shape[0]):
        row, dst = source[i], out[i]
        for j in range(0, row.shape[0], bands):
            for k in range(bands - 1):
                dst[j + k] = table[row[j + k]]
            dst[j + bands - 1] = row[j + bands - 1]


@njit(nogil=True, cache=True)
def look_up_planes(source, table, identity, colours, planes):   # type: ignore[no-untyped-def]
    """planes[k, i, j] = table[source[i, j, k]], or the plain scale for alpha."""
    rows, width, bands = source.shape
    for i in range(rows):
        for k in range(bands):
            entries = table if k < colours else identity
            dst = planes[k, i]
            for j in range(width):
                dst[j] = entries[source[i, j, k]]


@njit(nogil=True, cache=True)
def pack(planes, top, out):   # type: ignore[no-untyped-def]
    """out[i, j, k] = planes[k, i, j] * top, rounded half to even and clipped to 0..top; NaN becomes 0."""
    bands, rows, width = planes.shape
    line = np.empty((bands, width), out.dtype)
    zero, half = np.float32(0), np.float32(8388608)
    for i in range(rows):
        for k in range(bands):
            src, dst = planes[k, i], line[k]
            for j in range(width):
                # The comparison is false for NaN. Adding 2^23 leaves no room for a fraction: it rounds half to even.
                value = src[j] * top if src[j] > zero else zero
                value = value if value < top else top
                dst[j] = np.int32((value + half) - half)
        row = out[i]
        if bands == 3:
            red, green, blue = line[0], line[1], line[2]
            for j in range(width):
                row[j, 0] = red[j]
                row[j, 1] = green[j]
                row[j, 2] = blue[j]
        else:
            for k in range(bands):
                src_line = line[k]
                for j in range(width):
                    row[j, k] = src_line[j]
