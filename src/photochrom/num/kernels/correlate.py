"""Correlation with a small kernel on the processor: a tile of sums stays in registers while the weights pass by.

The torch definition of the same numbers is `photochrom.num.convolve`. Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.separable import _VECTOR, _ZERO, LANES, _place, _splat

ROWS = 6
VECTORS = 4 if LANES == 16 else 2   # 24 sums of 32 registers, or 12 of 16
TILE = LANES * VECTORS
BLOCK = 8 * ROWS  # rows of one unit of parallel work
_N = types.intp


@intrinsic
def _tile(context: Any, src: Any, offsets: Any, first: Any, column: Any, weights: Any, down: Any, across: Any,
          step: Any, out: Any, at: Any, stride: Any) -> Any:
    """out[at + r stride + j] = sum of weights[u, v] src[offsets[first + r + u] + column + v step + j], over one tile.

    A row outside the window of a sum is left out, not multiplied by 0: NaN reaches no further than the kernel.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        src, offsets, first, column, weights, down, across, step, out, at, stride = args
        src, offsets, weights, out = (
            ctx.make_array(sig.args[i])(ctx, b, a).data for i, a in ((0, src), (1, offsets), (4, weights), (8, out))
        )
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{LANES}f32")
        sums = [[cgutils.alloca_once_value(b, _ZERO) for _ in range(VECTORS)] for _ in range(ROWS)]
        for row in sums:
            for cell in row:
                b.store(_ZERO, cell)
        one = down.type(1)
        with cgutils.for_range_slice(b, down.type(0), b.add(down, down.type(ROWS - 1)), one) as (t, _):
            base = b.add(b.load(b.gep(offsets, [b.add(first, t)])), column)
            rows = [b.sub(t, t.type(r)) for r in range(ROWS)]
            inside = [b.icmp_unsigned("<", u, down) for u in rows]
            starts = [b.mul(u, across) for u in rows]
            with cgutils.for_range_slice(b, across.type(0), across, one) as (v, _):
                place = b.add(base, b.mul(v, step))
                values = [b.load(_place(b, src, b.add(place, place.type(k * LANES))), align=4) for k in range(VECTORS)]
                for r in range(ROWS):
                    with b.if_then(inside[r]):
                        weight = _splat(b, b.load(b.gep(weights, [b.add(starts[r], v)])))
                        for k in range(VECTORS):
                            b.store(b.call(fma, [weight, values[k], b.load(sums[r][k])]), sums[r][k])
        for r in range(ROWS):
            for k in range(VECTORS):
                where = b.add(at, b.add(b.mul(stride, stride.type(r)), stride.type(k * LANES)))
                b.store(b.load(sums[r][k]), _place(b, out, where), align=4)
        return ctx.get_dummy_value()

    return types.void(src, offsets, _N, _N, weights, _N, _N, _N, out, _N, _N), generate


@njit(nogil=True, cache=True)
def correlate(
    src, src_planes, src_row, dst, dst_planes, dst_row, height, width, step, kernel, fold_y, fold_x, lead, columns,
    chunk, first, last,
):  # fmt: skip
    """Write units first..last of a correlation.

    Args:
        src: flat float32 storage; plane p, row i, sample j lies at src_planes[p] + i src_row + j.
        src_planes: offsets of the planes, int64.
        src_row: distance between rows.
        dst: flat float32 storage of the result, addressed likewise.
        dst_planes: offsets of the planes, int64.
        dst_row: distance between rows.
        height: rows of the result.
        width: samples of a row of the result: pixels times `step`.
        step: distance between neighbours along a row: 1, or the channels of an interleaved picture.
        kernel: (kernel rows, kernel columns) float32.
        fold_y: (height + kernel rows - 1,) the row read at each place, -1 for zeros.
        fold_x: (pixels + kernel columns - 1,) the column read at each place, -1 for zeros.
        lead: columns before the picture's first.
        columns: columns of the picture.
        chunk: samples of a row done at once.
        first: first unit; unit u is block u % blocks of plane u // blocks.
        last: one past the last unit.
    """
    down, across = kernel.shape
    weights = kernel.reshape(-1)
    need = TILE + (across - 1) * step
    lines = down + ROWS - 1
    patch = np.zeros(lines * need, np.float32)
    spare = np.zeros(ROWS * TILE, np.float32)
    steps = np.arange(lines) * need
    offsets = np.zeros(lines, np.int64)
    blocks = (height + BLOCK - 1) // BLOCK
    for unit in range(first, last):
        plane, block = unit // blocks, unit % blocks
        origin = src_planes[plane]
        for begin in range(0, width, chunk):
            end = min(width, begin + chunk)
            for i in range(block * BLOCK, min(height, (block + 1) * BLOCK), ROWS):
                count = min(ROWS, height - i)
                whole = True
                for t in range(lines):
                    row = fold_y[i + t] if i + t < fold_y.size else 0   # read for sums that are thrown away
                    whole = whole and row >= 0
                    offsets[t] = origin + row * src_row
                target = dst_planes[plane] + i * dst_row
                for j0 in range(begin, end, TILE):
                    j = min(j0, max(width - TILE, 0))   # the last tile overlaps the one before
                    left = j - lead * step
                    inside = whole and left >= 0 and left + need <= columns * step
                    if not inside:
                        for t in range(lines):
                            row = fold_y[i + t] if i + t < fold_y.size else -1
                            for q in range(need):
                                pixel = (j + q) // step
                                f = fold_x[pixel] if pixel < fold_x.size and row >= 0 else -1
                                patch[t * need + q] = src[offsets[t] + f * step + (j + q) % step] if f >= 0 else 0.0
                    if count == ROWS and width >= TILE:
                        if inside:
                            _tile(src, offsets, 0, left, weights, down, across, step, dst, target + j, dst_row)
                        else:
                            _tile(patch, steps, 0, 0, weights, down, across, step, dst, target + j, dst_row)
                    else:
                        if inside:
                            _tile(src, offsets, 0, left, weights, down, across, step, spare, 0, TILE)
                        else:
                            _tile(patch, steps, 0, 0, weights, down, across, step, spare, 0, TILE)
                        for r in range(count):
                            for q in range(min(TILE, width - j)):
                                dst[target + r * dst_row + j + q] = spare[r * TILE + q]
