"""Unsharp masking."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range, Space
from photochrom.core.values import per_picture
from photochrom.num.bands import gaussian_halo, gaussian_kernel, separable
from photochrom.num.strips import pointwise


@op(reach="window", halo=gaussian_halo, copies=6, light=(srgb_to_linear, linear_to_srgb))
def unsharp_mask(image: Image, *,
                 sigma: Annotated[float, Range(0.1, 100, soft=(0.5, 20), scale="log", unit="px")] = 2.0,
                 amount: Annotated[float | Tensor, Range(0, 20, soft=(0, 3), neutral=0)] = 0.5,
                 border: Border = "reflect",
                 space: Space = "encoded") -> Tensor:
    """Sharpen by adding back what a Gaussian blur removes.

    s = r + amount (r - blur(r)): edges gain a dark and a light rim of width sigma, which the eye takes for sharpness. A
    small sigma crisps fine texture, a large one (20 and more) lifts local contrast like a haze filter.

    Args:
        image: (B, C, H, W).
        sigma: standard deviation of the blur in pixels.
        amount: how much detail is added; 0 changes nothing.
        border: what lies outside the picture.
        space: `linear` takes the detail in linear light; `encoded` in the values of the file.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1] beside edges.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.6.

    Example:
        >>> import torch
        >>> edge = torch.tensor([0.25, 0.25, 0.75, 0.75]).reshape(1, 1, 1, 4)
        >>> [round(v, 3) for v in unsharp_mask(edge, sigma=0.5, amount=1.0).flatten().tolist()]
        [0.25, 0.197, 0.803, 0.75]
    """
    light = pointwise(srgb_to_linear, image) if space == "linear" else image
    kernel = gaussian_kernel(sigma)
    gain = per_picture(amount, image)
    # lerp(b, r, 1 + amount) = r + amount (r - b), in one pass and exactly r for amount 0.
    blurred = separable(light, kernel, kernel, border)
    sharp = _lerp(blurred, light, 1 + gain)
    return pointwise(linear_to_srgb, sharp) if space == "linear" else sharp


def _lerp(blurred: Tensor, light: Tensor, weight: float | Tensor) -> Tensor:
    if isinstance(weight, Tensor):
        return torch.lerp(blurred, light, weight)
    return pointwise(lambda b, r: torch.lerp(b, r, weight), blurred, light, reuse=True)
