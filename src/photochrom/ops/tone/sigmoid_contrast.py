"""Contrast by an S-shaped curve."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture

_STRAIGHT = 1e-3
"""Below this amount the curve is the straight line to 1e-7, and its own formula would divide nothing by nothing."""


@op(reach="pixel", channelwise=True)
def sigmoid_contrast(image: Image, *,
                     amount: Annotated[float | Tensor, Range(-12, 12, soft=(-8, 8), neutral=0)] = 3.0,
                     centre: Annotated[float | Tensor, Range(0, 1)] = 0.5) -> Tensor:
    """Raise the contrast of the middle tones by an S-curve that spares black and white.

    s = (S(r) - S(0)) / (S(1) - S(0)) with S(r) = 1 / (1 + exp(-a (r - centre))): steepest at the centre, flat towards
    both ends. A negative amount is the inverse of the positive one and lowers the contrast. Outside [0, 1] the curve
    goes on straight, so that highlights beyond white stay apart and nothing is lost.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        amount: the steepness a; 0 changes nothing.
        centre: the value at which the curve is steepest.

    Returns:
        (B, C, H, W), same encoding; [0, 1] stays [0, 1].

    Raises:
        ControlError: a control outside its range.

    Reference:
        ImageMagick 7 (2023): `-sigmoidal-contrast`, the same curve within [0, 1].

    Example:
        >>> import torch
        >>> round(sigmoid_contrast(torch.full((1, 1, 1, 1), 0.75), amount=4.0).item(), 4)
        0.8034
    """
    wide = image.float() if image.dtype.itemsize < 4 else image
    a, m = (per_picture(torch.as_tensor(value, dtype=torch.float64) if not isinstance(value, Tensor) else value, wide)
            for value in (amount, centre))
    assert isinstance(a, Tensor)
    assert isinstance(m, Tensor)
    bent = a.abs() > _STRAIGHT
    # With S(r) = (1 + tanh(a (r - m) / 2)) / 2 the halves and ones of the equation cancel.
    g = torch.where(bent, a.abs(), 1) / 2
    low, high = torch.tanh(g * m), torch.tanh(g * (1 - m))
    span = low + high
    # 1 - tanh z = 2 S(-2 z), without the loss of digits where tanh z is nearly 1.
    left, right = 2 * torch.sigmoid(-2 * g * m), 2 * torch.sigmoid(-2 * g * (1 - m))
    start, end = g * left * (1 + low) / span, g * right * (1 + high) / span
    inner = wide.clamp(0, 1)
    rising = (torch.tanh(g * (inner - m)) + low) / span
    falling = m + torch.log((inner * span + left) / ((1 - inner) * span + right)) / (2 * g)
    up = a > 0
    beyond = torch.where(wide < 0, torch.where(up, start, 1 / start), torch.where(up, end, 1 / end)) * (wide - inner)
    return torch.where(bent, torch.where(up, rising, falling) + beyond, wide).to(image.dtype)
