"""Hue, saturation and value."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color._pixels import NEAR, away, convert, turn


def rgb_to_hsv(image: Tensor) -> Tensor:
    """Convert RGB to hue, saturation and value, the cylinder of colour pickers.

    The formulas are taken as they are outside [0, 1]. In S = (max - min) / max the denominator keeps 1e-6 from 0, and
    the way back does likewise, so that no picture divides by 0 or loses its colours. Greys have hue 0; hue has no slope
    where max - min is below 1e-6.

    Args:
        image: (B, 3, H, W), RGB in whatever encoding it has.

    Returns:
        (B, 3, H, W): hue in degrees, 0 <= h < 360 (red 0, green 120, blue 240); saturation and value, in [0, 1] for a
        picture in [0, 1]. A negative value has a negative saturation.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Smith: Color Gamut Transform Pairs. SIGGRAPH 1978.

    Example:
        >>> rgb_to_hsv(torch.tensor([0.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [120.0, 1.0, 0.5]
    """
    return convert("rgb_to_hsv", image, _hsv)


def hsv_to_rgb(image: Tensor) -> Tensor:
    """Convert hue, saturation and value to RGB; the inverse of `rgb_to_hsv`.

    Args:
        image: (B, 3, H, W): hue in degrees (any turn), saturation, value.

    Returns:
        (B, 3, H, W), RGB in the encoding it had.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Smith: Color Gamut Transform Pairs. SIGGRAPH 1978.

    Example:
        >>> hsv_to_rgb(torch.tensor([240.0, 0.5, 1.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [0.5, 0.5, 1.0]
    """
    return convert("hsv_to_rgb", image, _rgb)


def hexagon(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue in degrees, greatest and least channel, (B, 1, H, W) each; shared with HSL."""
    r, g, b = image[:, :1], image[:, 1:2], image[:, 2:]
    high, low = image.amax(1, keepdim=True), image.amin(1, keepdim=True)
    spread = high - low
    grey = spread < NEAR
    # forwards the exact quotient but at true greys; the slope only beyond NEAR
    exact = torch.where(spread > 0, spread, 1).detach()
    over = torch.where(grey, exact, spread)
    tops = high.detach()
    angle = torch.where(r >= tops, (g - b) / over, torch.where(g >= tops, (b - r) / over + 2, (r - g) / over + 4)) * 60
    return turn(torch.where(grey, angle.detach(), angle)), high, low


def wheel(angle: Tensor) -> Tensor:
    """Return the fully coloured RGB of a hue in degrees, 0..1, (B, 3, H, W); shared with HSL."""
    sixth = turn(angle) / 60
    return torch.cat([((sixth - 3).abs() - 1).clamp(0, 1), (2 - (sixth - 2).abs()).clamp(0, 1),
                      (2 - (sixth - 4).abs()).clamp(0, 1)], 1)


def _hsv(image: Tensor) -> Tensor:
    angle, high, low = hexagon(image)
    return torch.cat([angle, (high - low) / away(high, NEAR), high], 1)


def _rgb(image: Tensor) -> Tensor:
    value = image[:, 2:]
    return value + image[:, 1:2] * away(value, NEAR) * (wheel(image[:, :1]) - 1)
