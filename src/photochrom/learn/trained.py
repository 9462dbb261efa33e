"""Which controls of a recipe are trained, and the units in which they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photochrom.core.controls import Control
from photochrom.core.errors import ControlError, nearest
from photochrom.core.step import STRENGTH, Step

_DIGITS = 6
"""Significant digits of a fitted number: well beyond what 16 bits can tell."""
_FLOOR = 1e-3
"""Least value of a control on a logarithmic scale that may be 0, as a part of the upper end of its soft range."""


@dataclass(frozen=True)
class Trained:
    """One control that is trained: where it sits, where it starts, and how its numbers become units.

    A unit is the span of the control's soft range, so that a step of a given size means about as much for every
    control; on a logarithmic scale it is the span of the logarithms.
    """

    place: int
    """Which step, from 0."""
    operation: str
    control: Control
    start: Tensor
    """All its numbers, float64, in the shape the operation takes."""
    free: Tensor
    """Which of them are trained, of the same shape."""

    @property
    def label(self) -> str:
        """The name a person would use."""
        return f"{self.place + 1}.{self.operation}.{self.control.name}"

    @property
    def count(self) -> int:
        """How many numbers are trained."""
        return int(self.free.sum())

    @property
    def logarithmic(self) -> bool:
        """Whether units count logarithms."""
        return self.control.range is not None and self.control.range.scale == "log"

    def limits(self) -> tuple[float, float]:
        """Return the lowest and highest value in units: the hard range."""
        limits = self.control.range
        if limits is None:
            return -math.inf, math.inf
        low, high = limits.low, limits.high
        if self.logarithmic:
            low = max(low, _FLOOR * self._soft()[1])
        return tuple(self.to_units(torch.tensor([low, high], dtype=torch.float64)).tolist())

    def to_units(self, numbers: Tensor) -> Tensor:
        """Return numbers in units."""
        if self.logarithmic:
            low, high = self._soft()
            return numbers.clamp(min=_FLOOR * high).log() / math.log(high / low)
        return numbers / self._span()

    def to_numbers(self, units: Tensor) -> Tensor:
        """Return units as numbers of the control."""
        if self.logarithmic:
            low, high = self._soft()
            return (units * math.log(high / low)).exp()
        return units * self._span()

    def slope(self, units: Tensor) -> Tensor:
        """Return by how much the numbers change a unit."""
        if self.logarithmic:
            low, high = self._soft()
            return self.to_numbers(units) * math.log(high / low)
        return torch.full_like(units, self._span())

    def filled(self, units: Tensor) -> Tensor:
        """Return the control's tensor with the trained numbers in their places; it has the gradient of `units`."""
        return self.start.clone().masked_scatter(self.free, self.to_numbers(units))

    def put(self, steps: Sequence[Step], units: Tensor) -> None:
        """Give the control to its step."""
        value = self.filled(units)
        steps[self.place].set(self.control.name, value if self.control.tensor else value.item())

    def plain(self, units: Tensor) -> Any:
        """Return the control's value in plain, rounded numbers within its range, as a recipe states it."""
        return _plain(self.filled(units).detach(), self.control)

    def _soft(self) -> tuple[float, float]:
        limits = self.control.range
        assert limits is not None
        low, high = limits.soft or (limits.low, limits.high)
        return max(low, _FLOOR * high), high

    def _span(self) -> float:
        limits = self.control.range
        if limits is None:   # a curve's outputs span 0..1; coordinates are counted in their own size
            return 1.0 if self.control.kind == "curve" else max(1.0, float(self.start.abs().max()) / 10)
        low, high = limits.soft or (limits.low, limits.high)
        return high - low


def trained_controls(steps: Sequence[Step], wanted: Iterable[str] | None = None) -> list[Trained]:
    """Choose the controls that are trained.

    Args:
        steps: the steps of the recipe.
        wanted: names: a control (`stops`), an operation with or without a control (`exposure`, `exposure.stops`), or
            either after the number of the step (`2.exposure.stops`). None takes every control that takes a tensor, but
            not `strength`. A plain number such as a `sigma` is trained if it is named.

    Returns:
        The controls in the order of the steps.

    Raises:
        ControlError: a name that fits nothing, or no control that can be trained.
    """
    every = [(place, step, control) for place, step in enumerate(steps)
             for control in [*step.operation.controls.values(), STRENGTH]
             if not (control is STRENGTH and step.operation.changes_size(step.values()))]
    names = list(wanted) if wanted is not None else None
    chosen: list[Trained] = []
    used: set[str] = set()
    for place, step, control in every:
        fits = {name for name in names or () if _fits(name, place, step.operation.name, control)}
        used |= fits
        usual = control.tensor and control.kind in ("float", "curve") and control is not STRENGTH
        named = any(name.replace("-", "_").split(".")[-1] == control.name for name in fits)
        if not (usual if names is None else fits and (named or usual)):
            continue
        value = {**step.values(), "strength": step.strength()}[control.name]
        start = _numbers(value) if control.tensor or control.kind == "float" else None
        if start is None:
            if named:
                raise ControlError(f"fit: {control.name} of {step.operation.name} cannot be trained, it is no number "
                                   "that may vary smoothly")
            continue
        free = torch.ones_like(start, dtype=torch.bool)
        if control.kind == "curve":   # inputs stay: to move a point sideways is nearly to move it up or down
            free[..., 0] = False
        chosen.append(Trained(place, step.operation.name, control, start, free))
    for name in names or ():
        if name not in used:
            known = sorted({control.name for _, _, control in every} | {step.operation.name for step in steps})
            raise ControlError(f"fit: the recipe has no control '{name}'{nearest(name, known)}")
    if not chosen:
        there = ", ".join(dict.fromkeys(step.operation.name for step in steps))
        raise ControlError(f"fit: the recipe has no control that can be trained; its steps are {there}")
    return chosen


def _fits(name: str, place: int, operation: str, control: Control) -> bool:
    parts = name.replace("-", "_").split(".")
    if parts[0].isdigit() and (int(parts.pop(0)) != place + 1 or not parts):
        return False
    if len(parts) == 2:
        return parts == [operation, control.name]
    return len(parts) == 1 and (parts[0] == control.name or (parts[0] == operation and control is not STRENGTH))


def _numbers(value: Any) -> Tensor | None:
    if isinstance(value, (str, bool)):
        return None
    try:
        return torch.as_tensor(value).detach().to("cpu", torch.float64).clone()
    except (TypeError, ValueError, RuntimeError):
        return None


def _plain(value: Tensor, control: Control) -> Any:
    if value.ndim:
        if control.kind == "float" and value.numel() == 1:
            return _plain(value.reshape(()), control)
        return tuple(_plain(part, control) for part in value)
    number = float(f"{value.item():.{_DIGITS}g}")
    if control.range is not None:
        number = min(max(number, control.range.low), control.range.high)
    return number + 0.0   # no minus nought


__all__ = ["Trained", "trained_controls"]
