"""Table look-ups on stored samples."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def look_up(source, table, out):   # type: ignore[no-untyped-def]
    """out[i, j] = table[source[i, j]]."""
    for i in range(source.shape[0]):
        row, dst = source[i], out[i]
        for j in range(row.shape[0]):
            dst[j] = table[row[j]]


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
    for i in range(rows):
        for k in range(bands):
            src = planes[k, i]
            for j in range(width):
                value = src[j] * top
                value = min(max(value, np.float32(0)), top)
                out[i, j, k] = np.rint(value) if value == value else np.float32(0)
