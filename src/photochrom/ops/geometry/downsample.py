"""Fewer pixels."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Space
from photochrom.num.bands import gaussian_kernel, separable
from photochrom.num.strips import pointwise


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb))
def downsample(image: Image, *,
               factor: Annotated[int, Range(1, 256, soft=(2, 16), neutral=1)] = 2,
               prefilter: Literal["gaussian", "none"] = "gaussian",
               space: Space = "encoded") -> Tensor:
    """Keep one pixel of every few, after a blur that removes what they cannot carry, or without it.

    Detail finer than twice the distance of the pixels kept turns into coarse false patterns (aliasing); the
    blur takes it away first. Without `prefilter` they are seen.

    Args:
        image: (B, C, H, W).
        factor: of every so many pixels in a row and in a column one is kept, the middle one, of an even number the
            first beyond the middle; 1 changes nothing.
        prefilter: `gaussian` blurs by a standard deviation of half the factor; `none` does not.
        space: `linear` blurs light, `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding and range; h is H / factor, rounded, at least 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 4.5, aliasing.

    Example:
        >>> import torch
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(4).reshape(1, 1, 1, 8).expand(1, 1, 8, 8)
        >>> downsample(stripes, factor=2, prefilter="none")[0, 0, 0].tolist()   # stripes gone, white left
        [1.0, 1.0, 1.0, 1.0]
    """
    if factor == 1:
        return image.clone()
    if prefilter == "gaussian":
        kernel = gaussian_kernel(factor / 2)
        if space == "linear":
            image = pointwise(linear_to_srgb, separable(pointwise(srgb_to_linear, image), kernel, kernel, "reflect"))
        else:
            image = separable(image, kernel, kernel, "reflect")
    height, width = image.shape[-2:]
    top, left = min(factor // 2, height - 1), min(factor // 2, width - 1)
    return image[..., top::factor, left::factor].clone()
