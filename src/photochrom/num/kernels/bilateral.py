"""The bilateral filter by its definition, row by row. The torch definition is in `photochrom.num.nearness`.

Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.powers import FAST, F, exp2, wide

_RUN = 1024
"""Pixels of a row worked on at once: sums and weights stay in the first-level cache."""
_LEAST = F(-120)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def filter_rows(around, offsets, place, rate, out, first, last):
    """Write rows first..last of the result.

    Args:
        around: (C, H + 2 r, W + 2 r) float32.
        offsets: (N, 2) rows and columns of the neighbours in `around`, counted from a pixel's own place less r.
        place: (N,) float32, log2 of the weight of each place.
        rate: float32: log2 of the weight of a difference is rate times its square.
        out: (C, H, W) float32; written.
        first: first row.
        last: one past the last row.
    """
    wide()
    channels, _, width = out.shape
    radius = (around.shape[1] - out.shape[1]) // 2
    weight, total = np.empty(_RUN, np.float32), np.empty(_RUN, np.float32)
    sums = np.empty((channels, _RUN), np.float32)
    for i in range(first, last):
        for start in range(0, width, _RUN):
            n = min(_RUN, width - start)
            total[:n] = 0
            sums[:, :n] = 0
            for k in range(len(offsets)):
                y, x = i + offsets[k, 0], start + offsets[k, 1]
                if channels == 1:
                    _one(around[0, i + radius, start + radius:start + radius + n], around[0, y, x:x + n], place[k],
                         rate, total[:n], sums[0, :n])
                    continue
                weight[:n] = 0
                for c in range(channels):
                    _apart(around[c, i + radius, start + radius:start + radius + n], around[c, y, x:x + n], weight[:n])
                _weigh(weight[:n], place[k], rate, total[:n])
                for c in range(channels):
                    _add(weight[:n], around[c, y, x:x + n], sums[c, :n])
            for c in range(channels):
                for j in range(n):
                    out[c, i, start + j] = sums[c, j] / total[j]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _one(here, there, place, rate, total, sums):
    wide()
    for j in range(here.size):
        d = there[j] - here[j]
        t = place + rate * (d * d)
        w = exp2(t if t > _LEAST else _LEAST)
        total[j] += w
        sums[j] += w * there[j]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _apart(here, there, square):
    wide()
    for j in range(here.size):
        d = there[j] - here[j]
        square[j] += d * d


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _weigh(square, place, rate, total):
    wide()
    for j in range(square.size):
        t = place + rate * square[j]
        w = exp2(t if t > _LEAST else _LEAST)
        square[j] = w
        total[j] += w


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _add(weight, there, sums):
    wide()
    for j in range(weight.size):
        sums[j] += weight[j] * there[j]
