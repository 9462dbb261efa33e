"""Fattal's tone mapping."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture
from photochrom.num.poisson import check_finite
from photochrom.ops.hdr._light import relit_fattal


@op(reach="image", copies=19)
def tonemap_fattal(image: Image, *,
                   pivot: Annotated[float, Range(0.001, 10, soft=(0.02, 1), scale="log")] = 0.1,
                   exponent: Annotated[float, Range(0, 1, soft=(0.05, 0.25))] = 0.15,
                   saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 1))] = 0.5,
                   clipped: Annotated[float, Range(0, 20, soft=(0, 2), unit="%")] = 0.5) -> Tensor:
    """Bring a scene of any range to a display by weakening its strong changes of light on every scale.

    The gradients of the logarithm of luminance are attenuated, the more the stronger they are, at every level of a
    pyramid, so that a shadow's soft edge is weakened like a window's hard one; the picture with these gradients is
    found by the Poisson equation. Detail in window and shadow shows at once, without halos.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; luminance is taken in linear light.
        pivot: alpha of the paper, the gradient that stays as it is, in mean gradients of its level; larger ones shrink,
            smaller ones grow.
        exponent: 1 - beta of the paper, which takes 0.1 to 0.2: how strongly gradients are attenuated. 0 leaves them.
        saturation: s of the paper, the power to which each channel's share of luminance is raised; 0.4 to 0.6 there.
        clipped: the share of pixels darker than black, and as many lighter than white, in %.

    Returns:
        (B, C, H, W), what a display is given, sRGB-encoded; `clipped` and strong colours may leave [0, 1].

    Raises:
        ControlError: a control outside its range, or a value that is not finite.

    Reference:
        Fattal, Lischinski, Werman: Gradient Domain High Dynamic Range Compression. ACM TOG 21(3), 2002, equations 6, 7
        and 8 and section 5. Differs from the paper in that a change between two pixels takes the mean of their
        attenuations; a hundredth of the pivot is added to gradients in equation 6, which has none at 0; and the
        result, whose level the paper leaves open, is stretched from its darkest to its lightest pixels. As there, it is
        shown without a further curve.

    Example:
        >>> import torch
        >>> scene = torch.tensor([0.01, 9.0]).repeat_interleave(16).expand(1, 1, 32, 32)
        >>> round(tonemap_fattal(scene).max().item(), 3)
        1.0
    """
    check_finite("tonemap_fattal", "image", image)
    return relit_fattal(image, pivot, exponent, clipped, per_picture(saturation, image))
