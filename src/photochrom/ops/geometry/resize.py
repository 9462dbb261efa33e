"""A new size."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Size, Space
from photochrom.num.sampling import by_levels, resample_planes, windows
from photochrom.num.strips import pointwise

_MOST = 1 << 30
"""Pixels of a result, as many as are read."""


def _copies(height: int, width: int, *, size: tuple[int, int] | None, scale: float, resample: str, space: str,
            **_: object) -> int:
    tall, wide = size or (height * scale, width * scale)
    larger = tall * wide / (height * width)
    if resample == "matlab-bicubic":
        return math.ceil(8 + 4 * larger)
    return math.ceil(3 + 2.5 * larger if space == "linear" else 2 + 1.5 * larger)


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb), copies=_copies)
def resize(image: Image, *,
           size: Size | None = None,
           scale: Annotated[float, Range(1e-4, 1e3, soft=(0.1, 4), scale="log", neutral=1)] = 1.0,
           resample: Literal["bicubic", "bilinear", "nearest", "lanczos", "area", "matlab-bicubic",
                             "matlab-bicubic-float"] = "bicubic",
           a: Annotated[float, Range(-1, 0)] = -0.5,
           antialias: bool = True,
           space: Space = "encoded") -> Tensor:
    """Give a picture another size.

    Every new pixel is a weighted mean of the pixels around its place. Centres of pixels lie at half integers, so that
    the edges of the picture stay its edges. Where the picture shrinks and `antialias` is on, the weights are
    stretched to cover all that a new pixel stands for; without it, fine detail turns into false patterns.

    Args:
        image: (B, C, H, W).
        size: height and width of the result; without it they follow from `scale`.
        scale: factor of both sides, rounded to whole pixels (upwards for matlab-bicubic); 1 changes nothing.
        resample: what is between pixels. `area` is the mean of what a new pixel covers; `lanczos` has three lobes;
            `matlab-bicubic` gives the numbers of MATLAB's imresize of 8-bit pictures, rounded and clipped to 8 bits
            after the rows and after the columns, `matlab-bicubic-float` those of floating pictures.
        a: slope of `bicubic` at distance 1; -0.5 is exact for parabolas, -0.75 is sharper.
        antialias: widen the weights where the picture shrinks; without effect on nearest and area.
        space: `linear` mixes light, as a smaller picture seen from further away; `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding; cubic and lanczos weights may leave [0, 1] at edges. What lies outside the picture
        does not count; for the kinds of matlab it repeats the edge.

    Raises:
        ControlError: a control outside its range, or a result of more than a thousand million pixels.

    Reference:
        Keys: Cubic convolution interpolation for digital image processing. IEEE TASSP 29(6), 1981. Duchon: Lanczos
        filtering in one and two dimensions. J. Appl. Meteor. 18, 1979.

    Example:
        >>> import torch
        >>> ramp = torch.arange(8.0).reshape(1, 1, 1, 8).expand(1, 1, 2, 8)
        >>> resize(ramp, scale=0.5, resample="area").flatten().tolist()
        [0.5, 2.5, 4.5, 6.5]
    """
    height, width = image.shape[-2:]
    matlab = resample.startswith("matlab")
    tall, wide = size or (_scaled(height, scale, matlab), _scaled(width, scale, matlab))
    if tall * wide > _MOST:
        raise ControlError(f"resize: the result would have {wide} x {tall} pixels, more than a thousand million")
    kind: str = "bicubic" if matlab else resample
    settings = (kind, -0.5 if matlab else a, antialias or matlab, "replicate" if matlab else "normalize")
    rows, columns = windows(height, tall, 0, height, *settings), windows(width, wide, 0, width, *settings)
    if resample == "matlab-bicubic":
        return by_levels(image, rows, columns)
    if space == "linear" and not (rows.still and columns.still):
        return pointwise(linear_to_srgb, resample_planes(pointwise(srgb_to_linear, image), rows, columns))
    return resample_planes(image, rows, columns)


def _scaled(length: int, scale: float, up: bool) -> int:
    exact = length * scale
    return max(1, math.ceil(exact - 1e-6) if up else math.floor(exact + 0.5))
