"""Levels: black point, white point and middle tones."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def levels(image: Image, *,
           black: Annotated[float | Tensor, Range(-1, 1, soft=(0, 0.5), neutral=0)] = 0.0,
           white: Annotated[float | Tensor, Range(-1, 10, soft=(0.5, 1), neutral=1)] = 1.0,
           gamma: Annotated[float | Tensor, Range(0.01, 100, soft=(0.2, 5), scale="log", neutral=1)] = 1.0,
           out_black: Annotated[float | Tensor, Range(-1, 10, soft=(0, 0.5), neutral=0)] = 0.0,
           out_white: Annotated[float | Tensor, Range(-1, 10, soft=(0.5, 1), neutral=1)] = 1.0) -> Tensor:
    """Set which values become black and white, and lift or lower the middle tones.

    t = (r - black) / (white - black), then t^(1/gamma), then stretched to out_black..out_white: the levels dialogue of
    photo editors. Values beyond the points are kept, not clipped: the curve goes on oddly below black.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        black: the input value that becomes `out_black`; neutral 0.
        white: the input value that becomes `out_white`; neutral 1; must differ from `black`.
        gamma: above 1 lifts the middle tones, as in photo editors; 1 changes nothing.
        out_black: the output for `black`; neutral 0.
        out_white: the output for `white`; neutral 1.

    Returns:
        (B, C, H, W), same encoding.

    Raises:
        ControlError: a control outside its range, or `white` equal to `black`.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> levels(torch.full((1, 1, 1, 1), 0.5), black=0.25, white=0.75, gamma=2.0).item()
        0.7071067690849304
    """
    if isinstance(black, float) and isinstance(white, float) and black == white:
        raise ControlError(f"levels: white must differ from black, both are {black:g}")
    low, high = per_picture(black, image), per_picture(white, image)
    t = (image - low) / (high - low)
    if isinstance(gamma, Tensor) or gamma != 1:
        size, exponent = t.abs(), 1 / per_picture(gamma, image)
        if t.requires_grad:
            # As in `power`: at 0 a root has an infinite slope, which is taken as 0.
            raised = torch.where(size > 0, size.clamp(min=torch.finfo(t.dtype).tiny) ** exponent, 0)
        else:
            raised = size ** exponent
        t = torch.copysign(raised, t)
    bottom, top = per_picture(out_black, image), per_picture(out_white, image)
    return t * (top - bottom) + bottom
