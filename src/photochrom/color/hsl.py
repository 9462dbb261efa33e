"""Hue, saturation and lightness."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color._pixels import NEAR, away, convert
from photochrom.color.hsv import hexagon, wheel


def rgb_to_hsl(image: Tensor) -> Tensor:
    """Convert RGB to hue, saturation and lightness, the double cone of style sheets.

    The formulas are taken as they are outside [0, 1]. In S = (max - min) / (1 - |2 L - 1|) the denominator keeps 1e-6
    from 0, and the way back does likewise, so that no picture divides by 0 or loses its colours. Greys have hue 0; hue
    has no slope where max - min is below 1e-6.

    Args:
        image: (B, 3, H, W), RGB in whatever encoding it has.

    Returns:
        (B, 3, H, W): hue in degrees, 0 <= h < 360 (red 0, green 120, blue 240); saturation and lightness
        (max + min) / 2, in [0, 1] for a picture in [0, 1]. Lightness outside it has a negative saturation.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Joblove, Greenberg: Color Spaces for Computer Graphics. SIGGRAPH 1978.

    Example:
        >>> rgb_to_hsl(torch.tensor([0.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [120.0, 1.0, 0.25]
    """
    return convert("rgb_to_hsl", image, _hsl)


def hsl_to_rgb(image: Tensor) -> Tensor:
    """Convert hue, saturation and lightness to RGB; the inverse of `rgb_to_hsl`.

    Args:
        image: (B, 3, H, W): hue in degrees (any turn), saturation, lightness.

    Returns:
        (B, 3, H, W), RGB in the encoding it had.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Joblove, Greenberg: Color Spaces for Computer Graphics. SIGGRAPH 1978.

    Example:
        >>> hsl_to_rgb(torch.tensor([240.0, 0.5, 0.5]).reshape(1, 3, 1, 1)).flatten().tolist()
        [0.25, 0.25, 0.75]
    """
    return convert("hsl_to_rgb", image, _rgb)


def _room(lightness: Tensor) -> Tensor:
    """Return the greatest spread in [0, 1] that a lightness leaves, kept from 0."""
    return away(1 - (2 * lightness - 1).abs(), NEAR)


def _hsl(image: Tensor) -> Tensor:
    angle, high, low = hexagon(image)
    lightness = (high + low) / 2
    return torch.cat([angle, (high - low) / _room(lightness), lightness], 1)


def _rgb(image: Tensor) -> Tensor:
    lightness = image[:, 2:]
    return lightness + image[:, 1:2] * _room(lightness) * (wheel(image[:, :1]) - 0.5)
