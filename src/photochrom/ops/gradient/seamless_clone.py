"""Seamless cloning."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Point, Range, Reference, Space, Weights
from photochrom.num.histograms import luminance
from photochrom.num.poisson import Field, edit, region_of, rises

_EQUAL = 1e-6
"""Changes of levels of 8 or 16 bits differ by more, or are equal; rounding must not choose between equal ones."""


@op(reach="image")
def seamless_clone(image: Image, source: Reference, mask: Weights = None, source_mask: Weights = None, *,
                   offset: Point = (0.0, 0.0),
                   gradients: Literal["import", "mixed", "averaged"] = "import",
                   monochrome: bool = False,
                   edge: Literal["source", "flat"] = "source",
                   keep: Annotated[float, Range(0, 1, soft=(0, 0.2))] = 0.0,
                   space: Space = "encoded") -> Tensor:
    """Lay a part of another picture into this one so that no seam shows.

    Not the colours of the source are copied but how they change from pixel to pixel; the colours follow from those of
    the image around the region, by the Poisson equation with the image as its boundary. `mixed` takes at each pair of
    pixels the stronger of both changes, so that texture of the image shows through flat parts of the source;
    `averaged` takes the mean of both.

    Args:
        image: (B, C, H, W), the picture laid into.
        source: (B, C, h, w), of any size; made grey for a grey image.
        mask: (B or 1, 1, h, w), over the source: what is laid in, from 1/2 upwards; without it the whole source. An
            empty one changes nothing.
        source_mask: (B or 1, 1, h, w), the transparency of the source, which it brings along; it narrows the mask.
        offset: where in the image the upper left corner of the source lies, in pixels; rounded to whole ones. What
            then lies outside the image is cut off, and the region is free along the frame.
        gradients: whose changes are taken; `mixed` takes the source's where both are equally strong.
        monochrome: take the changes of the source's luminance for all channels, so that it brings texture and no
            colours.
        edge: what changes from the last pixel inside the region to the first outside: what the source changes there,
            as in the paper, or nothing, for a source that is cut out and has nothing of worth beside the region.
        keep: how firmly the source keeps its own colours; 0 not at all, else they are reached about 1 / keep pixels
            inside the region.
        space: `linear` takes the changes of light, `encoded` those of the values of the file, as the paper does.

    Returns:
        (B, C, H, W), same encoding; outside the region the image bit for bit. Values may leave [0, 1]. A region that
        no pixel of the image bounds keeps the mean of the source.

    Raises:
        ControlError: a mask that has not the size of the source, a source wholly outside the image, channels that do
            not fit, a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, equations 7, 10, 11 and 12. `keep` adds a
        term to its equation that is not in the paper.

    Example:
        >>> import torch
        >>> spot = torch.zeros(1, 1, 5, 5)
        >>> spot[..., 2, 2] = 0.3   # a spot on black, laid on grey
        >>> region = torch.zeros(1, 1, 5, 5)
        >>> region[..., 1:4, 1:4] = 1
        >>> laid = seamless_clone(torch.full((1, 1, 5, 5), 0.5), spot, region)
        >>> round(laid[0, 0, 2, 2].item(), 3)
        0.8
    """
    if mask is not None and mask.shape[-2:] != source.shape[-2:]:
        raise ControlError(f"seamless_clone: mask must have the size of the source, {source.shape[-1]} x "
                           f"{source.shape[-2]} pixels, got {mask.shape[-1]} x {mask.shape[-2]}")
    fitted = _fit(source, image, monochrome)
    region = region_of(mask, source)
    if source_mask is not None:
        region = region & region_of(source_mask, source)
    over, inside = _laid(fitted, region, image, offset)

    def field(own: Tensor, other: Tensor) -> Field:
        pairs = zip(rises(own), rises(other), strict=True)
        if gradients == "averaged":
            right, down = ((a + b) / 2 for a, b in pairs)
        else:
            right, down = (torch.where(a.abs() > b.abs() + _EQUAL, a, b) for a, b in pairs)
        return right, down

    light = (srgb_to_linear, linear_to_srgb) if space == "linear" else None
    return edit("seamless_clone", image, inside, None if gradients == "import" else field, source=over, light=light,
                screen=keep * keep, across=edge == "source")


def _fit(source: Tensor, image: Tensor, monochrome: bool) -> Tensor:
    """Return the source with the channels and the batch of the image."""
    channels = image.shape[1]
    if monochrome or channels == 1:
        source = luminance(source)
    if source.shape[1] == 1:
        source = source.expand(-1, channels, -1, -1)
    if source.shape[1] != channels:
        raise ControlError(f"seamless_clone: source must have {channels} channels or one, got {source.shape[1]}")
    if source.shape[0] not in (1, image.shape[0]):
        raise ControlError(f"seamless_clone: {source.shape[0]} sources do not fit a batch of {image.shape[0]}")
    return source.expand(image.shape[0], -1, -1, -1)


def _laid(source: Tensor, region: Tensor, image: Tensor, offset: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Return the source moved to its place over the image, its edge continued, and the region there."""
    height, width = image.shape[-2:]
    x, y = round(offset[0]), round(offset[1])
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(source.shape[-1], width - x), min(source.shape[-2], height - y)
    if left >= right or top >= bottom:
        raise ControlError(f"seamless_clone: with offset {x},{y} the source, {source.shape[-1]} x {source.shape[-2]} "
                           f"pixels, lies wholly outside the image, {width} x {height}")
    margins = (x + left, width - x - right, y + top, height - y - bottom)
    wide = source[..., top:bottom, left:right]
    wide = wide if wide.dtype in (torch.float32, torch.float64) else wide.float()
    moved = functional.pad(wide, margins, mode="replicate") if any(margins) else wide
    return moved, functional.pad(region[..., top:bottom, left:right], margins, value=False)
