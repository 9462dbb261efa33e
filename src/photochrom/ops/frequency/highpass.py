"""High-pass filter."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Space
from photochrom.num import frequency
from photochrom.ops.frequency._pass import as_it_is, per_pixel, through


@op(reach="image", copies=12, on_alpha=as_it_is, light=(srgb_to_linear, linear_to_srgb))
def highpass(image: Image, *,
             cutoff: Annotated[float, Range(0, 1e5, soft=(1, 500))] = 30.0,
             unit: Literal["picture", "pixel"] = "picture",
             shape: Literal["ideal", "gaussian", "butterworth"] = "gaussian",
             order: Annotated[int, Range(1, 20, soft=(1, 8), scale="linear")] = 2,
             mirror: bool = True,
             space: Space = "encoded") -> Tensor:
    """Keep the fine of a picture and take away the coarse: what the high frequencies carry.

    r = s - lowpass(s): edges and texture around 0, so that half of what remains is negative. Add 0.5 (`brightness`) to
    see it. NaN in a picture spreads over all of it.

    Args:
        image: (B, C, H, W).
        cutoff: where the filter begins to let through; see `lowpass`.
        unit: of cutoff: cycles along the longer side of the `picture`, or cycles per `pixel`.
        shape: `ideal` cuts and rings, `gaussian` never rings, `butterworth` lies between.
        order: of `butterworth`: how steep it is.
        mirror: outside lies the mirror image, the edge pixel not repeated; without, the other side.
        space: `linear` works on light; `encoded` on the values of the file.

    Returns:
        (B, C, H, W), same encoding, around 0.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 4.9.

    Example:
        >>> import torch
        >>> wave = torch.cos(2 * torch.pi * 8 * torch.arange(64) / 64).expand(1, 1, 64, 64)
        >>> round(highpass(wave, cutoff=4, shape="ideal", mirror=False).max().item(), 4)
        1.0
    """
    start = per_pixel(cutoff, unit, image)
    return through(image, lambda fy, fx: 1 - frequency.low((fy**2 + fx**2).sqrt(), start, shape, order), mirror, space)
