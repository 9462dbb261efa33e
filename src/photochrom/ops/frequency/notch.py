"""Notch filter."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Points, Range, Space
from photochrom.num import frequency
from photochrom.ops.frequency._pass import as_it_is, per_pixel, through


@op(reach="image", copies=12, on_alpha=as_it_is, light=(srgb_to_linear, linear_to_srgb))
def notch(image: Image, *,
          at: Points = ((64.0, 0.0),),
          width: Annotated[float, Range(0, 1e5, soft=(1, 50), neutral=0)] = 4.0,
          unit: Literal["picture", "pixel"] = "picture",
          shape: Literal["ideal", "gaussian", "butterworth"] = "gaussian",
          order: Annotated[int, Range(1, 20, soft=(1, 8), scale="linear")] = 2,
          mirror: bool = True,
          space: Space = "encoded") -> Tensor:
    """Take single frequencies out: a regular pattern, such as a moire, a screen or hum.

    Around each place of the spectrum, and around the one opposite, a hole is made. Where a pattern lies is read off
    `photochrom view spectrum`. The mean of the picture stays. NaN in a picture spreads over all of it.

    Args:
        image: (B, C, H, W).
        at: frequencies (across, down), from 0 in the middle of the spectrum.
        width: radius of the hole, as `cutoff` of `lowpass`; 0 changes nothing.
        unit: of at and width: cycles along the longer side of the `picture`, or cycles per `pixel`.
        shape: `ideal` cuts and rings, `gaussian` never rings, `butterworth` lies between.
        order: of `butterworth`: how steep it is.
        mirror: outside lies the mirror image, the edge pixel not repeated; without, the other side.
        space: `linear` works on light; `encoded` on the values of the file.

    Returns:
        (B, C, H, W), same encoding.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 4.10.

    Example:
        >>> import torch
        >>> wave = torch.cos(2 * torch.pi * 8 * torch.arange(64) / 64).expand(1, 1, 64, 64)
        >>> round(notch(wave, at=((8, 0),), width=2, shape="ideal", mirror=False).abs().max().item(), 3)
        0.0
    """
    if width == 0:
        return image
    radius = per_pixel(width, unit, image)
    places = [(per_pixel(u, unit, image), per_pixel(v, unit, image)) for u, v in at]

    def response(fy: Tensor, fx: Tensor) -> Tensor:
        made = torch.ones_like(fy * fx)
        for u, v in places:
            for sign in (1, -1):
                distance = ((fx - sign * u) ** 2 + (fy - sign * v) ** 2).sqrt()
                made = made * (1 - frequency.low(distance, radius, shape, order))
        made[0, 0] = 1   # a hole that reaches frequency 0 must not change the lightness
        return made

    return through(image, response, mirror, space)
