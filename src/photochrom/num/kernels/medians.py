"""Medians of small windows, as networks of exchanges on whole vectors; of larger ones by a histogram or by selection.

Imported on first use only: it imports Numba.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BYTES = 64
"""Of a vector: LLVM takes it apart where there are none so long."""
# Devillard: Fast median search (1998). `tests/num/test_medians.py` tries both networks on every pattern of zeros and
# ones, which proves them for all values.
NINE = (
    (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3), (5, 8), (4, 7), (3, 6), (1, 4),
    (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
)
TWENTY_FIVE = (
    (0, 1), (3, 4), (2, 4), (2, 3), (6, 7), (5, 7), (5, 6), (9, 10), (8, 10), (8, 9), (12, 13), (11, 13), (11, 12),
    (15, 16), (14, 16), (14, 15), (18, 19), (17, 19), (17, 18), (21, 22), (20, 22), (20, 21), (23, 24), (2, 5),
    (3, 6), (0, 6), (0, 3), (4, 7), (1, 7), (1, 4), (11, 14), (8, 14), (8, 11), (12, 15), (9, 15), (9, 12),
    (13, 16), (10, 16), (10, 13), (20, 23), (17, 23), (17, 20), (21, 24), (18, 24), (18, 21), (19, 22), (8, 17),
    (9, 18), (0, 18), (0, 9), (10, 19), (1, 19), (1, 10), (11, 20), (2, 20), (2, 11), (12, 21), (3, 21), (3, 12),
    (13, 22), (4, 22), (4, 13), (14, 23), (5, 23), (5, 14), (15, 24), (6, 24), (6, 15), (7, 16), (7, 19), (13, 21),
    (15, 23), (7, 13), (7, 15), (1, 9), (3, 11), (5, 17), (11, 17), (9, 17), (4, 10), (6, 12), (7, 14), (4, 6),
    (4, 7), (12, 14), (10, 14), (6, 7), (10, 12), (6, 10), (6, 17), (12, 17), (7, 17), (7, 10), (12, 18), (7, 12),
    (10, 18), (12, 20), (10, 20), (10, 12),
)


def _needed(network: Any, middle: int) -> list[tuple[int, int, bool, bool]]:
    """Return the exchanges from which the middle value comes, and which of both results are used."""
    used, kept = {middle}, []
    for a, b in reversed(network):
        if a in used or b in used:
            kept.append((a, b, a in used, b in used))
            used |= {a, b}
    return kept[::-1]


@intrinsic
def _median(context: Any, source: Any, at: Any, pitch: Any, radius: Any, out: Any, to: Any) -> Any:
    """out[to + v] = the median of the window that begins at source[at + v], for all lanes v of a vector."""
    n, side = types.intp, 2 * radius.literal_value + 1 if isinstance(radius, types.Literal) else 0
    if not side:
        return None
    network = _needed(NINE if side == 3 else TWENTY_FIVE, side * side // 2)
    kind = source.dtype

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        source, at, pitch, _, out, to = args
        source, out = (ctx.make_array(sig.args[i])(ctx, b, a).data for i, a in ((0, source), (4, out)))
        element = ctx.get_value_type(kind)
        lanes = BYTES * 8 // kind.bitwidth
        vector = ir.VectorType(element, lanes)

        def place(data: Any, offset: Any) -> Any:
            return b.bitcast(b.gep(data, [offset]), vector.as_pointer())

        def pick(name: str, one: Any, other: Any) -> Any:
            if isinstance(element, ir.FloatType):
                return b.select(b.fcmp_ordered("<" if name == "min" else ">", one, other), one, other)
            call = cgutils.get_or_insert_function(b.module, ir.FunctionType(vector, [vector, vector]),
                                                  f"llvm.u{name}.v{lanes}i{kind.bitwidth}")
            return b.call(call, [one, other])

        values = []
        for y in range(side):
            for x in range(side):
                offset = b.add(at, b.add(b.mul(pitch, pitch.type(y)), pitch.type(x)))
                values.append(b.load(place(source, offset), align=kind.bitwidth // 8))
        for i, j, low, high in network:
            one, other = values[i], values[j]
            if low:
                values[i] = pick("min", one, other)
            if high:
                values[j] = pick("max", one, other)
        b.store(values[side * side // 2], place(out, to), align=kind.bitwidth // 8)
        return ctx.get_dummy_value()

    return types.void(source, n, n, radius, out, n), generate


@njit(nogil=True, cache=True)
def small(planes, radius, out, first, last):
    """Write rows first..last of the median of 3 x 3 or 5 x 5 values.

    Args:
        planes: (H + 2 radius, W + 2 radius), uint8, uint16 or float32; W holds at least one vector.
        radius: 1 or 2.
        out: (H, W), same type; written.
        first: first row.
        last: one past the last row.
    """
    lanes = BYTES // planes.itemsize
    pitch, width = planes.shape[1], out.shape[1]
    source, target = planes.reshape(-1), out.reshape(-1)
    for i in range(first, last):
        for start in range(0, width, lanes):
            j = min(start, width - lanes)   # the last vector overlaps the one before
            if radius == 1:
                _median(source, i * pitch + j, pitch, 1, target, i * width + j)
            else:
                _median(source, i * pitch + j, pitch, 2, target, i * width + j)


@njit(nogil=True, cache=True)
def of_bytes(planes, radius, out, first, last):
    """Write rows first..last of the median of uint8 values by a histogram that moves along (Huang 1979)."""
    side, width = 2 * radius + 1, out.shape[1]
    half = side * side // 2
    for i in range(first, last):
        counts = np.zeros(256, np.int32)
        for y in range(i, i + side):
            for x in range(side):
                counts[planes[y, x]] += 1
        level, below = 0, 0   # `below` values lie under the level
        for j in range(width):
            if j > 0:
                for y in range(i, i + side):
                    gone, come = planes[y, j - 1], planes[y, j + side - 1]
                    counts[gone] -= 1
                    counts[come] += 1
                    below += np.int64(come < level) - np.int64(gone < level)
            while below > half:
                level -= 1
                below -= counts[level]
            while below + counts[level] <= half:
                below += counts[level]
                level += 1
            out[i, j] = level


@njit(nogil=True, cache=True)
def selected(planes, radius, out, first, last):
    """Write rows first..last of the median of any values, each window by quickselect."""
    side, width = 2 * radius + 1, out.shape[1]
    count = side * side
    values = np.empty(count, planes.dtype)
    for i in range(first, last):
        for j in range(width):
            for y in range(side):
                values[y * side:(y + 1) * side] = planes[i + y, j:j + side]
            low, high, middle = 0, count - 1, count // 2
            while low < high:
                pivot = values[middle]
                a, b = low, high
                while a <= b:
                    while values[a] < pivot:
                        a += 1
                    while pivot < values[b]:
                        b -= 1
                    if a <= b:
                        values[a], values[b] = values[b], values[a]
                        a += 1
                        b -= 1
                if b < middle:
                    low = a
                if middle < a:
                    high = b
            out[i, j] = values[middle]
