"""The derivatives of `warp.sample` in the source and in the places. Imported on first use only: it imports Numba."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def"

import math

import numpy as np
from numba import njit

from photochrom.num.kernels.warp import CONSTANT, FAR, _fold, _places, _taps


@njit(nogil=True, cache=True, error_model="numpy")
def spread(grad, theta, flow, taps, a, border, out, start, stop):
    """Add the gradient of the result to rows start..stop of that of the source: the adjoint of `warp.sample`.

    Every row has one writer, who takes the pixels of the result in their order: no number of threads changes a bit.

    Args:
        grad: (P, h, w) float32.
        theta: see `warp.sample`.
        flow: see `warp.sample`.
        taps: see `warp.sample`.
        a: see `warp.sample`.
        border: see `warp.sample`.
        out: (P, H, W) float32; added to.
        start: first row.
        stop: one past the last row.
    """
    planes, height, width = out.shape
    long = grad.shape[2]
    xs, ys = np.empty(long), np.empty(long)
    weights, slopes = np.empty((2, 4), np.float32), np.empty((2, 4), np.float32)
    for i in range(grad.shape[1]):
        _places(theta, flow, i, 0, xs, ys)
        low, high = math.inf, -math.inf
        for j in range(long):
            low, high = min(low, ys[j]), max(high, ys[j])
        if (border == CONSTANT or (low >= 2 and high < height - 3)) and (high + 3 < start or low - 3 >= stop):
            continue
        for j in range(long):
            x, y = xs[j], ys[j]
            if not (x < math.inf) or math.isnan(y):
                continue
            away = y < start - 3 or y >= stop + 2
            if away and (border == CONSTANT or (2 <= y < height - 3)):
                continue
            column = _taps(x, taps, a, weights[0], slopes[0])
            top = _taps(y, taps, a, weights[1], slopes[1])
            easy = column >= 0 and column + taps <= width
            for m in range(taps):
                row = _fold(top + m, height, border)
                if row < start or row >= stop:
                    continue
                for n in range(taps):
                    k = column + n if easy else _fold(column + n, width, border)
                    if k < 0:
                        continue
                    weight = weights[1, m] * weights[0, n]
                    for p in range(planes):
                        out[p, row, k] += weight * grad[p, i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def slopes_of(grad, source, theta, flow, taps, a, border, flow_grad, theta_grad, start, stop):
    """Write how the places of rows start..stop of the result should move.

    Args:
        grad: (P, h, w) float32.
        source: (P, H, W) float32.
        theta: see `warp.sample`.
        flow: see `warp.sample`.
        taps: see `warp.sample`.
        a: see `warp.sample`.
        border: see `warp.sample`.
        flow_grad: (2, h, w) float32, written where there is a flow.
        theta_grad: (h, 9) float64, the sum over a row, written where there is none.
        start: first row.
        stop: one past the last row.
    """
    planes, height, width = source.shape
    long = grad.shape[2]
    xs, ys = np.empty(long), np.empty(long)
    # slopes add up to 0; where a border repeats one value, all that is left is rounding, which theta makes large
    weights, slopes = np.empty((2, 4)), np.empty((2, 4))
    total = np.empty(9)
    for i in range(start, stop):
        _places(theta, flow, i, 0, xs, ys)
        total[:] = 0
        for j in range(long):
            x, y = xs[j], ys[j]
            across = down = 0.0
            if x < math.inf and not math.isnan(y) and abs(x) < FAR and abs(y) < FAR:
                first = _taps(x, taps, a, weights[0], slopes[0])
                top = _taps(y, taps, a, weights[1], slopes[1])
                for m in range(taps):
                    row = _fold(top + m, height, border)
                    if row < 0:
                        continue
                    for n in range(taps):
                        k = _fold(first + n, width, border)
                        if k < 0:
                            continue
                        value = 0.0
                        for p in range(planes):
                            value += grad[p, i, j] * source[p, row, k]
                        across += weights[1, m] * slopes[0, n] * value
                        down += slopes[1, m] * weights[0, n] * value
            if flow.size:
                flow_grad[0, i, j], flow_grad[1, i, j] = across, down
            elif across != 0 or down != 0:
                w = theta[6] * j + (theta[7] * i + theta[8])
                u, v = across / w, down / w
                q = -(u * x + v * y)
                total[0] += u * j
                total[1] += u * i
                total[2] += u
                total[3] += v * j
                total[4] += v * i
                total[5] += v
                total[6] += q * j
                total[7] += q * i
                total[8] += q
        if not flow.size:
            theta_grad[i] = total
