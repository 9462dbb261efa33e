"""Separable filters on the processor: small register tiles, both directions fused per few rows.

The torch definition of the same numbers is `photochrom.num.products`. Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# A tile of ROWS x (VECTORS * LANES) sums stays in registers while the taps pass by: 12 sums, 2 inputs and 1 weight
# fill the 16 registers of AVX2. LLVM left to itself uses half-width vectors and one row, at half the speed.
LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
VECTORS = 3 if LANES == 16 else 2
ROWS = 6
TILE = LANES * VECTORS
BLOCK = 8 * ROWS  # rows of one unit of parallel work
CHUNK = 2048  # samples of a row done at once: 48 input rows of them fit into half a megabyte

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INT32 = ir.IntType(32)
_ZERO = ir.Constant(_VECTOR, None)


def _splat(b: Any, value: Any) -> Any:
    one = b.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INT32, 0))
    return b.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES))


def _place(b: Any, data: Any, offset: Any) -> Any:
    return b.bitcast(b.gep(data, [offset]), _VECTOR.as_pointer())


def _emit(b: Any, lo: Any, hi: Any, weight: Any, value: Any, out: Any, out_offset: Any, out_stride: Any) -> None:
    """Write the loop out[r, v] = sum over k in [lo, hi) of weight(k, r) * value(k, r, v)."""
    cells = [(r, v) for r in range(ROWS) for v in range(VECTORS)]
    fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{LANES}f32")
    sums = {cell: cgutils.alloca_once_value(b, _ZERO) for cell in cells}  # LLVM turns these into registers
    for cell in cells:
        b.store(_ZERO, sums[cell])
    with cgutils.for_range_slice(b, lo, hi, lo.type(1)) as (k, _):
        weights, values = weight(k), value(k)
        for r, v in cells:
            b.store(b.call(fma, [weights(r), values(r, v), b.load(sums[r, v])]), sums[r, v])
    for r, v in cells:
        at = b.add(out_offset, b.add(b.mul(out_stride, out_stride.type(r)), out_stride.type(v * LANES)))
        b.store(b.load(sums[r, v]), _place(b, out, at), align=4)


@intrinsic
def _down(context: Any, src: Any, offsets: Any, first: Any, lo: Any, hi: Any, taps: Any, out: Any, at: Any,
          stride: Any) -> Any:  # fmt: skip
    """out[at + r stride + j] = sum_k taps[k ROWS + r] * src[offsets[first + k] + j], over one tile."""
    n = types.intp
    signature = types.void(src, offsets, types.UniTuple(n, 2), n, n, taps, out, n, n)

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        src, offsets, start, lo, hi, taps, out, at, stride = args
        row, column = cgutils.unpack_tuple(b, start, 2)
        arrays = [ctx.make_array(sig.args[i])(ctx, b, a).data for i, a in ((0, src), (1, offsets), (5, taps), (6, out))]

        def weight(k: Any) -> Any:
            places = [b.add(b.mul(k, k.type(ROWS)), k.type(r)) for r in range(ROWS)]
            made = [_splat(b, b.load(b.gep(arrays[2], [place]))) for place in places]
            return lambda r: made[r]

        def value(k: Any) -> Any:
            base = b.add(b.load(b.gep(arrays[1], [b.add(row, k)])), column)
            made = [b.load(_place(b, arrays[0], b.add(base, k.type(v * LANES))), align=4) for v in range(VECTORS)]
            return lambda r, v: made[v]

        _emit(b, lo, hi, weight, value, arrays[3], at, stride)
        return ctx.get_dummy_value()

    return signature, generate


@intrinsic
def _across(context: Any, src: Any, start: Any, row: Any, step: Any, taps: Any, out: Any, at: Any, stride: Any) -> Any:
    """out[at + r stride + j] = sum_k taps[k] * src[start + r row + k step + j], over one tile."""
    n = types.intp
    signature = types.void(src, n, n, n, taps, out, n, n)

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        src, start, row, step, taps, out, at, stride = args
        data, weights, target = (
            ctx.make_array(sig.args[i])(ctx, b, a).data for i, a in ((0, src), (4, taps), (5, out))
        )
        count = b.extract_value(ctx.make_array(sig.args[4])(ctx, b, taps).shape, 0)

        def weight(k: Any) -> Any:
            made = _splat(b, b.load(b.gep(weights, [k])))
            return lambda r: made

        def value(k: Any) -> Any:
            base = b.add(start, b.mul(k, step))

            def at_cell(r: int, v: int) -> Any:
                offset = b.add(base, b.add(b.mul(row, k.type(r)), k.type(v * LANES)))
                return b.load(_place(b, data, offset), align=4)

            return at_cell

        _emit(b, count.type(0), count, weight, value, target, at, stride)
        return ctx.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True)
def direct(
    src, src_planes, src_row, dst, dst_planes, dst_row, height, width, step, taps_y, taps_x, fold_y, fold_x,
    scale_y, scale_x, empty, chunks, first, last,
):  # fmt: skip
    """Correlate rows of planes with taps_y down and taps_x across.

    Args:
        src: flat float32 storage; plane p, row i, sample j lies at src_planes[p] + i src_row + j.
        src_planes: offsets of the planes, int64.
        src_row: distance between rows.
        dst: flat float32 storage of the result, addressed likewise.
        dst_planes: offsets of the planes, int64.
        dst_row: distance between rows.
        height: rows of a plane.
        width: samples of a row: pixels times `step`.
        step: distance between neighbours along a row: 1, or the channels of an interleaved picture.
        taps_y: float32 weights down, odd length.
        taps_x: float32 weights across, odd length.
        fold_y: row index of each row from -radius to height + radius, at least 0.
        fold_x: pixel index of each pixel from -radius to width + radius; -1 reads as zero.
        scale_y: factor of each row.
        scale_x: factor of each pixel column.
        empty: rows outside count as zero (then fold_y is not read there).
        chunks: pieces of a row; each is finished before the next, so that its input rows stay in the cache.
        first: first unit; unit u is block u % blocks of plane u // blocks.
        last: one past the last unit.
    """
    ry, rx = taps_y.size // 2, taps_x.size // 2
    taps = np.zeros((taps_y.size + ROWS - 1) * ROWS, np.float32)
    for r in range(ROWS):
        for t in range(taps_y.size):
            taps[(t + r) * ROWS + r] = taps_y[t]
    offsets = np.zeros(height + 2 * ry + ROWS, np.int64)
    for i in range(height + 2 * ry):
        offsets[i] = fold_y[i] * src_row
    margin, pixels = rx * step, width // step
    pitch = width // chunks + 1 + 2 * margin + TILE
    rows = np.zeros(ROWS * pitch, np.float32)
    spare = np.zeros(ROWS * pitch, np.float32)
    blocks = (height + BLOCK - 1) // BLOCK
    for unit in range(first, last):
        plane, block = unit // blocks, unit % blocks
        origin = src_planes[plane]
        for chunk in range(chunks):
            # columns c0..c1 of the result need a..z of the rows; position j of a row waits at margin + j - c0
            c0, c1 = width * chunk // chunks, width * (chunk + 1) // chunks
            a, z = max(0, c0 - margin), min(width, c1 + margin)
            for i in range(block * BLOCK, min(height, (block + 1) * BLOCK), ROWS):
                count = min(ROWS, height - i)
                lo, hi = 0, taps_y.size + count - 1
                if empty:
                    lo, hi = max(0, ry - i), min(hi, height + ry - i)
                if z - a >= TILE:
                    for j0 in range(a, z, TILE):
                        j = min(j0, z - TILE)  # the last tile overlaps: no read beyond the row
                        _down(src, offsets, (i, origin + j), lo, hi, taps, rows, margin + j - c0, pitch)
                else:
                    for r in range(count):
                        for j in range(a, z):
                            total = np.float32(0)
                            for k in range(lo, hi):
                                total += taps[k * ROWS + r] * src[origin + offsets[i + k] + j]
                            rows[r * pitch + margin + j - c0] = total
                for r in range(count):
                    base = r * pitch + margin - c0
                    if scale_y[i + r] != 1:
                        for j in range(base + a, base + z):
                            rows[j] *= scale_y[i + r]
                    if chunk == 0:
                        for q in range(rx):
                            f = fold_x[q]
                            for c in range(step):
                                rows[base + (q - rx) * step + c] = rows[base + f * step + c] if f >= 0 else 0.0
                    if chunk == chunks - 1:
                        for q in range(pixels, pixels + rx):
                            f = fold_x[rx + q]
                            for c in range(step):
                                rows[base + q * step + c] = rows[base + f * step + c] if f >= 0 else 0.0
                target = dst_planes[plane] + i * dst_row
                if count == ROWS and c1 - c0 >= TILE:
                    for j0 in range(c0, c1, TILE):
                        j = min(j0, c1 - TILE)
                        _across(rows, j - c0, pitch, step, taps_x, dst, target + j, dst_row)
                else:
                    for j in range(0, c1 - c0, TILE):
                        _across(rows, j, pitch, step, taps_x, spare, j, pitch)
                    for r in range(count):
                        for j in range(c1 - c0):
                            dst[target + r * dst_row + c0 + j] = spare[r * pitch + j]
        if empty and rx > 0:
            for i in range(block * BLOCK, min(height, (block + 1) * BLOCK)):
                base = dst_planes[plane] + i * dst_row
                for q in range(min(rx, pixels)):
                    for c in range(step):
                        dst[base + q * step + c] *= scale_x[q]
                for q in range(max(rx, pixels - rx), pixels):
                    for c in range(step):
                        dst[base + q * step + c] *= scale_x[q]
