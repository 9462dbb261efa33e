"""The way of every tone mapping: decode to linear light, map, encode again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.num.strips import pointwise
from photochrom.num.tones import fattal
from photochrom.num.tones.light import Adaptation, adaptation, luminance, recolour

KEY = 0.18
"""Middle grey: what the log-average of a scene becomes."""


def decoded(image: Tensor) -> Tensor:
    """Return linear light; 16-bit floats are widened, since they cannot hold what a logarithm needs."""
    wide = image if image.dtype in (torch.float32, torch.float64) else image.float()
    return pointwise(srgb_to_linear, wide)


def measured(picture: Tensor, weights: Tensor | None = None) -> Adaptation:
    """Measure the light that a part of an encoded picture shows."""
    return adaptation(decoded(picture), weights)


def relit(image: Tensor, gain: Callable[[Tensor], Tensor], saturation: float | Tensor) -> Tensor:
    """Change the luminance of an encoded picture by a gain that depends on the pixel's luminance alone."""
    def function(part: Tensor) -> Tensor:
        light = decoded(part)
        lum = luminance(light)
        factor = gain(lum)
        return linear_to_srgb(recolour(light, lum, lum * factor, factor, saturation)).to(part.dtype)

    return pointwise(function, image)


def relit_by(image: Tensor, factor: Callable[[Tensor], Tensor], saturation: float | Tensor) -> Tensor:
    """Change the luminance of an encoded picture by a gain that is found from all of its luminance."""
    light = decoded(image)
    lum = luminance(light)
    gain = factor(lum)

    def function(light: Tensor, lum: Tensor, gain: Tensor) -> Tensor:
        return linear_to_srgb(recolour(light, lum, lum * gain, gain, saturation))

    return pointwise(function, light, lum, gain).to(image.dtype)


def relit_fattal(image: Tensor, pivot: float, exponent: float, clipped: float,
                 saturation: float | Tensor) -> Tensor:
    """Bring an encoded picture to a display by Fattal's way."""
    # Decoded in float64: what a logarithm makes of rounding in the dark would show all over the result.
    light = decoded(image.double())
    lum = luminance(light)
    wide = torch.float64 if image.dtype == torch.float64 else torch.float32
    shown = fattal.mapped(lum, pivot, exponent, clipped, wide)
    return fattal.coloured(light.to(wide), lum.to(wide), shown, saturation).to(image.dtype)
