"""Convolution with a kernel."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Border, Image, Kernel, Space
from photochrom.num import convolve as engine
from photochrom.ops.filter._named import grows, halo, on_alpha, weighed


@op(reach="window", halo=halo, resizes=grows, on_alpha=on_alpha,
    light=(srgb_to_linear, linear_to_srgb))
def convolve(image: Image, *,
             kernel: Kernel | Tensor = "gaussian",   # type: ignore[assignment]
             border: Border = "reflect",
             size: Literal["same", "full", "valid"] = "same",
             method: Literal["auto", "direct", "separable", "fourier"] = "auto",
             space: Space = "encoded") -> Tensor:
    """Spread each pixel over its neighbours as a kernel says: a white dot on black becomes the kernel.

    r[i, j] = sum of kernel[u, v] s[i - u + anchor, j - v + anchor]: the kernel turned by 180 degrees, which matters for
    those that are not symmetrical. This is what a lens or a movement does to a picture.

    Args:
        image: (B, C, H, W).
        kernel: rows of numbers, a tensor (kh, kw) that may have a gradient, or a name: box, gaussian, sharpen, sobel_x,
            sobel_y, scharr_x, scharr_y, laplacian_4, laplacian_8, emboss. Its anchor is the element (kh // 2, kw // 2)
            counted from 0, so that of a kernel of even size lies after the middle.
        border: what lies outside the picture; `normalize` divides by the share of the kernel's weight that lies inside,
            which makes 0 of a sum whose kernel has the weight 0 but not the part inside.
        size: of the result: `same` as the picture's, `full` for every place where the kernel touches it, `valid` for
            those where it lies inside.
        method: how it is computed; `auto` takes what is predicted to be the fastest. All agree within 1e-5.
        space: `linear` works on light; `encoded` on the values of the file.

    Returns:
        (B, C, h, w), same encoding; values may leave [0, 1].

    Raises:
        ControlError: no such kernel, a kernel without rows or columns, or one larger than the picture for `valid`.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.4, for both.

    Example:
        >>> import torch
        >>> x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
        >>> convolve(x, kernel=((1, 2), (3, 4)), size="valid").flatten().tolist()
        [23.0, 33.0, 53.0, 63.0]
    """
    return weighed(engine.convolve, image, kernel, border, size, method, space)
