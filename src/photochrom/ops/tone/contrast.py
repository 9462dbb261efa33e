"""Contrast about a centre."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def contrast(image: Image, *,
             amount: Annotated[float | Tensor, Range(0, 100, soft=(0.25, 4), scale="log", neutral=1)] = 1.25,
             centre: Annotated[float | Tensor, Range(-10, 10, soft=(0, 1))] = 0.5) -> Tensor:
    """Spread the values away from a centre, or draw them towards it.

    s = a (r - centre) + centre: above 1 the picture gains punch, below 1 it turns flat, at 0 it is one grey.
    Values equal to the centre stay.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        amount: the gain a; 1 changes nothing.
        centre: the value that stays.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1].

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> contrast(torch.full((1, 1, 1, 1), 0.75), amount=2.0).item()
        1.0
    """
    gain, middle = per_picture(amount, image), per_picture(centre, image)
    # a r + (1 - a) s: exactly r for a = 1, which (r - s) a + s would not be.
    return image * gain + (1 - gain) * middle
