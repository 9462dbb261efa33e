"""A fit as a problem of numbers: units in, differences out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.step import Step
from photochrom.learn.losses import apart
from photochrom.learn.pairs import Part
from photochrom.learn.trained import Trained

_NUDGE, _COARSE, _LONG = 1e-6, 1e-3, 0.02
"""Strides of a difference quotient in units: for what has a gradient, for a plain number whose filter grows by whole
pixels, and for what does not move yet, such as an S-curve that starts as a straight line."""
_DEAD = 1e-9


class Problem:
    """The differences between what the recipe makes and what it should, as a function of the trained numbers.

    Args:
        parts: pixels or patches with steps of their own.
        trained: the controls.
        first: the first step that is run on the parts.
    """

    def __init__(self, parts: Sequence[Part], trained: Sequence[Trained], first: int) -> None:
        self.parts, self.trained, self.first = parts, trained, first
        self.start = torch.cat([control.to_units(control.start[control.free]) for control in trained])
        limits = [control.limits() for control in trained for _ in range(control.count)]
        self.low, self.high = torch.tensor(limits, dtype=torch.float64).T.unbind()
        self.owner = [control for control in trained for _ in range(control.count)]
        self.put(self.start.clamp(self.low, self.high))
        with torch.no_grad():
            raw = [self._finish(part, *self._run(part, self.first)) for part in parts]
        self.valid = torch.cat([found.isfinite().flatten() for found in raw])
        self.weight = torch.cat([self._judged(part.weight, part).expand_as(found).flatten()
                                 for part, found in zip(parts, raw, strict=True)]) * self.valid
        if not bool((self.weight > 0).any()):
            raise ControlError("fit: there is nothing to compare, since the recipe leaves no pixel that is finite")

    def put(self, units: Tensor) -> None:
        """Give every part the trained numbers."""
        at = 0
        for control in self.trained:
            for part in self.parts:
                control.put(part.steps, units[at:at + control.count])
            at += control.count

    def differences(self, units: Tensor) -> Tensor:
        """Return the differences of all parts, (N,); they have the gradient of `units`."""
        self.put(units)
        found = torch.cat([self._finish(part, *self._run(part, self.first)).flatten() for part in self.parts])
        return torch.where(self.valid, found, 0.0)

    def slopes(self, units: Tensor, r: Tensor) -> Tensor:
        """Return by how much each difference changes a unit of each number, (N, P), from difference quotients.

        What a number cannot touch is not computed anew: of each step the picture that enters it is kept.
        """
        with torch.no_grad():
            self.put(units)
            kept = [self._stages(part) for part in self.parts]
            columns = []
            for number, control in enumerate(self.owner):
                stride = _NUDGE if control.control.tensor else _COARSE
                column = self._quotient(units, r, number, stride, kept)
                if float(column.abs().max()) < _DEAD:
                    column = self._quotient(units, r, number, _LONG, kept)
                columns.append(column)
            self.put(units)
        return torch.stack(columns, 1)

    def _quotient(self, units: Tensor, r: Tensor, number: int, stride: float,
                  kept: list[list[tuple[Tensor, Tensor | None]]]) -> Tensor:
        if units[number] + stride > self.high[number]:
            stride = -stride
        moved = units.clone()
        moved[number] += stride
        self.put(moved)
        place = self.owner[number].place
        found = torch.cat([self._finish(part, *self._run(part, place, *stages[place - self.first])).flatten()
                           for part, stages in zip(self.parts, kept, strict=True)])
        self.put(units)
        return torch.where(self.valid, found - r, 0.0) / stride

    def _run(self, part: Part, place: int, image: Tensor | None = None,
             alpha: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        image, alpha = (part.image, part.alpha) if image is None else (image, alpha)
        for step in part.steps[place:]:
            image, alpha = step.run(image, alpha)
        return image, alpha

    def _stages(self, part: Part) -> list[tuple[Tensor, Tensor | None]]:
        stages = [(part.image, part.alpha)]
        for step in part.steps[self.first:]:
            stages.append(step.run(*stages[-1]))
        return stages

    def _finish(self, part: Part, result: Tensor, alpha: Tensor | None) -> Tensor:
        if result.shape[-2:] != part.target.shape[-2:]:
            raise ControlError(f"fit: the recipe makes pictures of {result.shape[-1]} x {result.shape[-2]} pixels, "
                               f"the edited one has {part.target.shape[-1]} x {part.target.shape[-2]}")
        result, target = self._judged(result, part), self._judged(part.target, part)
        return apart(result, target, part.clipped)

    @staticmethod
    def _judged(picture: Tensor, part: Part) -> Tensor:
        return picture[(..., *part.core)]


def run_whole(steps: Sequence[Step], image: Tensor, alpha: Tensor | None) -> Tensor:
    """Return what the steps make of a whole picture; by bands of rows where they look at pixels alone."""
    rows = max(1, (1 << 20) // image.shape[-1])
    plain = all(step.operation.reach == "pixel" and step.operation.reaches(step.values()) == 0 for step in steps)
    with torch.no_grad():
        bands = range(0, image.shape[-2], rows) if plain else [0]
        done = []
        for top in bands:
            cut = slice(top, top + rows) if plain else slice(None)
            part, cover = image[..., cut, :], None if alpha is None else alpha[..., cut, :]
            for step in steps:
                part, cover = step.run(part, cover, rows=cut)
            done.append(part)
    return torch.cat(done, -2) if len(done) > 1 else done[0]
