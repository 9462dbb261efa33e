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
SUMS = 8
"""Sums over the rows of a unit that are made together."""
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
def resample(source, start_y, weight_y, start_x, weight_x, still, out, first, last):
    """Write units first..last of the result.

    Args:
        source: (P, H, W) float32.
        start_y: (h,) first input row of each output row.
        weight_y: (h, K) float32, weights of the rows from there on; all lie inside. K is a multiple of 4 or below it.
        start_x: (w,) first input column of each output column.
        weight_x: (w, L) float32.
        still: whether columns stay as they are.
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
        if still:
            for i in range(top, top + count):
                _row(source[plane], start_y[i], weight_y[i], down, out[plane, i])
            continue
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


@intrinsic
def _sums(context: Any, turned: Any, at: Any, other: Any, first: Any, out: Any, to: Any) -> Any:
    """out[to + k] += sum_r turned[at + 16 k + r] other[first + r], for r below 16 and k below `SUMS`."""
    n = types.intp

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        turned, at, other, first, out, to = args
        turned, other, out = (_data(ctx, b, sig.args[i], a) for i, a in ((0, turned), (2, other), (4, out)))
        factor = b.load(_place(b, other, first), align=4)
        parts = [b.fmul(factor, b.load(_place(b, turned, b.add(at, at.type(k * ROWS))), align=4)) for k in range(SUMS)]
        while True:   # neighbours in a vector are added, and two vectors share one
            size = ROWS if len(parts) > 1 else ROWS // 2
            kind = ir.VectorType(ir.IntType(32), size)
            even, odd = (ir.Constant(kind, [2 * i + k for i in range(size)]) for k in (0, 1))
            pairs = zip(parts[::2], parts[1::2] or parts, strict=True)
            parts = [b.fadd(b.shuffle_vector(p, q, even), b.shuffle_vector(p, q, odd)) for p, q in pairs]
            if size < ROWS:
                break
        place = b.bitcast(b.gep(out, [to]), parts[0].type.as_pointer())
        b.store(b.fadd(b.load(place, align=4), parts[0]), place, align=4)
        return ctx.get_dummy_value()

    return types.void(turned, n, other, n, out, n), generate


@njit(nogil=True, cache=True, fastmath=_FAST | {"reassoc"})
def _row_and_products(source, begin, weights, taps, row, other, out, fresh):
    """As `_row`, and out[k] = or, unless fresh, += the sum of source[begin + k] other."""
    row[:] = 0
    if fresh:
        out[:] = 0
    k = 0
    while k + 4 <= taps:
        _four_and_products(source[begin + k], source[begin + k + 1], source[begin + k + 2], source[begin + k + 3],
                           weights[k : k + 4], row, other, out[k : k + 4])
        k += 4
    while k < taps:
        _one_and_product(source[begin + k], weights[k], row, other, out[k : k + 1])
        k += 1


@njit(nogil=True, cache=True, fastmath=_FAST | {"reassoc"})
def _four_and_products(a, b, c, d, weights, row, other, out):
    wide()
    p, q, s, t = weights[0], weights[1], weights[2], weights[3]
    e = f = g = h = np.float32(0)
    for j in range(row.size):
        o = other[j]
        row[j] += p * a[j] + q * b[j] + s * c[j] + t * d[j]
        e += a[j] * o
        f += b[j] * o
        g += c[j] * o
        h += d[j] * o
    out[0] += e
    out[1] += f
    out[2] += g
    out[3] += h


@njit(nogil=True, cache=True, fastmath=_FAST | {"reassoc"})
def _one_and_product(a, weight, row, other, out):
    wide()
    part = np.float32(0)
    for j in range(row.size):
        row[j] += weight * a[j]
        part += a[j] * other[j]
    out[0] += part


@njit(nogil=True, cache=True)
def _lay(source, top, count, rows, flat, pitch, out):
    """Lay up to `ROWS` rows of a plane side by side: column j of them is out[16 j : 16 j + 16], 0 beyond the last."""
    width = source.shape[1]
    for r in range(ROWS):
        if r < count:
            rows[r, :width] = source[top + r]
        else:
            rows[r] = 0
    for j in range(0, pitch, ROWS):
        _turn(flat, j, pitch, out, j * ROWS, ROWS)


@njit(nogil=True, cache=True, fastmath=_FAST)
def gradients(source, grad, start_y, weight_y, start_x, back_y, weight_back_y, back_x, weight_back_x, into, down,
              across, first, last):
    """Write the gradients of `resample` in its picture and its weights.

    All of it in one pass over each plane, block by block of `ROWS` rows of the result: what a block reads and writes
    stays near.

    Args:
        source: (P, H, W) float32, what was resampled.
        grad: (P, h, w) float32, the gradient of the result.
        start_y: (h,) first input row of each output row.
        weight_y: (h, K) float32.
        start_x: (w,) first input column of each output column.
        back_y: (H,) first output row that reads an input row; none lies above the one before it.
        weight_back_y: (H, M) float32, the weights of that output row and the ones after it.
        back_x: (W,) likewise for columns.
        weight_back_x: (W, N) float32.
        into: (P, H, W) float32, the gradient in the picture; written, unless P is 0.
        down: (h, K) float32; written: [i, k] is the sum of source row start_y[i] + k times row i of grad spread across.
        across: (w, L) float32, L a multiple of `SUMS`; added to: [j, l] gets the sum over rows i of column
            start_x[j] + l of the picture resampled down, times grad column j.
        first: first block.
        last: one past the last block.
    """
    planes, height, width = grad.shape
    tall, breadth = source.shape[1:]
    count_y, taps, reach, taps_back = weight_y.shape[1], across.shape[1], weight_back_y.shape[1], weight_back_x.shape[1]
    blocks = (height + ROWS - 1) // ROWS
    pitch, long = (breadth + ROWS - 1) // ROWS * ROWS, (width + ROWS - 1) // ROWS * ROWS
    rows, lines = np.zeros((ROWS, pitch), np.float32), np.zeros((ROWS, long), np.float32)
    turned, other = np.zeros((pitch + taps) * ROWS, np.float32), np.zeros(long * ROWS, np.float32)
    flat, flat_lines, found = rows.reshape(-1), lines.reshape(-1), across.reshape(-1)
    weights_back = weight_back_x.reshape(-1)
    # grad times the weights across: a block's rows, below as many of the blocks before as its input rows have readers
    kept = (reach + ROWS - 1) // ROWS * ROWS if len(into) else 0
    spread = np.zeros((kept + ROWS, pitch), np.float32)
    wide_lines = spread.reshape(-1)
    for plane in range(planes):
        for block in range(first, last):
            top = block * ROWS
            count = min(ROWS, height - top)
            if kept and block > first:
                for r in range(kept - reach, kept):
                    spread[r] = spread[r + ROWS]
            for at in range(0 if block == first else kept, kept + ROWS, ROWS):
                begin = top - kept + at
                if begin < 0:
                    continue
                _lay(grad[plane], begin, min(ROWS, height - begin), lines, flat_lines, long, other)
                for j in range(breadth):
                    _column(other, back_x[j] * ROWS, weights_back, j * taps_back, taps_back, turned, j * ROWS)
                for j in range(0, pitch, ROWS):
                    _turn(turned, j * ROWS, ROWS, wide_lines, at * pitch + j, pitch)
            if kept:   # the input rows whose last reader is in this block
                y0 = 0 if block == 0 else np.searchsorted(back_y, top - reach + 1)
                y1 = tall if block == blocks - 1 else np.searchsorted(back_y, top + ROWS - reach + 1)
                for y in range(y0, y1):
                    _row(spread, back_y[y] - top + kept, weight_back_y[y], reach, into[plane, y])
            for r in range(count):
                i = top + r
                _row_and_products(source[plane], start_y[i], weight_y[i], count_y, rows[r, :breadth],
                                  spread[kept + r, :breadth], down[i], plane == 0)
            rows[count:] = 0
            for j in range(0, pitch, ROWS):
                _turn(flat, j, pitch, turned, j * ROWS, ROWS)
            for j in range(width):
                for k in range(0, taps, SUMS):
                    _sums(turned, (start_x[j] + k) * ROWS, other, j * ROWS, found, j * taps + k)
