"""Brightness by an offset."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def brightness(image: Image, *,
               amount: Annotated[float | Tensor, Range(-10, 10, soft=(-0.5, 0.5), neutral=0)] = 0.1) -> Tensor:
    """Add the same amount to every value.

    The whole histogram slides: s = r + amount. Differences between pixels stay as they were; values may leave [0, 1].

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        amount: what is added, 1 being the way from black to white; 0 changes nothing.

    Returns:
        (B, C, H, W), same encoding.

    Raises:
        ControlError: `amount` outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> brightness(torch.full((1, 1, 1, 1), 0.25), amount=0.5).item()
        0.75
    """
    return image + per_picture(amount, image)
