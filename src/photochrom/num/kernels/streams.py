"""Formulas over rows of values, as vector code: for what LLVM does not turn into vectors by itself.

A loop over ten rows needs ten proofs that none overlaps the result; LLVM gives up, or checks at run time, call by call.
Imported on first use (Numba).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_BYTES = 64
"""Of a vector; LLVM cuts it where a processor has shorter ones."""
_FAST = ("contract", "nsz", "reassoc")


class Value:
    """A vector of the row, or a number for all of it; sums and products of it are code."""

    def __init__(self, builder: Any, value: Any) -> None:
        self._builder, self.value = builder, value

    def _made(self, value: Any) -> Self:
        return type(self)(self._builder, value)

    def __add__(self, other: Value) -> Self:
        return self._made(self._builder.fadd(self.value, other.value, flags=_FAST))

    def __sub__(self, other: Value) -> Self:
        return self._made(self._builder.fsub(self.value, other.value, flags=_FAST))

    def __mul__(self, other: Value) -> Self:
        return self._made(self._builder.fmul(self.value, other.value, flags=_FAST))


def weighted(pairs: Sequence[Any]) -> Any:
    """Return the sum of the products of pairs, which follow one another: for formulas."""
    total = pairs[0] * pairs[1]
    for k in range(2, len(pairs), 2):
        total = total + pairs[k] * pairs[k + 1]
    return total


def stream(formula: Callable[..., Value], *, rows: int, numbers: int = 0) -> Any:
    """Return a function for kernels, `f(count, out, to, array, offset, array, offset, ..., number, ...)`.

    It writes out[to + j] = formula(*(array[offset + j] for each row), *numbers) for j below count. Arrays are flat and
    of one floating type, as are the numbers; a part of out may be read only at the very places that are written.

    Args:
        formula: called with a `Value` for each row and number; built of +, - and *.
        rows: how many arrays are read.
        numbers: how many numbers follow them.
    """

    def apply(context: Any, *kinds: Any) -> Any:
        element = kinds[1].dtype

        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            lanes = _BYTES // (element.bitwidth // 8)
            vector, index = ir.VectorType(ctx.get_data_type(element), lanes), args[0].type
            starts = [_start(ctx, b, sig.args[k], args[k], args[k + 1]) for k in range(1, 2 * rows + 3, 2)]
            factors = [Value(b, spread(b, vector, number)) for number in args[2 * rows + 3 :]]

            def place(start: Any, j: Any) -> Any:
                return b.bitcast(b.gep(start, [j]), vector.as_pointer())

            def result(values: list[Any]) -> Any:
                return formula(*(Value(b, value) for value in values), *factors).value

            align = element.bitwidth // 8
            whole = b.sub(args[0], b.urem(args[0], index(lanes)))
            with cgutils.for_range_slice(b, index(0), whole, index(lanes)) as (j, _):
                found = result([b.load(place(start, j), align=align) for start in starts[1:]])
                b.store(found, place(starts[0], j), align=align)
            left = b.sub(args[0], whole)
            with b.if_then(b.icmp_signed(">", left, index(0))):
                load, store = masked(b, vector, align, left)
                found = result([load(place(start, whole)) for start in starts[1:]])
                store(found, place(starts[0], whole))
            return ctx.get_dummy_value()

        return types.void(*kinds), generate

    # Numba goes by the signature. Arrays in a tuple would be counted in and out, which takes longer than a short row.
    names = ["context", "count", *(f"{name}{k}" for k in range(rows + 1) for name in ("row", "at")),
             *(f"number{k}" for k in range(numbers))]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    apply.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return intrinsic(apply)


def _start(ctx: Any, b: Any, kind: Any, array: Any, offset: Any) -> Any:
    return b.gep(ctx.make_array(kind)(ctx, b, array).data, [offset])


def masked(b: Any, vector: Any, align: int, left: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return functions that read and write what is left of a row: nothing beyond it is touched.

    Args:
        b: the builder.
        vector: type of the row's vectors.
        align: bytes of a value.
        left: how many values.
    """
    lanes, wide = vector.count, ir.VectorType(left.type, vector.count)
    mask = b.icmp_signed("<", ir.Constant(wide, list(range(lanes))), spread(b, wide, left))
    name, pointer, number = f"v{lanes}f{8 * align}", vector.as_pointer(), ir.IntType(32)
    step, none = ir.Constant(number, align), ir.Constant(vector, None)
    load, store = (
        cgutils.get_or_insert_function(b.module, ir.FunctionType(*kind), f"llvm.masked.{what}.{name}.p0{name}")
        for what, kind in (("load", (vector, [pointer, number, mask.type, vector])),
                           ("store", (ir.VoidType(), [vector, pointer, number, mask.type])))
    )  # fmt: skip
    return (lambda place: b.call(load, [place, step, mask, none]),
            lambda value, place: b.call(store, [value, place, step, mask]))


def spread(b: Any, vector: Any, value: Any) -> Any:
    """Return a vector that holds a number in all lanes."""
    one = b.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return b.shuffle_vector(one, ir.Constant(vector, ir.Undefined),
                            ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None))
