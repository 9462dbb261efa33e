"""Resampling on the processor: each output row as a sum of input rows, then each column of 16 rows at once.

The torch definition of the same numbers is `photochrom.num.bands.apply`. Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.powers import wide

ROWS = 16
"""Rows of one unit of work: across, they lie side by side in a vector."""
_FAST = {"contract", "nsz"}
_VECTOR = ir.VectorType(ir.FloatType(), ROWS)
_INDEX = ir.VectorType(ir.IntType(32), ROWS)


def _data(ctx: Any, b: Any, kind: Any, array: Any) -> Any:
    return ctx.make_array(kind)(ctx, b, array).data


def _place(b: Any, data: Any, offset: Any) -> Any:
    return b.bitcast(b.gep(data, [offset]), _VECTOR.as_pointer())


@intrinsic
def _turn(context: Any, source: Any, at: Any, step: Any, out: Any, to: Any, pitch: Any) -> Any:
    """out[to + j pitch + i] = source[at + i step + j] for i and j below 16: four stages of exchanges in registers."""
    n = types.intp

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        source, at, step, out, to, pitch = args
        source, out = _data(ctx, b, sig.args[0], source), _data(ctx, b, sig.args[3], out)
        rows = [b.load(_place(b, source, b.add(at, b.mul(step, step.type(i)))), align=4) for i in range(ROWS)]
        for half in (8, 4, 2, 1):   # blocks off the diagonal of pairs of rows change places
            low = [j if not j & half else ROWS + j - half for j in range(ROWS)]
            high = [j + half if not j & half else ROWS + j for j in range(ROWS)]
            for i in range(ROWS):
                if not i & half:
                    a, c = rows[i], rows[i + half]
                    rows[i] = b.shuffle_vector(a, c, ir.Constant(_INDEX, low))
                    rows[i + half] = b.shuffle_vector(a, c, ir.Constant(_INDEX, high))
        for j in range(ROWS):
            b.store(rows[j], _place(b, out, b.add(to, b.mul(pitch, pitch.type(j)))), align=4)
        return ctx.get_dummy_value()

    return types.void(source, n, n, out, n, n), generate


@intrinsic
def _column(context: Any, turned: Any, at: Any, weights: Any, first: Any, taps: Any, out: Any, to: Any) -> Any:
    """out[to + r] = sum_k weights[first + k] turned[at + 16 k + r] for r below 16."""
    n = types.intp

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        turned, at, weights, first, taps, out, to = args
        turned, weights, out = (_data(ctx, b, sig.args[i], a) for i, a in ((0, turned), (2, weights), (5, out)))
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{ROWS}f32")
        total = cgutils.alloca_once_value(b, ir.Constant(_VECTOR, None))   # LLVM turns it into a register
        b.store(ir.Constant(_VECTOR, None), total)
        with cgutils.for_range_slice(b, taps.type(0), taps, taps.type(1)) as (k, _):
            one = b.insert_element(ir.Constant(_VECTOR, ir.Undefined), b.load(b.gep(weights, [b.add(first, k)])),
                                   ir.Constant(ir.IntType(32), 0))
            weight = b.shuffle_vector(one, one, ir.Constant(_INDEX, [0] * ROWS))
            value = b.load(_place(b, turned, b.add(at, b.mul(k, k.type(ROWS)))), align=4)
            b.store(b.call(fma, [weight, value, b.load(total)]), total)
        b.store(b.load(total), _place(b, out, to), align=4)
        return ctx.get_dummy_value()

    return types.void(turned, n, weights, n, n, out, n), generate


@njit(nogil=True, cache=True, fastmath=_FAST)
def resample(source, start_y, weight_y, start_x, weight_x, out, first, last):
    """Write units first..last of the result.

    Args:
        source: (P, H, W) float32.
        start_y: (h,) first input row of each output row.
        weight_y: (h, K) float32, weights of the rows from there on; all lie inside. K is a multiple of 4 or below it.
        start_x: (w,) first input column of each output column.
        weight_x: (w, L) float32.
        out: (P, h, w) float32; written.
        first: first unit; unit u is block u % blocks of `ROWS` rows of plane u // blocks.
        last: one past the last unit.
    """
    height, width = out.shape[1:]
    across, down, taps = source.shape[2], weight_y.shape[1], weight_x.shape[1]
    blocks = (height + ROWS - 1) // ROWS
    pitch, long = (across + ROWS - 1) // ROWS * ROWS, (width + ROWS - 1) // ROWS * ROWS
    rows = np.zeros((ROWS, pitch), np.float32)
    turned = np.zeros(pitch * ROWS, np.float32)
    made = np.zeros(long * ROWS, np.float32)
    back = np.zeros((ROWS, long), np.float32)
    flat, weights, lines = rows.reshape(-1), weight_x.reshape(-1), back.reshape(-1)
    for unit in range(first, last):
        plane, top = unit // blocks, unit % blocks * ROWS
        count = min(ROWS, height - top)
        for r in range(count):
            i = top + r
            _row(source[plane], start_y[i], weight_y[i], down, rows[r, :across])
        for j in range(0, pitch, ROWS):
            _turn(flat, j, pitch, turned, j * ROWS, ROWS)
        for j in range(width):
            _column(turned, start_x[j] * ROWS, weights, j * taps, taps, made, j * ROWS)
        for j in range(0, long, ROWS):
            _turn(made, j * ROWS, ROWS, lines, j, long)
        for r in range(count):
            out[plane, top + r] = back[r, :width]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _row(source, begin, weights, taps, row):
    k = 0
    while k < taps:
        left = taps - k
        if left >= 4:
            _four(source[begin + k], source[begin + k + 1], source[begin + k + 2], source[begin + k + 3],
                  weights[k], weights[k + 1], weights[k + 2], weights[k + 3], k == 0, row)
            k += 4
        else:
            _one(source[begin + k], weights[k], k == 0, row)
            k += 1


@njit(nogil=True, cache=True, fastmath=_FAST)
def _four(a, b, c, d, p, q, s, t, fresh, row):
    wide()
    if fresh:
        for j in range(row.size):
            row[j] = p * a[j] + q * b[j] + s * c[j] + t * d[j]
    else:
        for j in range(row.size):
            row[j] += p * a[j] + q * b[j] + s * c[j] + t * d[j]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _one(a, p, fresh, row):
    wide()
    if fresh:
        for j in range(row.size):
            row[j] = p * a[j]
    else:
        for j in range(row.size):
            row[j] += p * a[j]


@njit(nogil=True, cache=True, fastmath=_FAST | {"reassoc"})
def products_down(source, other, starts, out, first, last):
    """Write out[i, k] for rows first..last: the sum over p and j of source[p, starts[i] + k, j] other[p, i, j]."""
    wide()
    for i in range(first, last):
        for k in range(out.shape[1]):
            total = 0.0
            for plane in range(len(source)):
                a, b = source[plane, starts[i] + k], other[plane, i]
                part = np.float32(0)
                for j in range(a.size):
                    part += a[j] * b[j]
                total += part
            out[i, k] = total


@njit(nogil=True, cache=True, fastmath=_FAST)
def products_across(source, other, starts, out, first, last):
    """Add to out[j, l] the sum over rows r in first..last of source[r, starts[j] + l] other[r, j]."""
    wide()
    taps = out.shape[1]
    for r in range(first, last):
        a, b = source[r], other[r]
        for j in range(len(starts)):
            at, g, line = starts[j], b[j], out[j]
            for k in range(taps):
                line[k] += g * a[at + k]
