"""Baking: a recipe of pixel operations as one colour table, and how far the table is from the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photochrom.core.door import enter
from photochrom.core.errors import ControlError
from photochrom.core.op import Statistics
from photochrom.core.recipe import Recipe
from photochrom.core.registry import registry
from photochrom.core.step import Step
from photochrom.engine.feeds import TensorFeed
from photochrom.engine.pictures import run
from photochrom.engine.plan import default_memory, halo
from photochrom.engine.run import Run
from photochrom.io import Lut
from photochrom.num.strips import pointwise

SIDES = (2, 129)
"""Entries along an edge; editors take 17 to 65."""
_RANDOM = 262144
"""Colours drawn to judge a table by."""


@dataclass(frozen=True)
class Error:
    """How far a table is from its recipe over some colours: the absolute difference of channels, clipped to 0..1.

    Clipped, because a recipe may be steep without bound where it leaves display range, and nobody sees it there.
    """

    largest: float
    mean: float

    def __str__(self) -> str:
        return f"max {self.largest:.2g}, mean {self.mean:.2g} (of 255: {self.largest * 255:.2g}, {self.mean * 255:.2g})"


@dataclass(frozen=True)
class Baked:
    """A table and its errors by the colours they were found on: `random`, `midpoints`, `picture` if one was given."""

    lut: Lut
    errors: dict[str, Error]


def bake(recipe: Recipe | Step, size: int = 33, picture: Any = None) -> Baked:
    """Turn a recipe into a colour table.

    Args:
        recipe: of steps that look at pixels alone, or at statistics besides; its pictures bound.
        size: entries along an edge of the table.
        picture: what statistics are measured on, and a further judge of the table; any kind the door takes.

    Returns:
        The table over 0..1, and its errors.

    Raises:
        ControlError: a step looks at neighbours or carries a mask, or must measure and there is no picture.

    Example:
        >>> import photochrom
        >>> baked = bake(photochrom.Step(photochrom.negative), size=2)
        >>> round(baked.errors["random"].largest, 6)
        0.0
    """
    steps = list(recipe) if isinstance(recipe, Recipe) else [recipe]
    if not SIDES[0] <= size <= SIDES[1]:
        raise ControlError(f"bake: size must lie between {SIDES[0]} and {SIDES[1]}, got {size}")
    _check(steps, picture is not None)
    photo = None
    statistics: Mapping[int, dict[str, Statistics]] = {}
    if picture is not None:
        opened = enter(picture, "bake", "picture")
        if opened.image.shape[:2] not in ((1, 1), (1, 3)):
            raise ControlError(f"bake: picture must be one picture of 1 or 3 channels, got {tuple(opened.image.shape)}")
        photo = opened.image.float().expand(-1, 3, -1, -1)
        statistics = Run(steps, TensorFeed(photo, opened.alpha), default_memory()).measure()

    def through(colours: Tensor) -> Tensor:
        with torch.no_grad():
            for index, step in enumerate(steps):
                colours, _ = step.run(colours, statistics=statistics.get(index))
        return colours.expand(-1, 3, -1, -1)

    grid = torch.linspace(0, 1, size)
    made = pointwise(through, _lattice(grid))
    table = made[0].reshape(3, -1).T.contiguous().T.reshape(3, size, size, size)
    look_up = Step(registry.get("apply_lut"), lut=table)
    drawn = torch.rand(1, 3, 256, _RANDOM // 256, generator=torch.Generator().manual_seed(0))
    colours = {"random": drawn, "midpoints": _lattice((grid[1:] + grid[:-1]) / 2)}
    errors = {name: _error(pointwise(through, image), run(look_up, image)) for name, image in colours.items()}
    if photo is not None:
        errors["picture"] = _error(pointwise(through, photo), run(look_up, photo))
    return Baked(Lut(table, None, recipe.name if isinstance(recipe, Recipe) else recipe.operation.name), errors)


def _check(steps: Sequence[Step], measured: bool) -> None:
    for number, step in enumerate(steps, 1):
        name, operation = f"step {number} ({step.operation.name})", step.operation
        if halo(step) != 0 or operation.changes_size(step.values()):
            raise ControlError(f"bake: {name} looks beyond the pixel, a table holds only what a colour alone becomes")
        if "mask" in step.pictures or "mask" in step.files:
            raise ControlError(f"bake: {name} has a mask, a table does not know places")
        aligned = [port for port in operation.others if operation.ports[port].aligned and port in step.pictures
                   and port != "image_mask"]
        if aligned:
            raise ControlError(f"bake: {name} needs the picture '{aligned[0]}' pixel by pixel, "
                               "a table does not know places")
        if operation.measured is not None and not measured:
            raise ControlError(f"bake: {name} measures the picture, so one must be given (--measure FILE)")


def _lattice(grid: Tensor) -> Tensor:
    """Return every colour of a grid as a picture (1, 3, S^2, S), red running fastest, then green."""
    side = len(grid)
    blue, green, red = torch.meshgrid(grid, grid, grid, indexing="ij")
    return torch.stack([red, green, blue]).reshape(1, 3, side * side, side)


def _error(wanted: Tensor, found: Tensor) -> Error:
    apart = (wanted.clamp(0, 1) - found.clamp(0, 1)).abs()
    return Error(apart.max().item(), apart.mean(dtype=torch.float64).item())
