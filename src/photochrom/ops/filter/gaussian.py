"""Gaussian blur."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range, Space
from photochrom.num.bands import gaussian_halo, gaussian_kernel, separable
from photochrom.num.strips import pointwise


@op(reach="window", halo=gaussian_halo, copies=6, light=(srgb_to_linear, linear_to_srgb))
def gaussian(image: Image, *,
             sigma: Annotated[float, Range(0.1, 100, soft=(0.5, 20), scale="log", unit="px")] = 2.0,
             border: Border = "reflect",
             space: Space = "encoded") -> Tensor:
    """Blur by a Gaussian, the softest blur there is for its width.

    Every pixel becomes the mean of its neighbours, weighted by exp(-d^2 / 2 sigma^2) out to 4 sigma, so detail finer
    than about 2 sigma disappears and no halo or grid is left behind.

    Args:
        image: (B, C, H, W).
        sigma: standard deviation in pixels.
        border: what lies outside the picture.
        space: `linear` mixes light as a defocused lens does; `encoded` mixes the values of the file.

    Returns:
        (B, C, H, W), same encoding and range.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Marr, Hildreth: Theory of edge detection. Proc. R. Soc. Lond. B 207, 1980, for the Gaussian as smoothing filter.

    Example:
        >>> import torch
        >>> dot = torch.zeros(1, 1, 9, 9)
        >>> dot[..., 4, 4] = 1
        >>> round(gaussian(dot, sigma=1.0)[0, 0, 4, 4].item(), 4)
        0.1592
    """
    kernel = gaussian_kernel(sigma)
    if space == "linear":
        return pointwise(linear_to_srgb, separable(pointwise(srgb_to_linear, image), kernel, kernel, border))
    return separable(image, kernel, kernel, border)
