"""Filmic tone mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb
from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.core.values import per_picture
from photochrom.num.strips import pointwise
from photochrom.num.tones.filmic import Film
from photochrom.num.tones.filmic import film as curve
from photochrom.num.tones.light import Adaptation
from photochrom.ops.hdr._light import KEY, decoded, measured


def _measure(picture: Tensor, weights: Tensor | None = None, **_: object) -> Adaptation:
    return measured(picture, weights)


def _apply(image: Tensor, statistics: Mapping[str, Adaptation], *, film: Film, stops: float | Tensor) -> Tensor:
    more = per_picture(stops, image)
    gain = KEY * (torch.exp2(more) if isinstance(more, Tensor) else 2.0 ** more)

    def function(part: Tensor) -> Tensor:
        light = decoded(part)
        scale = gain / statistics["image"].level(light)
        return linear_to_srgb(curve(light * scale, film)).to(part.dtype)

    return pointwise(function, image)


@op(reach="image", measured=Measured(_measure, _apply))
def tonemap_filmic(image: Image, image_mask: ImageWeights = None, *,
                   film: Film = "hable",
                   stops: Annotated[float | Tensor, Range(-20, 20, soft=(-4, 4), unit="EV")] = 0.0) -> Tensor:
    """Bring a scene of any range to a display through the curve of film, with its toe and its shoulder.

    The log-average luminance is brought to middle grey, then each channel goes through the curve: shadows sink
    gently, highlights roll off and lose colour as they burn, as on film.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        image_mask: (B or 1, 1, H, W), where the scene is measured; the whole image is changed.
        film: `hable`, the curve of a game of 2010, soft; `aces`, a fit to the Academy's rendering, of more contrast.
        stops: doublings of light before the curve.

    Returns:
        (B, C, H, W), sRGB-encoded; the greatest value a curve can give is just above 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Hable: Uncharted 2: HDR Lighting. GDC 2010. Narkowicz: ACES Filmic Tone Mapping Curve, 2015.

    Example:
        >>> import torch
        >>> round(tonemap_filmic(torch.full((1, 3, 2, 2), 0.5)).mean().item(), 4)
        0.3935
    """
    return _apply(image, {"image": measured(image, image_mask)}, film=film, stops=stops)
