"""Filling a hole."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, NeededRegion, Space
from photochrom.num.poisson import edit, flat, region_of


@op(reach="image")
def fill(image: Image, mask: NeededRegion, *, space: Space = "encoded") -> Tensor:
    """Fill a region smoothly from its edge, as a membrane stretched over it.

    Inside the region every pixel becomes the mean of its neighbours (the Laplace equation), so that nothing of what was
    there remains and no edge shows. It suits specks, dust and text on a sky or a wall; texture does not come back.

    Args:
        image: (B, C, H, W), any encoding.
        mask: (B or 1, 1, H, W), what is filled, from 1/2 upwards. An empty one changes nothing.
        space: `linear` lets light spread, `encoded` the values of the file.

    Returns:
        (B, C, H, W), same encoding; outside the region the image bit for bit. Inside, values lie between the least and
        the greatest of the edge. The whole picture as region becomes flat, at its mean.

    Raises:
        ControlError: a mask of another size, or a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, equation 2.

    Example:
        >>> import torch
        >>> ramp = torch.linspace(0, 1, 5).expand(1, 1, 5, 5).clone()
        >>> ramp[..., 1:4, 1:4] = 9
        >>> hole = (ramp == 9).float()
        >>> round(fill(ramp, hole)[0, 0, 2, 1].item(), 4)
        0.25
    """
    region = region_of(mask, image)
    known = torch.where(region.all(), torch.ones_like(region), ~region)
    # what is in the hole, which may be anything, is not looked at
    count = known.sum((-2, -1), keepdim=True).clamp(min=1)
    mean = torch.where(known, image, 0).double().sum((-2, -1), keepdim=True) / count
    light = (srgb_to_linear, linear_to_srgb) if space == "linear" else None
    return edit("fill", torch.where(region, mean.to(image), image), region, flat, light=light)
