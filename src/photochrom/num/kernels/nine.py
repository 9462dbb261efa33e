"""Rows of a nine-point operator, for one vector or for two that share its weights, as vector code.

Weights are most of what such a row reads: two vectors at a time read them once. And where vectors of the processor are
as wide as lines of its cache, each neighbour on the left or right would lie in two lines; it is put together from
vectors that lie in one. Imported on first use (Numba).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.streams import Value, masked, spread, weighted
from photochrom.num.solve.stencil import NEIGHBOURS

_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
_BYTES = 64 if _WIDE else 32


def nine(formula: Callable[..., Value], planes: int) -> Any:
    """Return a function for kernels that writes rows of `planes` vectors.

    `f(count, out, out_at, out_step, x, at, step, pitch, b, b_at, b_step, w, offsets, p, f, omega)` writes
    out[out_at + m out_step + j] = formula(x_j, b_j, f_j, near_j, omega) for plane m and j below count: x_j, b_j, f_j
    stand at `at + m step + j`, `b_at + m b_step + j` and `p + j`, near_j is the sum of the eight neighbours of x_j by
    their weights w[offsets[k] + p + j]. Around the row of x there must be memory as for another vector; what it holds
    beyond the neighbours does not matter.

    Args:
        formula: called with a `Value` for each; built of +, - and *.
        planes: 1 or 2.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        element = sig.args[1].dtype
        count, out_at, out_step, at, step, pitch, b_at, b_step, p = (args[k] for k in (0, 2, 3, 5, 6, 7, 9, 10, 13))
        data = {k: ctx.make_array(sig.args[k])(ctx, b, args[k]).data for k in (1, 4, 8, 11, 12, 14)}
        index, size = count.type, element.bitwidth // 8
        lanes = _BYTES // size
        vector = ir.VectorType(ctx.get_data_type(element), lanes)
        omega = Value(b, spread(b, vector, args[15]))
        weights = [b.gep(data[11], [b.add(b.load(b.gep(data[12], [index(k)])), p)]) for k in range(8)]
        factor = b.gep(data[14], [p])
        rows = [{dy: b.gep(data[4], [b.add(b.add(at, b.mul(step, index(m))), b.mul(pitch, index(dy)))])
                 for dy in (-1, 0, 1)} for m in range(planes)]
        right, out = ([b.gep(data[k], [b.add(first, b.mul(every, index(m)))]) for m in range(planes)]
                      for k, first, every in ((8, b_at, b_step), (1, out_at, out_step)))

        def place(start: Any, j: Any) -> Any:
            return b.bitcast(b.gep(start, [j]), vector.as_pointer())

        def whole(start: Any, j: Any) -> Any:
            return b.load(place(start, j), align=size)

        def around(start: Any, j: Any) -> dict[int, Any]:
            """Return the vectors one pixel to the left of j, at it, and one to the right."""
            if not _WIDE:
                return {dx: whole(start, b.add(j, index(dx))) for dx in (-1, 0, 1)}
            before, here, after = (whole(start, b.add(j, index(k * lanes))) for k in (-1, 0, 1))
            shifts = ir.VectorType(ir.IntType(32), lanes)
            return {-1: b.shuffle_vector(before, here, ir.Constant(shifts, list(range(lanes - 1, 2 * lanes - 1)))),
                    0: here, 1: b.shuffle_vector(here, after, ir.Constant(shifts, list(range(1, lanes + 1))))}

        def write(j: Any, load: Callable[[Any, Any], Any], store: Callable[[Any, Any, Any], Any]) -> None:
            shared, own = [load(weight, j) for weight in weights], Value(b, load(factor, j))
            for m in range(planes):
                near = {dy: around(row, j) for dy, row in rows[m].items()}
                pairs = [Value(b, v) for k, (dy, dx) in enumerate(NEIGHBOURS) for v in (shared[k], near[dy][dx])]
                made = formula(Value(b, near[0][0]), Value(b, load(right[m], j)), own, weighted(pairs), omega)
                store(made.value, out[m], j)

        end = b.sub(count, b.urem(count, index(lanes)))
        with cgutils.for_range_slice(b, index(0), end, index(lanes)) as (j, _):
            write(j, whole, lambda value, start, j: b.store(value, place(start, j), align=size))
        left = b.sub(count, end)
        with b.if_then(b.icmp_signed(">", left, index(0))):
            load, store = masked(b, vector, size, left)
            write(end, lambda start, j: load(place(start, j)), lambda value, start, j: store(value, place(start, j)))
        return ctx.get_dummy_value()

    def apply(context, count, out, out_at, out_step, x, at, step, pitch, b, b_at, b_step, w, offsets, p, f,  # type: ignore[no-untyped-def]
              omega):  # fmt: skip
        return types.void(count, out, out_at, out_step, x, at, step, pitch, b, b_at, b_step, w, offsets, p, f,
                          omega), generate

    return intrinsic(apply)
