"""CIE 1976 L*u*v*."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color._pixels import away, convert, mix
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.color.xyz import RGB_TO_XYZ, XYZ_TO_RGB, White, white_point

_EDGE, _KAPPA = (6 / 29) ** 3, (29 / 3) ** 3   # CIE 15: L* = kappa Y up to the edge
_DARK = 1e-12
"""Denominators X + 15 Y + 3 Z keep this distance from 0."""
_FAINT = 1e-6
"""And 13 L* this one: less than 1e-10 of the light of white."""


def xyz_to_luv(image: Tensor, white: White = "D65") -> Tensor:
    """Convert XYZ to CIELUV.

    The formulas are taken as they are below 0, where L* goes on in its straight part. Black has u* = v* = 0. A colour
    of no luminance that is not black does not exist as a light; it becomes (0, 0, 0).

    Args:
        image: (B, 3, H, W), XYZ, Y = 1 at white.
        white: the white point the picture is seen under; see `white_point`.

    Returns:
        (B, 3, H, W): L* (0 black, 100 white), u* (green to red), v* (blue to yellow), 0 for greys.

    Raises:
        ValueError: not a floating picture of three channels; no such white point.

    Reference:
        CIE 15:2004, 8.2.2.

    Example:
        >>> xyz = torch.tensor([0.4, 0.4, 0.4]).reshape(1, 3, 1, 1)
        >>> [abs(round(v, 2)) for v in xyz_to_luv(xyz, "E").flatten().tolist()]
        [69.47, 0.0, 0.0]
    """
    point = white_point(white)
    return convert("xyz_to_luv", image, lambda part: _luv(part, point), exact=True)


def luv_to_xyz(image: Tensor, white: White = "D65") -> Tensor:
    """Convert CIELUV to XYZ; the inverse of `xyz_to_luv`.

    Args:
        image: (B, 3, H, W), L* 0..100, u*, v*.
        white: the white point the picture is seen under; see `white_point`.

    Returns:
        (B, 3, H, W), XYZ, Y = 1 at white; L* = 0 is black whatever u* and v* are.

    Raises:
        ValueError: not a floating picture of three channels; no such white point.

    Reference:
        CIE 15:2004, 8.2.2.

    Example:
        >>> luv = torch.tensor([100.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in luv_to_xyz(luv, "D65").flatten().tolist()]
        [0.9505, 1.0, 1.0888]
    """
    point = white_point(white)
    return convert("luv_to_xyz", image, lambda part: _xyz(part, point), exact=True)


def rgb_to_luv(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to CIELUV.

    Args:
        image: (B, 3, H, W), sRGB-encoded; for values outside [0, 1] see `xyz_to_luv` and `srgb_to_linear`.

    Returns:
        (B, 3, H, W): L* (0 black, 100 white), u* and v* (about -134..175 for a picture in [0, 1]); white is D65
        (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.2; IEC 61966-2-1:1999.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 1) for v in rgb_to_luv(red).flatten().tolist()]
        [53.2, 175.0, 37.8]
    """
    point = white_point("D65")
    return convert("rgb_to_luv", image, lambda part: _luv(mix(srgb_to_linear(part), RGB_TO_XYZ), point), exact=True)


def luv_to_rgb(image: Tensor) -> Tensor:
    """Convert CIELUV to sRGB-encoded values; the inverse of `rgb_to_luv`.

    Args:
        image: (B, 3, H, W), L* 0..100, u*, v*, seen under D65 (2 degrees).

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.2; IEC 61966-2-1:1999.

    Example:
        >>> grey = torch.tensor([50.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in luv_to_rgb(grey).flatten().tolist()]
        [0.4663, 0.4663, 0.4663]
    """
    point = white_point("D65")
    return convert("luv_to_rgb", image, lambda part: linear_to_srgb(mix(_xyz(part, point), XYZ_TO_RGB)), exact=True)


def _uv(white: tuple[float, float, float]) -> tuple[float, float]:
    """Return u', v' of a white point."""
    x, y, z = white
    whole = x + 15 * y + 3 * z
    return 4 * x / whole, 9 * y / whole


def _luv(xyz: Tensor, white: tuple[float, float, float]) -> Tensor:
    x, y, z = xyz[:, :1], xyz[:, 1:2], xyz[:, 2:]
    u0, v0 = _uv(white)
    ratio = y / white[1]
    lightness = torch.where(ratio > _EDGE, 116 * ratio.clamp(min=_EDGE) ** (1 / 3) - 16, _KAPPA * ratio)
    whole = x + 15 * y + 3 * z
    part = 13 * lightness / away(whole, _DARK)
    # 4 X / whole - u0 = (4 X - u0 whole) / whole, which is 0 at black
    return torch.cat([lightness, part * (4 * x - u0 * whole), part * (9 * y - v0 * whole)], 1)


def _xyz(luv: Tensor, white: tuple[float, float, float]) -> Tensor:
    lightness = luv[:, :1]
    u0, v0 = _uv(white)
    part = away(13 * lightness, _FAINT)
    u, v = luv[:, 1:2] / part + u0, away(luv[:, 2:] / part + v0, _DARK)
    y = torch.where(lightness > 8, ((lightness.clamp(min=8) + 16) / 116) ** 3, lightness / _KAPPA) * white[1]
    return torch.cat([y * (9 * u / (4 * v)), y, y * ((12 - 3 * u - 20 * v) / (4 * v))], 1)
