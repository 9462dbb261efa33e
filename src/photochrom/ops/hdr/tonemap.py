"""Tone mapping, whichever operator."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture
from photochrom.num.strips import pointwise
from photochrom.num.tones import drago, durand, reinhard
from photochrom.num.tones.filmic import film
from photochrom.num.tones.light import luminance
from photochrom.ops.hdr._light import KEY, decoded, measured, relit, relit_by, relit_fattal


@op(reach="image", copies=10)
def tonemap(image: Image, *,
            operator: Literal["reinhard", "reinhard_local", "drago", "durand", "fattal", "hable",
                              "aces"] = "reinhard_local",
            stops: Annotated[float | Tensor, Range(-20, 20, soft=(-4, 4), unit="EV")] = 0.0,
            saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0) -> Tensor:
    """Bring a scene of any range to a display, by one of seven ways with their papers' settings.

    What a merged radiance map needs before it can be shown. Each way is an operation of its own with all of its
    controls: tonemap_reinhard, tonemap_reinhard_local, tonemap_drago, tonemap_durand, tonemap_fattal, tonemap_filmic.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        operator: `reinhard` and the film curves `hable` and `aces` are one curve for all pixels, `drago` a logarithm,
            `reinhard_local` dodges and burns, `durand` compresses the large-scale light and keeps all detail, `fattal`
            weakens strong changes of light on every scale.
        stops: doublings of light, before the curve where there is one; 0 leaves the exposure to the operator.
        saturation: 1 keeps the operator's colours, 0 gives grey.

    Returns:
        (B, C, H, W), sRGB-encoded, nearly all of it within [0, 1].

    Raises:
        ControlError: a control outside its range.

    Reference:
        Reinhard et al. 2002, Drago et al. 2003, Durand and Dorsey 2002, Fattal et al. 2002, Hable 2010, Narkowicz 2015;
        see the operations.

    Example:
        >>> import torch
        >>> round(tonemap(torch.tensor([0.01, 1.0, 9.0]).reshape(1, 1, 1, 3), operator="drago").max().item(), 4)
        1.0
    """
    more, colour = per_picture(stops, image), per_picture(saturation, image)
    gain = torch.exp2(more) if isinstance(more, Tensor) else 2.0 ** more
    if operator == "durand":
        return relit_by(image, lambda lum: gain * durand.gain(lum, 5.0, 0.0, 0.4, 1.0), colour)
    if operator == "fattal":
        shown = relit_fattal(image, 0.1, 0.15, 0.5, 0.5 * colour)
        return linear_to_srgb(gain * srgb_to_linear(shown)).to(image.dtype)
    known = measured(image)
    if operator == "reinhard_local":
        return relit_by(image, lambda lum: reinhard.gain_local(lum, known, KEY * gain, 0.05), colour)
    if operator == "reinhard":
        return relit(image, lambda lum: reinhard.gain_global(lum, known, KEY * gain, 0.0), colour)
    if operator == "drago":
        return relit(image, lambda lum: drago.gain(lum, known, 0.85, more), colour)

    def function(part: Tensor) -> Tensor:
        light = decoded(part)
        shown = film(light * (KEY * gain / known.level(light)), operator)
        grey = luminance(shown)
        return linear_to_srgb(grey + (shown - grey) * colour).to(part.dtype)

    return pointwise(function, image)
