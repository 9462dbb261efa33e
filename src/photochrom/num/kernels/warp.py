"""Sampling at any place on the processor, a row of the result at a time; `warp_back` holds its derivatives.

The torch definition of the same numbers is `photochrom.num.warping.sample`. Places are worked out in float64 in the
order of operations of that definition, without fused products, so that both round alike. Imported on first use only:
it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.powers import FAST, wide

LANES = 16
COLUMNS = 512
"""Of a row of the result, sampled together: over a whole one, a turned source lies on too many memory pages."""
REFLECT, REPLICATE, CIRCULAR, CONSTANT = range(4)
FAR = 2.0**30
"""Places further away than this are moved here: their whole part must fit 32 bits."""


@njit(nogil=True, cache=True, error_model="numpy")
def _places(theta, flow, i, left, xs, ys):
    """Write where pixels of row i of the result, from column `left` on, are taken from: infinity where nothing is."""
    wide()
    if flow.size:
        for j in range(xs.size):
            k = left + j
            xs[j], ys[j] = k + np.float64(flow[0, i, k]), i + np.float64(flow[1, i, k])
        for j in range(xs.size):   # neither NaN nor infinite is a place
            bad = not (abs(xs[j]) < math.inf and abs(ys[j]) < math.inf)
            xs[j] = math.nan if bad else xs[j]
    else:
        u, v = theta[1] * i + theta[2], theta[4] * i + theta[5]
        for j in range(xs.size):
            k = np.float64(left + j)
            xs[j], ys[j] = theta[0] * k + u, theta[3] * k + v
        if theta[6] != 0 or theta[7] != 0 or theta[8] != 1:
            depth = theta[7] * i + theta[8]
            for j in range(xs.size):
                w = theta[6] * (left + j) + depth
                xs[j], ys[j] = (xs[j] / w if w > 0 else math.inf), ys[j] / w
    for j in range(xs.size):
        x, y = xs[j], ys[j]
        ys[j] = -FAR if y < -FAR else FAR if y > FAR else y
        xs[j] = x if x == math.inf else -FAR if x < -FAR else FAR if x > FAR else x


@njit(nogil=True, cache=True, inline="always")
def _fold(i, n, border):
    """Return the pixel whose value lies at i, or -1 where nothing does."""
    if 0 <= i < n:
        return i
    if border == REPLICATE:
        return 0 if i < 0 else n - 1
    if border == CIRCULAR:
        return i % n
    if border == REFLECT:
        turn = i % max(2 * (n - 1), 1)
        return min(turn, 2 * (n - 1) - turn)
    return -1


@njit(nogil=True, cache=True, error_model="numpy")
def _taps(x, taps, a, weights, slopes):
    """Write the weights of the pixels around x and their derivatives; return the first of these pixels.

    They are worked out in the precision of `weights`, from a fraction that is always rounded to float32.
    """
    one, two, three, a = weights.dtype.type(1), weights.dtype.type(2), weights.dtype.type(3), weights.dtype.type(a)
    if taps == 1:
        weights[0], slopes[0] = 1, 0
        return np.int64(math.floor(x + 0.5))
    low = math.floor(x)
    t = weights.dtype.type(np.float32(x - low))
    if taps == 2:
        weights[0], weights[1] = one - t, t
        slopes[0], slopes[1] = -one, one
        return int(low)
    weights[0] = a * t * (one - t) * (one - t)
    weights[1] = ((a + two) * t - (a + three)) * t * t + one
    weights[3] = a * t * t * (one - t)
    weights[2] = one - weights[0] - weights[1] - weights[3]
    slopes[0] = a * (one - t) * (one - three * t)
    slopes[1] = (three * (a + two) * t - two * (a + three)) * t
    slopes[3] = a * t * (two - three * t)
    slopes[2] = -(slopes[0] + slopes[1] + slopes[3])
    return int(low) - 1


@njit(nogil=True, cache=True, error_model="numpy")
def _anywhere(source, x, y, taps, a, border, weights, slopes, made):
    """Sample every plane at one place, wherever it lies."""
    planes, height, width = source.shape
    made[:] = 0
    if x == math.inf:
        return
    if math.isnan(x) or math.isnan(y):
        made[:] = math.nan
        return
    first = _taps(x, taps, a, weights[0], slopes[0])
    top = _taps(y, taps, a, weights[1], slopes[1])
    for m in range(taps):
        row = _fold(top + m, height, border)
        if row < 0:
            continue
        for n in range(taps):
            column = _fold(first + n, width, border)
            if column < 0:
                continue
            weight = weights[1, m] * weights[0, n]
            for p in range(planes):
                made[p] += weight * source[p, row, column]


@intrinsic
def _sixteen(context: Any, plane: Any, pitch: Any, at: Any, fx: Any, fy: Any, out: Any, j: Any) -> Any:
    """As the loop of `_two`, for 16 places: neighbours in a row are fetched as one pair, then sorted in registers.

    The gathers that LLVM makes of that loop fetch every number alone: twice the loads, and slower ones.
    """
    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        data = [ctx.make_array(kind)(ctx, b, array).data
                for kind, array in ((sig.args[k], args[k]) for k in (0, 2, 3, 4, 5))]
        plane, at, fx, fy, out = data
        pitch, j = args[1], args[6]
        vector, pair = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.FloatType(), 2)
        number = ir.IntType(32)

        def mask(lanes: Any) -> Any:
            return ir.Constant(ir.VectorType(number, len(lanes)), list(lanes))

        def load(pointer: Any, kind: Any) -> Any:
            return b.load(b.bitcast(b.gep(pointer, [j]), kind.as_pointer()), align=4)

        places = [b.zext(b.load(b.gep(at, [b.add(j, j.type(i))])), j.type) for i in range(LANES)]
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32")
        across, sides = load(fx, vector), []
        for below in (False, True):
            parts = []
            for place in places:
                where = b.gep(plane, [b.add(place, pitch) if below else place])
                parts.append(b.load(b.bitcast(where, pair.as_pointer()), align=4))
            while len(parts) > 2:
                parts = [b.shuffle_vector(one, other, mask(range(2 * one.type.count)))
                         for one, other in zip(parts[::2], parts[1::2], strict=True)]
            left = b.shuffle_vector(*parts, mask(range(0, 2 * LANES, 2)))
            right = b.shuffle_vector(*parts, mask(range(1, 2 * LANES, 2)))
            sides.append(b.call(fma, [across, b.fsub(right, left), left]))
        made = b.call(fma, [load(fy, vector), b.fsub(sides[1], sides[0]), sides[0]])
        b.store(made, b.bitcast(b.gep(out, [j]), vector.as_pointer()), align=4)
        return ctx.get_dummy_value()

    n = types.intp
    return types.void(plane, n, at, fx, fy, out, n), generate


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _two(plane, pitch, at, fx, fy, out):
    """out[j] from the four pixels at at[j]."""
    wide()
    last = out.size - LANES
    if last >= 0:
        for j in range(0, last, LANES):
            _sixteen(plane, pitch, at, fx, fy, out, j)
        _sixteen(plane, pitch, at, fx, fy, out, last)
        return
    for j in range(out.size):
        k = at[j]
        a, b, c, d = plane[k], plane[k + 1], plane[k + pitch], plane[k + pitch + 1]
        top = a + fx[j] * (b - a)
        out[j] = top + fy[j] * (c + fx[j] * (d - c) - top)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _four(plane, pitch, at, wx, wy, out):
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    for j in range(out.size):
        k = np.uint64(at[j])
        total = np.float32(0)
        for m in range(4):
            total += wy[m, j] * (wx[0, j] * plane[k] + wx[1, j] * plane[k + one] + wx[2, j] * plane[k + two]
                                 + wx[3, j] * plane[k + three])
            k += pitch
        out[j] = total


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _offsets(xs, ys, shape, taps, at, fx, fy):
    """Write where in a plane the first pixel of each place lies, and the fractions; return the columns all inside.

    Places that need a border are moved inside: what is sampled there is written again.
    """
    wide()
    height, width = shape
    before = np.float64(taps // 4)
    shift = 0.5 if taps == 1 else 0.0
    right, bottom = width - taps + before, height - taps + before
    step, skip = np.int32(width), np.int32(before * (width + 1))
    for j in range(xs.size):
        x, y = xs[j] + shift, ys[j] + shift
        x = x if x > before else before
        y = y if y > before else before
        x = x if x < right else right
        y = y if y < bottom else bottom
        left, top = np.int32(x), np.int32(y)
        at[j] = top * step + left - skip
        fx[j], fy[j] = np.float32(x - left), np.float32(y - top)


@njit(nogil=True, cache=True, error_model="numpy")
def _inside(xs, ys, shape, taps, inside):
    """Mark the places that need no border; return the first and one past the last of them."""
    height, width = shape
    before = np.float64(taps // 4)
    shift = 0.5 if taps == 1 else 0.0
    right, bottom = width - taps + before + (taps == 1), height - taps + before + (taps == 1)
    first, last = xs.size, 0
    for j in range(xs.size):
        x, y = xs[j] + shift, ys[j] + shift
        inside[j] = (x >= before) & (x < right) & (y >= before) & (y < bottom)
    for j in range(xs.size):
        if inside[j]:
            first = j
            break
    for j in range(xs.size - 1, -1, -1):
        if inside[j]:
            last = j + 1
            break
    return first, last


@njit(nogil=True, cache=True, error_model="numpy")
def _mirror(x, n):
    """Move places into 0..n - 1, those inside not by a bit."""
    wide()
    period = 2.0 * (n - 1)
    for j in range(x.size):
        turned = x[j] - period * math.floor(x[j] / period)
        turned = turned if turned < period - turned else period - turned
        x[j] = turned if x[j] < math.inf else x[j]


@njit(nogil=True, cache=True, error_model="numpy")
def _cubics(t, a, weights):
    wide()
    one, two, three = np.float32(1), np.float32(2), np.float32(3)
    for j in range(t.size):
        s = t[j]
        w0 = a * s * (one - s) * (one - s)
        w1 = ((a + two) * s - (a + three)) * s * s + one
        w3 = a * s * s * (one - s)
        weights[0, j], weights[1, j], weights[2, j], weights[3, j] = w0, w1, one - w0 - w1 - w3, w3


@njit(nogil=True, cache=True, error_model="numpy")
def sample(source, theta, flow, taps, a, border, out, start, stop):
    """Write rows start..stop of the result.

    Args:
        source: (P, H, W) float32.
        theta: (9,) float64, from pixel centres of the result to those of the source, counted from 0.
        flow: (2, h, w) float32, to be added to the place of a pixel; empty where theta counts.
        taps: 1 nearest, 2 bilinear, 4 bicubic.
        a: slope of the cubic kernel at distance 1, float32.
        border: number of the border.
        out: (P, h, w) float32; written.
        start: first row.
        stop: one past the last row.
    """
    planes, height, width = source.shape
    xs, ys = np.empty(COLUMNS), np.empty(COLUMNS)
    at, inside = np.empty(COLUMNS, np.uint32), np.empty(COLUMNS, np.bool_)
    fx, fy = np.empty(COLUMNS, np.float32), np.empty(COLUMNS, np.float32)
    wx, wy = np.empty((4, COLUMNS), np.float32), np.empty((4, COLUMNS), np.float32)
    weights, slopes = np.empty((2, 4), np.float32), np.empty((2, 4), np.float32)
    made, pitch = np.empty(planes, np.float32), np.uint64(width)
    flat = source.reshape(planes, height * width)
    roomy = height >= taps and width >= taps
    for left in range(0, out.shape[2], COLUMNS):
        long = min(COLUMNS, out.shape[2] - left)
        for i in range(start, stop):
            _places(theta, flow, i, left, xs[:long], ys[:long])
            first, last = _inside(xs[:long], ys[:long], (height, width), taps, inside) if roomy else (long, 0)
            if roomy and taps == 2 and border == REFLECT and not inside[:long].all():
                _mirror(xs[:long], width)   # between two pixels a mirror image is that of its place
                _mirror(ys[:long], height)
                first, last = _inside(xs[:long], ys[:long], (height, width), taps, inside)
            if first < last:
                part = slice(first, last)
                _offsets(xs[part], ys[part], (height, width), taps, at[part], fx[part], fy[part])
                if taps == 4:
                    _cubics(fx[part], a, wx[:, part])
                    _cubics(fy[part], a, wy[:, part])
                for p in range(planes):
                    row = out[p, i, left + first:left + last]
                    if taps == 2:
                        _two(flat[p], width, at[part], fx[part], fy[part], row)
                    elif taps == 4:
                        _four(flat[p], pitch, at[part], wx[:, part], wy[:, part], row)
                    else:
                        for j in range(row.size):
                            row[j] = flat[p, at[first + j]]
            for j in range(long):
                if j < first or j >= last or not inside[j]:
                    _anywhere(source, xs[j], ys[j], taps, a, border, weights, slopes, made)
                    for p in range(planes):
                        out[p, i, left + j] = made[p]
