"""Exposure in stops."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def exposure(image: Image, *,
             stops: Annotated[float | Tensor, Range(-20, 20, soft=(-4, 4), unit="EV", neutral=0)] = 0.5) -> Tensor:
    """Brighten or darken as a longer or shorter exposure would.

    The light itself is multiplied by 2^stops: the values are decoded to linear light, scaled and encoded again, so a
    picture shot one stop under looks as if it had been exposed right. Values may pass 1; nothing is clipped.

    Args:
        image: (B, C, H, W), sRGB-encoded.
        stops: doublings of light; 0 changes nothing.

    Returns:
        (B, C, H, W), sRGB-encoded, range open upwards.

    Raises:
        ControlError: `stops` outside its range.

    Reference:
        IEC 61966-2-1:1999 for the encoding.

    Example:
        >>> import torch
        >>> round(exposure(torch.full((1, 1, 1, 1), 0.5), stops=1).item(), 4)
        0.6858
    """
    gain = 2.0 ** per_picture(stops, image)
    return linear_to_srgb(srgb_to_linear(image) * gain)
