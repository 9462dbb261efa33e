"""Exchanging the texture of a thing."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Reference, Region
from photochrom.num.histograms import luminance
from photochrom.num.poisson import Field, edit, region_of, rises


@op(reach="image", copies=21)
def exchange_texture(image: Image, reference: Reference, mask: Region = None, *,
                     detail: Annotated[float, Range(0, 10, soft=(0, 2))] = 1.0) -> Tensor:
    """Give a part of a picture the texture of another picture, and leave it its own colours and its edge.

    The changes of the reference's luminance take the place of the region's own, in every channel; the colours flow in
    from the edge of the region. The reference is repeated where it is smaller than the picture, so one that is
    tileable shows no seam.

    Args:
        image: (B, C, H, W), encoded.
        reference: (B or 1, C, h, w), a picture of the texture.
        mask: (B or 1, 1, H, W), the part whose texture is exchanged, from 1/2 upwards; without it the whole picture.
        detail: factor of the changes; 0 leaves the part smooth.

    Returns:
        (B, C, H, W), same encoding; outside the region the image bit for bit. Values may leave [0, 1].

    Raises:
        ControlError: a mask of another size, more references than pictures, or a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, section 3, feature exchange and monochrome
        transfer. Differs from the paper in that the texture is repeated.

    Example:
        >>> import torch
        >>> stripes = torch.tensor([0.0, 0.2]).repeat(4).expand(1, 1, 8, 8)
        >>> part = torch.zeros(1, 1, 8, 8)
        >>> part[..., 1:7, 1:7] = 1
        >>> made = exchange_texture(torch.full((1, 1, 8, 8), 0.5), stripes, part)
        >>> round((made[0, 0, 4, 3] - made[0, 0, 4, 4]).item(), 3)
        0.221
    """
    if reference.shape[0] not in (1, image.shape[0]):
        raise ControlError(f"exchange_texture: {reference.shape[0]} references do not fit a batch of {image.shape[0]}")
    height, width = image.shape[-2:]
    down, across = -(-height // reference.shape[-2]), -(-width // reference.shape[-1])
    texture = luminance(reference).repeat(1, 1, down, across)[..., :height, :width].expand(image.shape)

    def field(own: Tensor, other: Tensor) -> Field:
        right, below = rises(other)
        return right * detail, below * detail

    return edit("exchange_texture", image, region_of(mask, image), field, source=texture, from_image=True)
