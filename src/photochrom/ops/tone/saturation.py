"""Saturation about the luminance."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Space
from photochrom.core.values import per_picture

_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Of ITU-R BT.709, whose primaries are those of sRGB."""


@op(reach="pixel", channels=3)
def saturation(image: Image, *,
               amount: Annotated[float | Tensor, Range(0, 100, soft=(0, 2), neutral=1)] = 1.25,
               space: Space = "encoded") -> Tensor:
    """Make colours stronger or paler, down to grey.

    Every colour moves on the line through the grey of its own luminance: s = Y + a (r - Y), with Y = 0.2126 R +
    0.7152 G + 0.0722 B. Greys stay; at 0 the picture is grey.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        amount: the factor a of the distance from grey; 1 changes nothing.
        space: whether the mixing is done with encoded values, as CSS and most editors do, or with linear light.

    Returns:
        (B, 3, H, W), sRGB-encoded; values may leave [0, 1].

    Raises:
        ControlError: `amount` outside its range, or a picture without three channels.

    Reference:
        W3C: Filter Effects Module Level 1 (2018), `saturate`.

    Example:
        >>> import torch
        >>> saturation(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1), amount=0.0)[0, :, 0, 0].tolist()
        [0.2125999927520752, 0.2125999927520752, 0.2125999927520752]
    """
    light = srgb_to_linear(image) if space == "linear" else image
    red, green, blue = light[:, :1], light[:, 1:2], light[:, 2:]
    grey = _WEIGHTS[0] * red + _WEIGHTS[1] * green + _WEIGHTS[2] * blue
    a = per_picture(amount, image)
    # a r + (1 - a) Y: exactly r for a = 1, which Y + a (r - Y) would not be.
    mixed = light * a + (1 - a) * grey
    return linear_to_srgb(mixed) if space == "linear" else mixed
