"""Ottosson's OKLab."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear

# Ottosson 2020, revised 2021-01-25: linear sRGB to LMS, cube roots of LMS to Lab.
_RGB_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                        [0.2119034982, 0.6806995451, 0.1073969566],
                        [0.0883024619, 0.2817188376, 0.6299787005]])
_ROOTS_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                          [1.9779984951, -2.4285922050, 0.4505937099],
                          [0.0259040371, 0.7827717662, -0.8086757660]])
_LMS_TO_RGB, _LAB_TO_ROOTS = inverse(_RGB_TO_LMS), inverse(_ROOTS_TO_LAB)
_DARK = 1e-9
"""Light below which the slope of the cube root, infinite at 0, is held."""


def rgb_to_oklab(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to OKLab, in which equal steps look equal and hues keep when lightness changes.

    The cube root is odd, so that negative values have a way back. Its slope at black, which is infinite, is held at
    what it is at 1e-9 of the light of white; the values are not changed by this.

    Args:
        image: (B, 3, H, W), sRGB-encoded; values outside [0, 1] are kept.

    Returns:
        (B, 3, H, W): L (0 black, 1 white), a (green to red) and b (blue to yellow), about -0.32..0.28 for a picture
        in [0, 1]; white is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 3) for v in rgb_to_oklab(red).flatten().tolist()]
        [0.628, 0.225, 0.126]
    """
    return convert("rgb_to_oklab", image, lambda part: mix(_root(mix(srgb_to_linear(part), _RGB_TO_LMS)),
                                                           _ROOTS_TO_LAB), _RGB_TO_LMS.ravel(), _ROOTS_TO_LAB.ravel(),
                   exact=True)


def oklab_to_rgb(image: Tensor) -> Tensor:
    """Convert OKLab to sRGB-encoded values; the inverse of `rgb_to_oklab`.

    Args:
        image: (B, 3, H, W), L 0..1, a, b.

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> grey = torch.tensor([0.5, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 3) for v in oklab_to_rgb(grey).flatten().tolist()]
        [0.389, 0.389, 0.389]
    """
    return convert("oklab_to_rgb", image, lambda part: linear_to_srgb(mix(mix(part, _LAB_TO_ROOTS) ** 3, _LMS_TO_RGB)),
                   _LAB_TO_ROOTS.ravel(), _LMS_TO_RGB.ravel(), exact=True)


def _root(light: Tensor) -> Tensor:
    """Return the odd cube root, its slope held below `_DARK`."""
    still = light.detach()
    size = still.abs()
    curve = torch.copysign(light.abs().clamp(min=_DARK) ** (1 / 3), light)
    near = torch.copysign(size ** (1 / 3), still) + (light - still) * (_DARK ** (-2 / 3) / 3)
    return torch.where(size < _DARK, near, curve)
