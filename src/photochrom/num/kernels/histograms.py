"""Counting stored samples. Imported on first use (Numba).

Neighbouring pixels often have one value, and an addition must wait for the one before it to the same place in memory:
so several tables are filled side by side and added up at the end.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

_BYTE, _SHORT = np.uint64(255), np.uint64(65535)


@njit(nogil=True, cache=True)
def count_bytes(words, out):
    """out[k, v] += how often the value v is byte k or k + 4 of a word of eight."""
    a, b, c, d = out[0], out[1], out[2], out[3]
    for i in range(words.size):
        w = words[i]
        a[w & _BYTE] += 1
        b[(w >> np.uint64(8)) & _BYTE] += 1
        c[(w >> np.uint64(16)) & _BYTE] += 1
        d[(w >> np.uint64(24)) & _BYTE] += 1
        a[(w >> np.uint64(32)) & _BYTE] += 1
        b[(w >> np.uint64(40)) & _BYTE] += 1
        c[(w >> np.uint64(48)) & _BYTE] += 1
        d[w >> np.uint64(56)] += 1


@njit(nogil=True, cache=True)
def count_shorts(words, out):
    """out[k, v] += how often the value v is short k or k + 2 of a word of four."""
    a, b = out[0], out[1]
    for i in range(words.size):
        w = words[i]
        a[w & _SHORT] += 1
        b[(w >> np.uint64(16)) & _SHORT] += 1
        a[(w >> np.uint64(32)) & _SHORT] += 1
        b[w >> np.uint64(48)] += 1


@njit(nogil=True, cache=True)
def count_bands(samples, out):
    """out[k, v] += how often samples (pixels, bands) hold the value v in band k."""
    for i in range(samples.shape[0]):
        for k in range(samples.shape[1]):
            out[k, samples[i, k]] += 1


@njit(nogil=True, cache=True)
def count_luminance(samples, top, bins, out):
    """out[b] += how many pixels (pixels, 3) have 299 R + 587 G + 114 B in bin b of 0..1000 top."""
    inverse = 1.0 / (1000.0 * top)
    last = bins - 1
    for i in range(samples.shape[0]):
        y = 299 * np.int64(samples[i, 0]) + 587 * np.int64(samples[i, 1]) + 114 * np.int64(samples[i, 2])
        # exact: the numerator is a whole number and a half, so no quotient comes near the edge of a bin
        place = np.int64((np.float64(y * bins) + 0.5) * inverse)
        out[place if place < last else last] += 1


@njit(nogil=True, cache=True)
def look_up_bands(samples, tables, out):
    """out[i, k] = tables[k, samples[i, k]]."""
    for i in range(samples.shape[0]):
        for k in range(samples.shape[1]):
            out[i, k] = tables[k, samples[i, k]]
