"""Reinhard's local tone mapping."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture
from photochrom.num.tones import reinhard
from photochrom.ops.hdr._light import KEY, measured, relit_by


@op(reach="image")
def tonemap_reinhard_local(image: Image, *,
                           key: Annotated[float | Tensor, Range(0.001, 10, soft=(0.045, 0.72), scale="log")] = KEY,
                           threshold: Annotated[float, Range(0.001, 1, soft=(0.01, 0.2), scale="log")] = 0.05,
                           saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0) -> Tensor:
    """Bring a scene of any range to a display by dodging and burning: each pixel by the light around it.

    The curve is L / (1 + V), where V is the mean luminance of the widest surround of eight that holds no strong edge:
    a dark spot in a light place is darkened, a light one in a dark place lightened, so local contrast stays.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        key: the value that the log-average becomes before it is compressed.
        threshold: the contrast between centre and surround that counts as an edge; lower means smaller surrounds.
        saturation: 1 keeps the proportions of the channels, 0 gives grey.

    Returns:
        (B, C, H, W), sRGB-encoded; highlights much lighter than their surround may pass 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Reinhard, Stark, Shirley, Ferwerda: Photographic Tone Reproduction for Digital Images. SIGGRAPH 2002, eq. 5-9.
        Colour: Mantiuk et al., Color correction for tone mapping, 2009, eq. 3.

    Example:
        >>> import torch
        >>> round(tonemap_reinhard_local(torch.full((1, 1, 4, 4), 3.0)).mean().item(), 4)
        0.4269
    """
    known = measured(image)
    return relit_by(image, lambda lum: reinhard.gain_local(lum, known, per_picture(key, lum), threshold),
                    per_picture(saturation, image))
