"""High-boost filtering."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range, Space
from photochrom.core.values import per_picture
from photochrom.num.bands import gaussian_halo, gaussian_kernel, separable
from photochrom.num.strips import pointwise


def _on_alpha(**_: object) -> None:
    """The weights do not add up to 1: alpha stays as it is."""


@op(reach="window", halo=gaussian_halo, copies=10, on_alpha=_on_alpha, light=(srgb_to_linear, linear_to_srgb))
def high_boost(image: Image, *,
               boost: Annotated[float | Tensor, Range(0, 20, soft=(0.5, 3))] = 2.0,
               sigma: Annotated[float, Range(0.1, 100, soft=(0.5, 20), scale="log", unit="px")] = 2.0,
               border: Border = "reflect",
               space: Space = "encoded") -> Tensor:
    """Take a blurred picture away from the picture, which is made brighter first.

    s = boost r - blur(r). With 1 only the detail is left, about 0, which is the high-pass of the picture;
    between 1 and 2 the picture comes back with its detail raised; beyond 2 it is brightened too.

    Args:
        image: (B, C, H, W).
        boost: factor of the picture.
        sigma: standard deviation of the blur in pixels.
        border: what lies outside the picture.
        space: `linear` takes the difference of light, `encoded` that of the values of the file.

    Returns:
        (B, C, H, W), same encoding; flat parts come out as boost - 1 times what they were. Values may leave [0, 1].

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 2nd ed. 2002, section 3.7.2; `unsharp_mask` is the later form, which
        keeps flat parts.

    Example:
        >>> import torch
        >>> flat = torch.full((1, 1, 3, 3), 0.5)
        >>> round(high_boost(flat, boost=2.0)[0, 0, 1, 1].item(), 4)
        0.5
    """
    light = pointwise(srgb_to_linear, image) if space == "linear" else image
    kernel = gaussian_kernel(sigma)
    gain = per_picture(boost, image)
    blurred = separable(light, kernel, kernel, border)
    made = light * gain - blurred
    return pointwise(linear_to_srgb, made) if space == "linear" else made
