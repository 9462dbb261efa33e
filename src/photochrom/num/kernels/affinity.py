"""Levin's weights of the neighbours of a pixel. The torch definition is in `photochrom.num.affinity`.

Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.powers import exp2, wide

_FAST = {"contract", "nsz"}
_LOG2_E = np.float32(1.4426950408889634)
_LEAST_POWER = np.float32(-126)
_FAR = np.float32(3e38)


@njit(nogil=True, cache=True, fastmath=_FAST)
def _rise(here, there, inside, row, rises, count, total):
    wide()
    for j in range(here.size):
        known = inside[j] * row
        rises[j] = (there[j] - here[j]) * known
        count[j] += known
        total[j] += rises[j]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _square(rises, mean, inside, row, variance, nearest):
    wide()
    for j in range(rises.size):
        known = inside[j] * row
        off = rises[j] - mean[j]
        variance[j] += off * off * known
        square = rises[j] * rises[j]
        near = square if known > 0 else _FAR
        nearest[j] = near if near < nearest[j] else nearest[j]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _exponential(rises, width, inside, row, out, total):
    wide()
    for j in range(rises.size):
        power = -(rises[j] * rises[j]) * _LOG2_E / width[j]
        weight = exp2(power if power > _LEAST_POWER else _LEAST_POWER) * (inside[j] * row)
        out[j] = weight
        total[j] += weight


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _correlation(rises, mean, width, known, out, total):
    wide()
    zero, one = np.float32(0), np.float32(1)
    for j in range(rises.size):
        weight = one - mean[j] * (rises[j] - mean[j]) / width[j]
        weight = (weight if weight > zero else zero) * known[j]
        out[j] = weight
        total[j] += weight


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def levin(plane, steps, spread, floor, least, correlation, out, first, last):
    """Write the normalised weights of rows first..last; see `photochrom.num.affinity.affinities`.

    Args:
        plane: (H + 2, W + 2) float32, finite, with a margin of any values.
        steps: (K, 2) rows and columns to each neighbour.
        spread: factor of the variance.
        floor: least denominator.
        least: least denominator, in squared differences to the likest neighbour.
        correlation: 1 + the normalised covariance in place of the exponential.
        out: (K or more, H, W) float32; the first K are written.
        first: first row.
        last: one past the last row.
    """
    height, width = plane.shape[0] - 2, plane.shape[1] - 2
    zero, one = np.float32(0), np.float32(1)
    count_of = len(steps)
    inside = np.ones((3, width), np.float32)   # by column step: left, none, right
    inside[0, 0] = zero
    inside[2, width - 1] = zero
    rises, known = np.empty((count_of, width), np.float32), np.empty(width, np.float32)
    count, total, mean = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    variance, nearest = np.empty(width, np.float32), np.empty(width, np.float32)
    for i in range(first, last):
        count[:] = one
        total[:] = zero
        variance[:] = zero
        nearest[:] = _FAR
        here = plane[i + 1, 1 : width + 1]
        for k in range(count_of):
            dy, dx = steps[k, 0], steps[k, 1]
            row = one if 0 <= i + dy < height else zero
            there = plane[i + 1 + dy, 1 + dx : 1 + dx + width]
            _rise(here, there, inside[dx + 1], row, rises[k], count, total)
        for j in range(width):
            mean[j] = total[j] / count[j]
        for k in range(count_of):
            row = one if 0 <= i + steps[k, 0] < height else zero
            _square(rises[k], mean, inside[steps[k, 1] + 1], row, variance, nearest)
        for j in range(width):
            v = (variance[j] + mean[j] * mean[j]) / count[j]
            if correlation:
                variance[j] = v if v > floor else np.float32(np.inf)
            else:
                near = nearest[j] * least if nearest[j] < _FAR else zero
                variance[j] = max(max(spread * v, near), floor)
        total[:] = zero
        for k in range(count_of):
            row = one if 0 <= i + steps[k, 0] < height else zero
            line = inside[steps[k, 1] + 1]
            if correlation:
                for j in range(width):
                    known[j] = line[j] * row
                _correlation(rises[k], mean, variance, known, out[k, i], total)
            else:
                _exponential(rises[k], variance, line, row, out[k, i], total)
        for j in range(width):
            total[j] = one / total[j] if total[j] > zero else one
        for k in range(count_of):
            target = out[k, i]
            for j in range(width):
                target[j] *= total[j]
