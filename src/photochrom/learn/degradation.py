"""From originals to what a network is given: recipes whose values may be drawn by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.errors import RecipeError
from photochrom.core.registry import registry
from photochrom.learn.config import Degrade


class Degradation:
    """Steps on whole pictures, then steps on patches."""

    def __init__(self, steps: Sequence[Degrade]) -> None:
        self.steps = [(registry.get(step.op), step) for step in steps]
        for operation, step in self.steps:
            for name in step.controls:
                if name not in operation.controls:
                    operation.check({name: None})   # says so, with the nearest name

    def whole(self, picture: Tensor, scale: int) -> Tensor:
        """Run the steps on pictures.

        Args:
            picture: (1, C, H, W), the original.
            scale: what "scale" and "1/scale" stand for.

        Returns:
            What the network is given, before the steps on patches.
        """
        with torch.no_grad():
            for operation, step in self.steps:
                if step.on == "picture":
                    picture = _run(operation, picture, _values(step, scale, None))
        return picture

    def patches(self, patches: Tensor, scale: int, chance: np.random.Generator) -> Tensor:
        """Run the steps on patches, each with values and a seed of its own.

        Args:
            patches: (B, C, H, W).
            scale: as above.
            chance: what values and seeds are drawn from.

        Returns:
            (B, C, H, W)
        """
        with torch.no_grad():
            for operation, step in self.steps:
                if step.on == "patch":
                    patches = torch.cat([_run(operation, patches[at:at + 1], _values(step, scale, chance, operation))
                                         for at in range(len(patches))])
        return patches


def _run(operation: Any, picture: Tensor, controls: dict[str, Any]) -> Tensor:
    return operation.function(picture, **operation.check(controls))


def _values(step: Degrade, scale: int, chance: np.random.Generator | None, operation: Any = None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, told in step.controls.items():
        if isinstance(told, Mapping):
            if chance is None:
                raise RecipeError(f"{step.op}: {name} is drawn by chance, which is for patches only")
            whole = operation.controls[name].kind == "int"
            low, high = told["low"], told["high"]
            values[name] = int(chance.integers(low, high + 1)) if whole else float(chance.uniform(low, high))
        elif told in ("scale", "1/scale"):
            values[name] = float(scale) if told == "scale" else float(Fraction(1, scale))
        else:
            values[name] = told
    if chance is not None and "seed" in operation.controls and "seed" not in values:
        values["seed"] = int(chance.integers(0, 2**31 - 1))
    return values
