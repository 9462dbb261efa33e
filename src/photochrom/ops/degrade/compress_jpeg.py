"""The blocks and rings of JPEG."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.jpeg import Subsampling, through_jpeg
from photochrom.num.steps import straight_through


@op(reach="image")
def compress_jpeg(image: Image, *,
                  quality: Annotated[int, Range(1, 100)] = 40,
                  subsampling: Subsampling = "4:2:0") -> Tensor:
    """Show what JPEG makes of a picture: blocks of 8 pixels, rings at edges, coarse colour.

    The picture is rounded to 8 bits, compressed and read back. Pictures of three channels are compressed as colour;
    of any other number of channels each is compressed as a grey picture.

    Args:
        image: (B, C, H, W), sRGB-encoded; what lies outside [0, 1] is clipped, as in a file.
        quality: 100 keeps nearly all, 10 shows every block; the scale of the Independent JPEG Group.
        subsampling: resolution of colour: full, half across, or half across and down; without effect on grey.

    Returns:
        (B, C, H, W), sRGB-encoded, within [0, 1], on 8-bit levels. The gradient passes straight through, as if
        nothing were done.

    Raises:
        ControlError: `quality` outside its range, or no such subsampling.

    Reference:
        ITU-T T.81, 1992, with the tables of its annex K scaled as the Independent JPEG Group does.

    Example:
        >>> ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
        >>> round(compress_jpeg(ramp, quality=10).sub(ramp).abs().max().item(), 2)
        0.03
    """
    value = image.detach()
    made = torch.stack([_compressed(picture, quality, subsampling) for picture in value])
    return straight_through(image, made.to(image))


def _compressed(picture: Tensor, quality: int, subsampling: Literal["4:4:4", "4:2:2", "4:2:0"]) -> Tensor:
    levels = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
    planes = [levels] if len(levels) == 3 else list(levels.split(1))
    return torch.cat([torch.from_numpy(through_jpeg(plane.numpy(), quality, subsampling)) for plane in planes]) / 255
