"""Band-pass filter."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Space
from photochrom.num import frequency
from photochrom.ops.frequency._pass import as_it_is, per_pixel, through


@op(reach="image", copies=12, on_alpha=as_it_is, light=(srgb_to_linear, linear_to_srgb))
def bandpass(image: Image, *,
             low: Annotated[float, Range(0, 1e5, soft=(1, 500))] = 10.0,
             high: Annotated[float, Range(0, 1e5, soft=(1, 500))] = 60.0,
             unit: Literal["picture", "pixel"] = "picture",
             shape: Literal["ideal", "gaussian", "butterworth"] = "gaussian",
             order: Annotated[int, Range(1, 20, soft=(1, 8), scale="linear")] = 2,
             mirror: bool = True,
             space: Space = "encoded") -> Tensor:
    """Keep what is neither coarse nor fine: a ring of frequencies.

    A low-pass at `high` and a high-pass at `low`, one after the other. What remains lies around 0; add 0.5
    (`brightness`) to see it. NaN in a picture spreads over all of it.

    Args:
        image: (B, C, H, W).
        low: where the ring begins; 0 takes away the mean alone.
        high: where it ends, not below `low`.
        unit: of low and high: cycles along the longer side of the `picture`, or cycles per `pixel`.
        shape: `ideal` cuts and rings, `gaussian` never rings, `butterworth` lies between.
        order: of `butterworth`: how steep it is.
        mirror: outside lies the mirror image, the edge pixel not repeated; without, the other side.
        space: `linear` works on light; `encoded` on the values of the file.

    Returns:
        (B, C, H, W), same encoding, around 0.

    Raises:
        ControlError: a control outside its range, or `high` below `low`.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 4.10. Differs from the book
        in that the ring is the product of a low- and a high-pass.

    Example:
        >>> import torch
        >>> wave = torch.cos(2 * torch.pi * 8 * torch.arange(64) / 64).expand(1, 1, 64, 64)
        >>> round(bandpass(wave, low=4, high=12, shape="ideal", mirror=False).max().item(), 4)
        1.0
    """
    if high < low:
        raise ControlError(f"bandpass: high must not lie below low, got {high:g} and {low:g}")
    start, end = per_pixel(low, unit, image), per_pixel(high, unit, image)

    def response(fy: Tensor, fx: Tensor) -> Tensor:
        distance = (fy**2 + fx**2).sqrt()
        return frequency.low(distance, end, shape, order) * (1 - frequency.low(distance, start, shape, order))

    return through(image, response, mirror, space)
