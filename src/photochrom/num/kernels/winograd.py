"""3x3 convolutions between many channels on the processor, by Winograd's F(4x4, 3x3): a quarter of the products.

Tiles of 6x6 pixels become 36 values that are independent of one another; of each, what comes out is a small product
of matrices, tiles by channels and channels by channels, whose sums stay in registers. A dozen tiles pass through all
three steps at once, so that nothing in between leaves the cache. Channels lie last in memory.

Imported on first use (Numba).
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.separable import LANES
from photochrom.num.kernels.streams import Value, spread

binding.initialize_native_asmparser()
BFLOAT16 = LANES == 16 and bool(binding.get_host_cpu_features().get("avx512bf16"))
"""Whether this processor multiplies pairs of bfloat16."""
POINTS = (0.6, 1.4)
"""With 0, their negatives and infinity, where the polynomials behind the transforms are taken. Rounding to bfloat16
leaves twice the error with the usual 1 and 2."""
SIDE, STEP = 6, 4
PLANES = SIDE * SIDE
VECTORS = 4 if LANES == 16 else 2
GROUP = 6
"""Tiles times VECTORS are the sums in registers: 24 of 32, or 12 of 16."""
TOGETHER = 2 * GROUP   # and of half as many VECTORS, one group
BLOCK = VECTORS * LANES

_INT = ir.IntType(64)
_WIDE = ir.VectorType(ir.FloatType(), LANES)
_PAIRS = ir.VectorType(ir.IntType(32), LANES)


def _at(b: Any, kind: Any, address: Any, *offsets: Any) -> Any:
    for offset in offsets:
        address = b.add(address, _INT(offset) if isinstance(offset, int) else offset)
    return b.inttoptr(address, kind.as_pointer())


def _load(b: Any, *place: Any) -> Any:
    return b.load(_at(b, _WIDE, *place), align=4)


def _assembled(b: Any, result: Any, code: str, constraint: str, *values: Any) -> Any:
    return b.asm(ir.FunctionType(result, [value.type for value in values]), code, constraint, values, False)


def _keep(b: Any, value: Any, least: Any, place: Any) -> None:
    b.store(b.select(b.fcmp_ordered(">", value, least), value, least), _at(b, _WIDE, place), align=4)


def _number(b: Any, value: float) -> Value:
    return Value(b, ir.Constant(_WIDE, [value] * LANES))


def _into(b: Any, d: list[Value]) -> list[Value]:
    """Return B' d, the values at the points of the polynomial that has these coefficients."""
    near, far = (value * value for value in POINTS)
    ends = [_number(b, near * far) * d[k] + (d[k + 4] - _number(b, near + far) * d[k + 2]) for k in range(2)]
    made = ends[:1]
    for point, other in zip(POINTS, (far, near), strict=True):
        even, odd = (d[k + 2] - _number(b, other) * d[k] for k in (2, 1))
        odd = _number(b, point) * odd
        made += [even + odd, even - odd]
    return made + ends[1:]


def _out_of(b: Any, m: list[Value]) -> list[Value]:
    """Return A' m, the four pixels that these products at the points make."""
    numbers = [[_number(b, value**k) for value in POINTS] for k in range(STEP)]
    even, odd = (m[1] + m[2], m[3] + m[4]), (m[1] - m[2], m[3] - m[4])
    rows = [m[0] + (even[0] + even[1])]
    rows += [numbers[k][0] * part[0] + numbers[k][1] * part[1] for k, part in ((1, odd), (2, even), (3, odd))]
    rows[3] = rows[3] + m[5]
    return rows


def _twice(b: Any, formula: Any, values: list[list[Value]]) -> list[list[Value]]:
    """Apply a transform to columns and then to rows."""
    half = list(zip(*(formula(b, list(column)) for column in zip(*values, strict=True)), strict=True))
    return [formula(b, list(row)) for row in half]


def _taking(low: bool) -> Any:
    @intrinsic
    def take(context: Any, source: Any, down: Any, across: Any, out: Any, plane: Any) -> Any:
        """Write the values at the points of 6x6 pixels, of a vector of channels, or of two in bfloat16."""

        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            source, down, across, out, plane = args

            def made(channel: int) -> list[Any]:
                rows = [b.add(source, b.mul(down, _INT(i))) for i in range(SIDE)]
                places = [b.mul(across, _INT(j)) for j in range(SIDE)]
                pixels = [[Value(b, _load(b, row, place, channel)) for place in places] for row in rows]
                return [value.value for row in _twice(b, _into, pixels) for value in row]

            if not low:
                for p, value in enumerate(made(0)):
                    b.store(value, _at(b, _WIDE, out, b.mul(plane, _INT(p))), align=4)
            else:
                for p, (one, two) in enumerate(zip(made(0), made(4 * LANES), strict=True)):
                    both = _assembled(b, _PAIRS, "vcvtne2ps2bf16 $1, $2, $0", "=v,v,v", one, two)
                    b.store(both, _at(b, _PAIRS, out, b.mul(plane, _INT(p))), align=4)
            return ctx.get_dummy_value()

        return types.void(*(types.intp,) * 5), generate

    return take


def _multiplying(tiles: int, vectors: int, low: bool) -> Any:
    kind = _PAIRS if low else _WIDE

    @intrinsic
    def multiply(context: Any, count: Any, values: Any, step: Any, weights: Any, out: Any, stride: Any) -> Any:
        """Write out[tile, :] = sum over c of values[tile, c] weights[c, :]; addresses and steps in bytes."""

        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            count, values, step, weights, out, stride = args
            fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(_WIDE, [_WIDE] * 3), f"llvm.fma.v{LANES}f32")
            sums = [[cgutils.alloca_once(b, _WIDE) for _ in range(vectors)] for _ in range(tiles)]
            for row in sums:
                for cell in row:
                    b.store(ir.Constant(_WIDE, None), cell)
            tops = [b.add(values, b.mul(step, _INT(t))) for t in range(tiles)]
            with cgutils.for_range_slice(b, _INT(0), count, _INT(1)) as (c, _):
                across, down = b.mul(c, _INT(4)), b.mul(c, _INT(4 * LANES * vectors))
                factors = [b.load(_at(b, kind, weights, down, 4 * LANES * k), align=4) for k in range(vectors)]
                for t in range(tiles):
                    value = spread(b, kind, b.load(_at(b, kind.element, tops[t], across), align=4))
                    for k in range(vectors):
                        total = b.load(sums[t][k])
                        b.store(_assembled(b, _WIDE, "vdpbf16ps $2, $1, $0", "=v,v,v,0", value, factors[k], total)
                                if low else b.call(fma, [value, factors[k], total]), sums[t][k])
            for t in range(tiles):
                for k in range(vectors):
                    place = _at(b, _WIDE, out, b.mul(stride, _INT(t)), 4 * LANES * k)
                    b.store(b.load(sums[t][k]), place, align=4)
            return ctx.get_dummy_value()

        return types.void(*(types.intp,) * 6), generate

    return multiply


@intrinsic
def _give(context: Any, source: Any, plane: Any, bias: Any, least: Any, out: Any, down: Any, across: Any) -> Any:
    """Write the 4x4 pixels that the products at the points make, of a vector of channels."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        source, plane, bias, least, out, down, across = args
        values = [[Value(b, _load(b, source, b.mul(plane, _INT(SIDE * i + j)))) for j in range(SIDE)]
                  for i in range(SIDE)]
        more, floor = Value(b, _load(b, bias)), spread(b, _WIDE, least)
        for i, row in enumerate(_twice(b, _out_of, values)):
            for j, value in enumerate(row):
                _keep(b, (value + more).value, floor, b.add(out, b.add(b.mul(down, _INT(i)), b.mul(across, _INT(j)))))
        return ctx.get_dummy_value()

    return types.void(*(types.intp,) * 3, types.float32, *(types.intp,) * 3), generate


@intrinsic
def _settle(context: Any, source: Any, least: Any, out: Any) -> Any:
    """Write a vector of sums, none of them below the least."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        _keep(b, _load(b, args[0]), spread(b, _WIDE, args[1]), args[2])
        return ctx.get_dummy_value()

    return types.void(types.intp, types.float32, types.intp), generate


@intrinsic
def _clear(context: Any, out: Any) -> Any:
    """Write a vector of zeros."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        b.store(ir.Constant(_WIDE, None), _at(b, _WIDE, args[0]), align=4)
        return ctx.get_dummy_value()

    return types.void(types.intp), generate


_take, _take_low = _taking(False), _taking(BFLOAT16)
_multiply, _multiply_low = (_multiplying(GROUP, VECTORS, low) for low in (False, BFLOAT16))
_multiply_half, _multiply_half_low = (_multiplying(2 * GROUP, VECTORS // 2, low) for low in (False, BFLOAT16))


@njit(nogil=True, cache=True)
def layer(source, out, height, width, inputs, outputs, vectors, weights, bias, least, low, scratch, first, last):
    """Convolve units first..last of a picture; a unit is TOGETHER tiles.

    Args:
        source: address of (4 rows + 2, 4 columns + 2, inputs), zeros around the picture.
        out: address of the same of outputs, whose outermost pixels are not written.
        height: of the picture.
        width: of the picture.
        inputs: channels, in pairs of vectors.
        outputs: channels, in blocks of vectors.
        vectors: of a block: VECTORS or half as many.
        weights: address of (blocks, PLANES, inputs, block), or of (blocks, PLANES, inputs / 2, block, 2) bfloat16.
        bias: address of (outputs,) float32.
        least: what comes out is not below it.
        low: whether weights are bfloat16, and the values shall be.
        scratch: address of a place for values and sums.
        first: first unit.
        last: one past the last unit.
    """
    rows, columns = (height + STEP - 1) // STEP, (width + STEP - 1) // STEP
    size, channels, block = (2, 2 * LANES, vectors * LANES) if low else (4, LANES, vectors * LANES)
    across, beyond, row, stride = 4 * inputs, 4 * outputs, size * inputs, 4 * block
    down, below = (STEP * columns + 2) * across, (STEP * columns + 2) * beyond
    plane = TOGETHER * row
    sums = scratch + PLANES * plane
    for unit in range(first, last):
        begin = unit * TOGETHER
        count = min(TOGETHER, rows * columns - begin)
        for t in range(count):
            y, x = divmod(begin + t, columns)
            for c in range(0, inputs, channels):
                place, value = source + STEP * (y * down + x * across) + 4 * c, scratch + t * row + c * size
                if low:
                    _take_low(place, down, across, value, plane)
                else:
                    _take(place, down, across, value, plane)
        for number in range(outputs // block):
            for p in range(PLANES):
                factors = weights + (number * PLANES + p) * inputs * block * size
                values, products = scratch + p * plane, sums + p * TOGETHER * stride
                _products(row // 4, count, values, row, factors, products, stride, low)
            for t in range(count):
                y, x = divmod(begin + t, columns)
                place = out + (STEP * y + 1) * below + (STEP * x + 1) * beyond + number * stride
                for k in range(0, stride, 4 * LANES):
                    _give(sums + t * stride + k, TOGETHER * stride, bias + number * stride + k, least, place + k,
                          below, beyond)
                if STEP * (y + 1) > height or STEP * (x + 1) > width:
                    for i in range(STEP):
                        for j in range(STEP):
                            if STEP * y + i >= height or STEP * x + j >= width:
                                for k in range(0, stride, 4 * LANES):
                                    _clear(place + i * below + j * beyond + k)


@njit(nogil=True, inline="always")
def _products(count, tiles, values, step, factors, out, stride, low):
    """Multiply the values of tiles, in groups; a group at the end may go beyond them."""
    if stride == 4 * BLOCK:
        for t in range(0, tiles, GROUP):
            if low:
                _multiply_low(count, values + t * step, step, factors, out + t * stride, stride)
            else:
                _multiply(count, values + t * step, step, factors, out + t * stride, stride)
    else:
        for t in range(0, tiles, 2 * GROUP):
            if low:
                _multiply_half_low(count, values + t * step, step, factors, out + t * stride, stride)
            else:
                _multiply_half(count, values + t * step, step, factors, out + t * stride, stride)


@njit(nogil=True, cache=True)
def first_layer(image, out, outputs, vectors, weights, least, first, last):
    """Convolve rows first..last of a picture of few channels, in float32.

    Args:
        image: (C, H + 2, W + 2) float32, zeros around the picture.
        out: address of a picture as `layer` reads it.
        outputs: channels.
        vectors: of a block.
        weights: address of (blocks, 9 C + 1, block) float32; the last is the bias.
        least: what comes out is not below it.
        first: first row.
        last: one past the last row.
    """
    width, taps, block = image.shape[2] - 2, 9 * image.shape[0] + 1, vectors * LANES
    below = 4 * outputs * (STEP * ((width + STEP - 1) // STEP) + 2)
    values, sums = np.empty((TOGETHER, taps), np.float32), np.empty((TOGETHER, block), np.float32)
    values[:, taps - 1] = 1
    for y in range(first, last):
        for begin in range(0, width, TOGETHER):
            count = min(TOGETHER, width - begin)
            for t in range(count):
                for c in range(image.shape[0]):
                    for i in range(3):
                        for j in range(3):
                            values[t, 9 * c + 3 * i + j] = image[c, y + i, begin + t + j]
            for number in range(outputs // block):
                factors = weights + 4 * number * taps * block
                _products(taps, count, values.ctypes.data, 4 * taps, factors, sums.ctypes.data, 4 * block, False)
                for t in range(count):
                    place = out + (y + 1) * below + 4 * ((begin + t + 1) * outputs + number * block)
                    for k in range(0, 4 * block, 4 * LANES):
                        _settle(sums.ctypes.data + 4 * t * block + k, least, place + k)
