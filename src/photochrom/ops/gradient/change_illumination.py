"""Changing the light on a part of a picture."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range, Region
from photochrom.num.poisson import Field, edit, region_of, rises

_DARK = 1 / 255
"""Added before the logarithm: a level of 8 bits, below which differences are noise."""


_STILL = 1e-12
"""The square of a change that is rounding."""


def _to_log(image: Tensor) -> Tensor:
    return (image.clamp(min=0) + _DARK).log()


def _from_log(image: Tensor) -> Tensor:
    return image.exp() - _DARK


@op(reach="image", copies=21)
def change_illumination(image: Image, mask: Region = None, *,
                        pivot: Annotated[float, Range(0.01, 10, soft=(0.05, 1), scale="log")] = 0.2,
                        exponent: Annotated[float, Range(0, 1, soft=(0, 0.5), neutral=0)] = 0.2) -> Tensor:
    """Even out the light on a part of a picture: bring out what is too dark there, or tame a highlight.

    The changes of the picture's logarithm from pixel to pixel are bent: |v| becomes (a m / |v|)^b |v|, where m is the
    mean change in the region. Large changes, which light makes, shrink; small ones, which texture makes, grow.

    Args:
        image: (B, C, H, W), encoded as the file is, which is what the paper works on; values below 0 count as 0.
        mask: (B or 1, 1, H, W), the part whose light is changed, from 1/2 upwards; without it the whole picture.
        pivot: a, the size of change, in mean changes, that stays as it is; larger ones shrink, smaller ones grow.
        exponent: b, how strongly changes are bent; 0 changes nothing.

    Returns:
        (B, C, H, W), same encoding; outside the region the image bit for bit. Values may leave [0, 1]. Of a whole
        picture the mean of the logarithm stays.

    Raises:
        ControlError: a mask of another size, or a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, equation 16, after Fattal, Lischinski,
        Werman: Gradient domain high dynamic range compression. ACM TOG 21(3), 2002.

    Example:
        >>> import torch
        >>> steps = torch.tensor([0.1, 0.12, 0.6, 0.62, 0.1]).expand(1, 1, 5, 5)
        >>> part = torch.zeros(1, 1, 5, 5)
        >>> part[..., 1:4] = 1
        >>> round(change_illumination(steps, part)[0, 0, 2, 2].item(), 2)
        0.31
    """
    if exponent == 0:
        return image.clone()
    region = region_of(mask, image)

    def field(own: Tensor, other: Tensor) -> Field:
        right, down = rises(own)
        size = torch.zeros_like(own)
        size[..., :, :-1] += right.square()
        size[..., :-1, :] += down.square()
        some = size > _STILL   # where nothing changes there is nothing to bend
        size = torch.where(some, size, 1).sqrt()
        mean = torch.where(some, size, 0).mean((-2, -1), keepdim=True)
        gain = torch.where(some, (pivot * torch.where(mean > 0, mean, 1) / size) ** exponent, 0)
        return right * gain[..., :, :-1], down * gain[..., :-1, :]

    return edit("change_illumination", image, region, field, light=(_to_log, _from_log))
