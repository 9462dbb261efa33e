"""Changing the colour of a thing."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range, Region
from photochrom.num.histograms import luminance
from photochrom.num.poisson import edit, region_of

Gain = Annotated[float, Range(0, 10, soft=(0, 3), neutral=1)]


@op(reach="image", channels=3)
def change_color(image: Image, mask: Region = None, *,
                 red: Gain = 1.0, green: Gain = 1.0, blue: Gain = 1.0,
                 surroundings: Annotated[float, Range(0, 1)] = 1.0) -> Tensor:
    """Recolour a thing roughly marked, without a seam; or let it alone keep its colour.

    The three channels inside the region are multiplied and laid over the picture by their changes from pixel to pixel,
    so that the new colour runs out into the old one at the edge and the mark need not be exact. `surroundings`
    below 1 takes the colour out of everything else instead, and the thing then meets grey at its edge.

    Args:
        image: (B, 3, H, W), any encoding; sRGB-encoded as a rule.
        mask: (B or 1, 1, H, W), the thing and a little around it, from 1/2 upwards; without it the whole picture,
            whose mean is then multiplied too.
        red: factor of the red channel; 1 changes nothing.
        green: factor of the green channel; 1 changes nothing.
        blue: factor of the blue channel; 1 changes nothing.
        surroundings: how much colour stays outside the region; 1 all, 0 none.

    Returns:
        (B, 3, H, W), same encoding; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, a mask of another size, or a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, section 4, local color changes.

    Example:
        >>> import torch
        >>> image = torch.full((1, 3, 5, 5), 0.4)
        >>> image[..., 2, 2] = 0.5
        >>> part = torch.zeros(1, 1, 5, 5)
        >>> part[..., 1:4, 1:4] = 1
        >>> [round(v, 2) for v in change_color(image, part, red=2)[0, :, 2, 2].tolist()]
        [0.6, 0.5, 0.5]
    """
    region = region_of(mask, image)
    gains = torch.tensor([red, green, blue]).to(image)[:, None, None]
    grey = luminance(image)
    around = image if surroundings == 1 else torch.where(region, image, torch.lerp(grey.expand_as(image), image,
                                                                                      surroundings))
    if red == green == blue == 1:
        return around.clone()
    return edit("change_color", around, region, None, source=image * gains)
