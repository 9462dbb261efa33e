"""Durand's tone mapping."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture
from photochrom.num.tones import durand
from photochrom.ops.hdr._light import relit_by


@op(reach="image", copies=13)
def tonemap_durand(image: Image, *,
                   base_contrast: Annotated[float, Range(1, 1000, soft=(2, 50), scale="log")] = 5.0,
                   sigma: Annotated[float, Range(0, 1000, soft=(0, 100), unit="px")] = 0.0,
                   sigma_tone: Annotated[float, Range(0.05, 10, soft=(0.1, 1), scale="log")] = 0.4,
                   detail: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0,
                   saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0) -> Tensor:
    """Bring a scene of any range to a display by compressing its large-scale light and keeping its detail.

    The logarithm of luminance is parted by a bilateral filter into a base layer, smooth but for the strong edges, and
    the detail on it. The base is compressed to a given contrast, the detail stays, so texture survives in shadow and
    highlight alike.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        base_contrast: of the base layer of the result; a scene with less keeps its own.
        sigma: of the bilateral filter in place, in pixels; 0 for 2 per cent of the longer side.
        sigma_tone: of the bilateral filter in decades of luminance; steps far above it are edges.
        detail: gain of the detail layer.
        saturation: 1 keeps the proportions of the channels, 0 gives grey.

    Returns:
        (B, C, H, W), sRGB-encoded; the brightest base becomes white, detail on it may pass 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Durand, Dorsey: Fast Bilateral Filtering for the Display of High-Dynamic-Range Images. SIGGRAPH 2002.
        Differs from the paper in the base's range, measured between its 0.5 and 99.5 per cent points, so that one
        black pixel does not decide, and in the blurs' grid (Paris, Durand: ECCV 2006).
        Colour: Mantiuk et al., Color correction for tone mapping, 2009, eq. 3.

    Example:
        >>> import torch
        >>> scene = torch.tensor([0.01, 9.0]).reshape(1, 1, 1, 2).expand(1, 1, 8, 2)
        >>> round(tonemap_durand(scene).max().item(), 3)
        1.0
    """
    return relit_by(image, lambda lum: durand.gain(lum, base_contrast, sigma, sigma_tone, per_picture(detail, lum)),
                    per_picture(saturation, image))
