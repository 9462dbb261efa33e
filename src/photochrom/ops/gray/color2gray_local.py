"""Grey that keeps what neighbouring colours differ in."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.lab import lab_to_rgb, rgb_to_lab
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.signed import Rule, window_sums
from photochrom.num.windows import solve_windows


@op(reach="image", copies=32, channels=3, gives=1)
def color2gray_local(image: Image, *,
                     theta: Annotated[float, Range(-360, 360, soft=(0, 360), unit="deg")] = 45.0,
                     bound: Annotated[float, Range(0.01, 200, soft=(1, 50), scale="log")] = 10.0,
                     radius: Annotated[int, Range(1, 1000, soft=(1, 64), scale="log", unit="px")] = 8) -> Tensor:
    """Turn a picture grey so that neighbouring colours of one lightness stay apart.

    As `color2gray`, but each pixel is compared with those of a window around it alone, so that a colour may become
    lighter in one place and darker in another. The least squares over all pairs are solved by conjugate gradients,
    from the lightness of the picture onwards. A grey picture stays as it is.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        theta: the hue, in degrees from a (red) towards b (yellow), that becomes lighter; its opposite becomes darker.
        bound: alpha of the paper: the largest difference of lightness, of 0 to 100, that chroma may make.
        radius: mu of the paper: pixels on each side of the middle of the window; the time grows with its square.

    Returns:
        (B, 1, H, W), sRGB-encoded grey whose mean CIELAB lightness is that of the image; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, or a control outside its range.

    Reference:
        Gooch, Olsen, Tumblin, Gooch: Color2Gray: salience-preserving color removal. ACM TOG 24(3), 2005.
        Differs from the paper in that a pair exactly across theta keeps its difference of lightness.

    Example:
        >>> import torch
        >>> image = torch.tensor([[0.7, 0.2], [0.3, 0.5], [0.3, 0.6]])[None, :, None]
        >>> [round(v, 3) for v in color2gray_local(image).flatten().tolist()]
        [0.496, 0.398]
    """
    wide = torch.float64 if image.dtype == torch.float64 else torch.float32
    lab = rgb_to_lab(image.to(wide))
    asked = window_sums(lab, radius, Rule(theta, bound))
    light = solve_windows(asked, lab[:, :1], radius, 1e-12 if wide == torch.float64 else 1e-6)
    flat = torch.zeros_like(light)
    return lab_to_rgb(torch.cat([light, flat, flat], 1))[:, 1:2].to(image.dtype)
