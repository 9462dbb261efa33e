"""Formulas over patches of 16 columns, as vector code: one vector a row, wherever the rows lie.

A loop over short rows spends its time beside the rows. Here a patch is one call: it takes plain addresses, which are
not counted as arrays are, and goes down all rows in one loop. Imported on first use (Numba).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from photochrom.num.kernels.streams import Value, spread

WIDE = 16


class Vector(Value):
    """A row of a patch, or a number for all of it; sums, products and moved columns of it are code."""

    def _columns(self, other: Value, order: list[int]) -> Vector:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDE), order)
        return self._made(self._builder.shuffle_vector(self.value, other.value, mask))

    def farther(self, other: Vector) -> Vector:
        """Return the greater of this and how far the other lies from 0, column by column."""
        b, there = self._builder, other.value
        away = b.select(b.fcmp_ordered("<", there, ir.Constant(there.type, None)), b.fneg(there), there)
        return self._made(b.select(b.fcmp_ordered(">", away, self.value), away, self.value))

    def behind(self, left: Value) -> Vector:
        """Return columns -1 ... 14, with the row of the patch on the left."""
        return self._columns(left, [2 * WIDE - 1, *range(WIDE - 1)])

    def ahead(self, right: Value) -> Vector:
        """Return columns 1 ... 16, with the row of the patch on the right."""
        return self._columns(right, list(range(1, WIDE + 1)))

    def half(self, second: bool) -> Vector:
        """Return columns 0 ... 7 or 8 ... 15, in front."""
        return self._columns(self, [8 * second + k % 8 for k in range(WIDE)])

    def even(self, right: Value) -> Vector:
        """Return columns 0, 2, 4 ... of two rows side by side."""
        return self._columns(right, list(range(0, 2 * WIDE, 2)))

    def odd(self, right: Value) -> Vector:
        """Return columns 1, 3, 5 ... of two rows side by side."""
        return self._columns(right, list(range(1, 2 * WIDE, 2)))

    def between(self, other: Value) -> Vector:
        """Return the first halves of two rows, column by column in turn: the undoing of `even` and `odd`."""
        return self._columns(other, [k // 2 + (k % 2) * WIDE for k in range(WIDE)])


def patch(formula: Callable[..., Any], outs: tuple[int, ...], ins: tuple[int, ...], numbers: int = 0) -> Any:
    """Return a function for kernels, `f(rows, step, ..., address, ..., number, ...)`, of float32.

    For each of `rows` rows it reads 16 values at each address, calls the formula and writes what it returns; then each
    address moves on by its step. All are in bytes. What is read and what is written may be the same place, but must
    not overlap otherwise.

    Args:
        formula: called with a `Vector` for each address read and each number; returns one for each written, in a tuple
            if there are several.
        outs: for each address written, its step; -1, -2 ... for the first, second ... of those given in the call.
        ins: likewise for each address read.
        numbers: how many numbers follow.
    """
    steps = outs + ins
    given = max(0, *(-step for step in steps))

    def apply(context: Any, *kinds: Any) -> Any:
        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            vector, index = ir.VectorType(ir.FloatType(), WIDE), ir.IntType(64)
            places = args[1 + given : 1 + given + len(steps)]
            factors = [Vector(b, spread(b, vector, number)) for number in args[1 + given + len(steps) :]]
            with cgutils.for_range_slice(b, index(0), args[0], index(1)) as (row, _):
                far = {step: b.mul(row, args[-step] if step < 0 else index(step)) for step in set(steps)}
                at = [b.inttoptr(b.add(place, far[step]), vector.as_pointer())
                      for place, step in zip(places, steps, strict=True)]
                made = formula(*(Vector(b, b.load(place, align=4)) for place in at[len(outs) :]), *factors)
                for value, place in zip(made if isinstance(made, tuple) else (made,), at, strict=False):
                    b.store(value.value, place, align=4)
            return ctx.get_dummy_value()

        return types.void(*kinds), generate

    # Numba goes by the signature, and would pack arguments that have no names into a tuple.
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ["context", "rows", *(f"step{k}" for k in range(given)), *(f"place{k}" for k in range(len(steps))),
             *(f"number{k}" for k in range(numbers))]
    apply.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return intrinsic(apply)
