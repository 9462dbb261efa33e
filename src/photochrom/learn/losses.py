"""How far a result is from the picture it should be, in display values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_LEVEL = 1 / 255
_BEND = 4 * _LEVEL
"""Of `huber`: up to about four 8-bit levels an error counts by its square, which weighs rounding rightly."""
_SMOOTH = 0.5 * _LEVEL
"""Of `l1`: within half a level, where 8 bits know nothing, the corner of the absolute value is rounded."""


@dataclass(frozen=True)
class Loss:
    """A loss of one difference, and its weight: the loss's derivative divided by the difference."""

    value: Callable[[Tensor], Tensor]
    weight: Callable[[Tensor], Tensor]


def _rounded(bend: float) -> Loss:
    """The root of r^2 + bend^2: a parabola within the bend, straight lines beyond."""
    return Loss(lambda r: bend * ((r * r + bend * bend).sqrt() - bend), lambda r: bend / (r * r + bend * bend).sqrt())


LOSSES = {"l2": Loss(lambda r: r * r / 2, torch.ones_like), "l1": _rounded(_SMOOTH), "huber": _rounded(_BEND)}


def apart(result: Tensor, target: Tensor, clipped: bool) -> Tensor:
    """Return result - target; of a clipped target, 0 where both lie beyond the same end of the display range.

    A saved picture is clipped: where it is white, all that is known is that the result is white or lighter.
    """
    if not clipped:
        return result - target
    beyond = ((target >= 1) & (result > 1)) | ((target <= 0) & (result < 0))
    return torch.where(beyond, 0.0, result - target)


def clips(target: Tensor) -> bool:
    """Tell whether a picture has been clipped to the display range: none of its values leaves it."""
    low, high = target.nan_to_num(0.5, 0.5, 0.5).aminmax()
    return bool(low >= 0) and bool(high <= 1)
