"""Convolution with a large kernel on the processor: Fourier transforms along the rows, complex sums down the columns.

Thirty-two pieces of the picture are done at once: sixteen in the lanes of a vector, two as real and imaginary part. As
the kernel is real, neither mixes with the other. The torch definition of the same numbers is
`photochrom.num.convolve`. Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
ELEMENT = 2 * LANES   # floats of a complex vector: real parts, then imaginary parts
ROWS = 8 if binding.get_host_cpu_features().get("avx512f") else 3
"""Rows of sums that stay in registers while the kernel's rows pass by."""

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INDEX = ir.VectorType(ir.IntType(32), LANES)
_INT32 = ir.IntType(32)
_FUSE = ("contract",)
_N = types.intp


def _data(ctx: Any, b: Any, kind: Any, array: Any) -> Any:
    return ctx.make_array(kind)(ctx, b, array).data


def _place(b: Any, data: Any, offset: Any) -> Any:
    return b.bitcast(b.gep(data, [offset]), _VECTOR.as_pointer())


def _splat(b: Any, value: Any) -> Any:
    one = b.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INT32, 0))
    return b.shuffle_vector(one, one, ir.Constant(_INDEX, [0] * LANES))


def _transposed(b: Any, rows: list[Any]) -> list[Any]:
    """Turn 16 vectors of 16 in four stages of exchanges: blocks off the diagonal of pairs of rows change places."""
    for half in (8, 4, 2, 1):
        low = [j if not j & half else LANES + j - half for j in range(LANES)]
        high = [j + half if not j & half else LANES + j for j in range(LANES)]
        for i in range(LANES):
            if not i & half:
                a, c = rows[i], rows[i + half]
                rows[i] = b.shuffle_vector(a, c, ir.Constant(_INDEX, low))
                rows[i + half] = b.shuffle_vector(a, c, ir.Constant(_INDEX, high))
    return rows


@intrinsic
def _spread(context: Any, lines: Any, places: Any, j: Any, out: Any, to: Any) -> Any:
    """out[to + 32 k + i] = lines[places[i] + j + k] for i and k below 16."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        lines, places, j, out, to = args
        lines, places, out = (_data(ctx, b, sig.args[i], a) for i, a in ((0, lines), (1, places), (3, out)))
        rows = []
        for i in range(LANES):
            at = b.add(b.load(b.gep(places, [j.type(i)])), j)
            rows.append(b.load(_place(b, lines, at), align=4))
        for k, row in enumerate(_transposed(b, rows)):
            b.store(row, _place(b, out, b.add(to, to.type(k * ELEMENT))), align=4)
        return ctx.get_dummy_value()

    return types.void(lines, places, _N, out, _N), generate


@intrinsic
def _gather(context: Any, made: Any, at: Any, places: Any, j: Any, lines: Any) -> Any:
    """lines[places[i] + j + k] = made[at + 32 k + i] for i and k below 16."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        made, at, places, j, lines = args
        made, places, lines = (_data(ctx, b, sig.args[i], a) for i, a in ((0, made), (2, places), (4, lines)))
        rows = [b.load(_place(b, made, b.add(at, at.type(k * ELEMENT))), align=4) for k in range(LANES)]
        for i, row in enumerate(_transposed(b, rows)):
            b.store(row, _place(b, lines, b.add(b.load(b.gep(places, [j.type(i)])), j)), align=4)
        return ctx.get_dummy_value()

    return types.void(made, _N, places, _N, lines), generate


def _sum(b: Any, x: Any, y: Any) -> Any:
    return tuple(b.fadd(p, q, flags=_FUSE) for p, q in zip(x, y, strict=True))


def _difference(b: Any, x: Any, y: Any) -> Any:
    return tuple(b.fsub(p, q, flags=_FUSE) for p, q in zip(x, y, strict=True))


def _times(b: Any, x: Any, w: Any) -> Any:
    def mul(p: Any, q: Any) -> Any:
        return b.fmul(p, q, flags=_FUSE)

    even = b.fsub(mul(x[0], w[0]), mul(x[1], w[1]), flags=_FUSE)
    return even, b.fadd(mul(x[0], w[1]), mul(x[1], w[0]), flags=_FUSE)


def _by(b: Any, x: Any, factor: float) -> Any:
    constant = ir.Constant(_VECTOR, [factor] * LANES)
    return tuple(b.fmul(part, constant, flags=_FUSE) for part in x)


def _down_turn(b: Any, x: Any) -> Any:
    """Multiply by -i."""
    return x[1], b.fneg(x[0])


def _small(b: Any, a: list[Any]) -> list[Any]:
    """Return the discrete Fourier transform of 2, 4 or an odd number of values."""
    if len(a) == 2:
        return [_sum(b, *a), _difference(b, *a)]
    if len(a) == 4:
        s, d = _sum(b, a[0], a[2]), _difference(b, a[0], a[2])
        t, e = _sum(b, a[1], a[3]), _down_turn(b, _difference(b, a[1], a[3]))
        return [_sum(b, s, t), _sum(b, d, e), _difference(b, s, t), _difference(b, d, e)]
    n, half = len(a), len(a) // 2
    pairs = [(_sum(b, a[k], a[n - k]), _down_turn(b, _difference(b, a[k], a[n - k]))) for k in range(1, half + 1)]
    total = a[0]
    for even, _ in pairs:
        total = _sum(b, total, even)
    made = [total] + [None] * (n - 1)
    for j in range(1, half + 1):
        even = a[0]
        odd = None
        for k, (p, q) in enumerate(pairs, 1):
            angle = 2 * np.pi * ((j * k) % n) / n
            even = _sum(b, even, _by(b, p, float(np.cos(angle))))
            part = _by(b, q, float(np.sin(angle)))
            odd = part if odd is None else _sum(b, odd, part)
        made[j], made[n - j] = _sum(b, even, odd), _difference(b, even, odd)
    return made


def _butterfly(radix: int) -> Any:
    @intrinsic
    def stage(context: Any, src: Any, at: Any, gap: Any, turns: Any, turn: Any, dst: Any, to: Any, hop: Any,
              real: Any) -> Any:
        """Transform `radix` complex vectors `gap` apart, turn each, and store them `hop` apart."""

        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            src, at, gap, turns, turn, dst, to, hop, real = args
            src, turns, dst = (_data(ctx, b, sig.args[i], a) for i, a in ((0, src), (3, turns), (5, dst)))
            imaginary = b.sub(real.type(LANES), real)
            values = []
            for k in range(radix):
                base = b.add(at, b.mul(gap, gap.type(k)))
                values.append(tuple(b.load(_place(b, src, b.add(base, part)), align=4) for part in (real, imaginary)))
            for k, value in enumerate(_small(b, values)):
                if k:
                    where = [b.add(turn, turn.type(2 * k - 2 + c)) for c in (0, 1)]
                    value = _times(b, value, tuple(_splat(b, b.load(b.gep(turns, [w]))) for w in where))
                base = b.add(to, b.mul(hop, hop.type(k)))
                for vector, part in zip(value, (real, imaginary), strict=True):
                    b.store(vector, _place(b, dst, b.add(base, part)), align=4)
            return ctx.get_dummy_value()

        return types.void(src, _N, _N, turns, _N, dst, _N, _N, _N), generate

    return stage


_two, _three, _four, _five, _seven = (_butterfly(radix) for radix in (2, 3, 4, 5, 7))


@intrinsic
def _column(context: Any, ring: Any, at: Any, first: Any, slots: Any, weights: Any, weight: Any, out: Any, to: Any,
            hop: Any) -> Any:
    """out[to + r hop] = sum_t weights[t - r + ROWS - 1] ring[at + (first + t) % slots], complex, for r below ROWS."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        ring, at, first, slots, weights, weight, out, to, hop = args
        ring, weights, out = (_data(ctx, b, sig.args[i], a) for i, a in ((0, ring), (4, weights), (6, out)))
        zero = ir.Constant(_VECTOR, None)
        sums = [[cgutils.alloca_once_value(b, zero) for _ in range(2)] for _ in range(ROWS)]
        for cell in sums:
            for part in cell:
                b.store(zero, part)
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{LANES}f32")
        with cgutils.for_range_slice(b, slots.type(0), slots, slots.type(1)) as (t, _):
            slot = b.add(first, t)
            slot = b.select(b.icmp_signed(">=", slot, slots), b.sub(slot, slots), slot)
            base = b.add(at, b.mul(slot, slot.type(ELEMENT)))
            real = b.load(_place(b, ring, base), align=4)
            imaginary = b.load(_place(b, ring, b.add(base, base.type(LANES))), align=4)
            for r, (even, odd) in enumerate(sums):
                where = b.add(weight, b.mul(b.add(t, t.type(ROWS - 1 - r)), t.type(2)))
                u = _splat(b, b.load(b.gep(weights, [where])))
                v = _splat(b, b.load(b.gep(weights, [b.add(where, where.type(1))])))
                b.store(b.call(fma, [real, u, b.load(even)]), even)
                b.store(b.call(fma, [real, v, b.load(odd)]), odd)
                b.store(b.call(fma, [b.fneg(imaginary), v, b.load(even)]), even)
                b.store(b.call(fma, [imaginary, u, b.load(odd)]), odd)
        for r, cell in enumerate(sums):
            for c, part in enumerate(cell):
                where = b.add(b.add(to, b.mul(hop, hop.type(r))), to.type(c * LANES))
                b.store(b.load(part), _place(b, out, where), align=4)
        return ctx.get_dummy_value()

    return types.void(ring, _N, _N, _N, weights, _N, out, _N, _N), generate


@njit(nogil=True, cache=True, inline="always")
def _stage(radix, src, at, gap, turns, turn, dst, to, hop, real):
    if radix == 4:
        _four(src, at, gap, turns, turn, dst, to, hop, real)
    elif radix == 5:
        _five(src, at, gap, turns, turn, dst, to, hop, real)
    elif radix == 3:
        _three(src, at, gap, turns, turn, dst, to, hop, real)
    elif radix == 2:
        _two(src, at, gap, turns, turn, dst, to, hop, real)
    else:
        _seven(src, at, gap, turns, turn, dst, to, hop, real)


@njit(nogil=True, cache=True)
def _transform(a, b, n, factors, turns, real, out, to, hop):
    """Transform a (b is room for it) into out[to + k hop]; real = LANES instead of 0 exchanges the parts: backwards."""
    length, stride, turn = n, 1, 0
    for f in range(factors.size):
        radix = factors[f]
        m = length // radix
        last = f == factors.size - 1
        for p in range(m):
            for q in range(stride):
                at, gap = (q + stride * p) * ELEMENT, stride * m * ELEMENT
                if last:
                    _stage(radix, a, at, gap, turns, turn, out, to + q * hop, stride * hop, real)
                else:
                    here = (q + stride * radix * p) * ELEMENT
                    _stage(radix, a, at, gap, turns, turn, b, here, stride * ELEMENT, real)
            turn += 2 * (radix - 1)
        a, b = b, a
        length, stride = m, stride * radix


@njit(nogil=True, cache=True)
def _line(row, fold, lead, left, wide, line):
    """line[j] = row[fold[left + j]] for j below `wide`, 0 where there is nothing."""
    begin = min(max(lead - left, 0), wide)
    end = max(min(lead - left + row.size, wide), begin)
    for j in range(begin):
        f = fold[left + j]
        line[j] = row[f] if f >= 0 else np.float32(0)
    line[begin:end] = row[left + begin - lead:left + end - lead]
    for j in range(end, wide):
        f = fold[left + j]
        line[j] = row[f] if f >= 0 else np.float32(0)
    line[wide:] = 0


@njit(nogil=True, cache=True)
def correlate(source, fold_y, fold_x, lead, weights, n, factors, turns, step, across, band, groups, out, first, last):
    """Write units first..last of a correlation.

    Args:
        source: (P, H, W) float32.
        fold_y: (h + kernel rows - 1,) the row read at each place, -1 for zeros.
        fold_x: (w + kernel columns - 1,) the column read at each place, -1 for zeros.
        lead: columns before the picture's first.
        weights: (n, kernel rows + 2 ROWS - 2, 2) float32: spectra of the kernel's rows, ROWS - 1 zeros on both sides.
        n: length of the transforms.
        factors: of n, each 2, 3, 4, 5 or 7.
        turns: float32 factors of the stages, one after the other.
        step: columns of the result that one piece gives: at most n - kernel columns + 1.
        across: pieces side by side in a vector: 1, 2, 4, 8 or 16; 16 / across bands of rows share one.
        band: rows of a band.
        groups: `across` pieces each, that make up a row.
        out: (P, h, w) float32; written.
        first: first unit; unit u is group u % groups of bands u // groups * 32 / across and following.
        last: one past the last unit.
    """
    height, width = out.shape[1:]
    down, slots = LANES // across, weights.shape[1] - (ROWS - 1)
    per_plane = (height + band - 1) // band
    bands = per_plane * out.shape[0]
    blocks = (n + LANES - 1) // LANES
    pitch = (across - 1) * step + blocks * LANES
    lines = np.zeros(2 * down * pitch, np.float32)
    places = np.zeros((2, LANES), np.int64)
    for c in range(2):
        for i in range(LANES):
            places[c, i] = (c * down + i // across) * pitch + i % across * step
    a = np.zeros(blocks * LANES * ELEMENT, np.float32)
    b = np.zeros(blocks * LANES * ELEMENT, np.float32)
    stretch = slots | 1   # an odd number of lines apart: no two bins in the same sets of the cache
    ring = np.zeros(n * stretch * ELEMENT, np.float32)
    rows = np.zeros(ROWS * blocks * LANES * ELEMENT, np.float32)
    long = blocks * LANES * ELEMENT
    flat = weights.reshape(-1)
    for unit in range(first, last):
        group, base = unit % groups, unit // groups * 2 * down
        left = group * across * step
        wide = min(pitch, fold_x.size - left)
        done = 0
        for top in range(0, band, ROWS):
            stop = top + slots
            while done < stop:
                for c in range(2 * down):
                    index = base + c
                    line = lines[c * pitch:(c + 1) * pitch]
                    y = index % per_plane * band + done
                    row = fold_y[y] if index < bands and y < fold_y.size else -1
                    if row < 0:
                        line[:] = 0
                    else:
                        _line(source[index // per_plane, row], fold_x, lead, left, wide, line)
                for j in range(0, n, LANES):
                    _spread(lines, places[0], j, a, j * ELEMENT)
                    _spread(lines, places[1], j, a, j * ELEMENT + LANES)
                _transform(a, b, n, factors, turns, 0, ring, done % slots * ELEMENT, stretch * ELEMENT)
                done += 1
            for k in range(n):
                _column(ring, k * stretch * ELEMENT, top % slots, slots, flat, k * weights.shape[1] * 2, rows,
                        k * ELEMENT, long)
            for r in range(min(ROWS, band - top)):
                _transform(rows[r * long:(r + 1) * long], b, n, factors, turns, LANES, a, 0, ELEMENT)
                for j in range((step - 1) // LANES * LANES, -1, -LANES):   # backwards: what runs over is overwritten
                    _gather(a, j * ELEMENT, places[0], j, lines)
                    _gather(a, j * ELEMENT + LANES, places[1], j, lines)
                for c in range(2 * down):
                    index = base + c
                    y = index % per_plane * band + top + r
                    if index < bands and y < height:
                        count = min(across * step, width - left)
                        out[index // per_plane, y, left:left + count] = lines[c * pitch:c * pitch + count]
