"""CIE 1976 L*a*b*."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.color.xyz import RGB_TO_XYZ, White, white_point

# CIE 15: f(t) = t^(1/3) above (6/29)^3, below it the tangent, which goes on below 0.
_EDGE, _ROOT, _AT_0 = (6 / 29) ** 3, 6 / 29, 4 / 29
_SLOPE = 29**2 / (3 * 6**2)
_OPPONENTS = np.array([[0.0, 116, 0], [500, -500, 0], [0, 200, -200]])   # of f(X), f(Y), f(Z); 16 is taken from L
_BACK = inverse(_OPPONENTS)
_TO_XYZ = RGB_TO_XYZ / np.array(white_point("D65"))[:, None]
_TO_RGB = inverse(_TO_XYZ)
_SINGLE = _TO_XYZ.ravel().astype(np.float32)   # as the kernel takes it


def xyz_to_lab(image: Tensor, white: White = "D65") -> Tensor:
    """Convert XYZ to CIELAB.

    Negative values go down the straight part of the curve, values above white up the cube root: both keep a way back.

    Args:
        image: (B, 3, H, W), XYZ, Y = 1 at white.
        white: the white point the picture is seen under; see `white_point`.

    Returns:
        (B, 3, H, W): L* (0 black, 100 white), a* (green to red), b* (blue to yellow), 0 for greys.

    Raises:
        ValueError: not a floating picture of three channels; no such white point.

    Reference:
        CIE 15:2004, 8.2.1.

    Example:
        >>> xyz = torch.tensor([0.4, 0.4, 0.4]).reshape(1, 3, 1, 1)
        >>> [round(v, 2) for v in xyz_to_lab(xyz, "E").flatten().tolist()]
        [69.47, 0.0, 0.0]
    """
    matrix = np.diag(1 / np.array(white_point(white)))
    return convert("xyz_to_lab", image, lambda part: _lab(mix(part, matrix)), exact=True)


def lab_to_xyz(image: Tensor, white: White = "D65") -> Tensor:
    """Convert CIELAB to XYZ; the inverse of `xyz_to_lab`.

    Args:
        image: (B, 3, H, W), L* 0..100, a*, b*.
        white: the white point the picture is seen under; see `white_point`.

    Returns:
        (B, 3, H, W), XYZ, Y = 1 at white.

    Raises:
        ValueError: not a floating picture of three channels; no such white point.

    Reference:
        CIE 15:2004, 8.2.1.

    Example:
        >>> lab = torch.tensor([100.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 5) for v in lab_to_xyz(lab, "D65").flatten().tolist()]
        [0.95047, 1.0, 1.08883]
    """
    matrix = np.diag(np.array(white_point(white)))
    return convert("lab_to_xyz", image, lambda part: mix(_ratios(part), matrix), exact=True)


def rgb_to_lab(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to CIELAB.

    Greys of any value have a* = b* = 0. Below 0 and above 1 see `xyz_to_lab` and `srgb_to_linear`. In float32 on the
    processor the result is within 1e-4 of the exact one for a picture in [0, 1].

    Args:
        image: (B, 3, H, W), sRGB-encoded.

    Returns:
        (B, 3, H, W): L* (0 black, 100 white), a* and b* (about -108..98 for a picture in [0, 1]); white is D65
        (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1; IEC 61966-2-1:1999.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 2) for v in rgb_to_lab(red).flatten().tolist()]
        [53.24, 80.09, 67.2]
    """
    return convert("rgb_to_lab", image, lambda part: _lab(mix(srgb_to_linear(part), _TO_XYZ)), _SINGLE, exact=True)


def lab_to_rgb(image: Tensor) -> Tensor:
    """Convert CIELAB to sRGB-encoded values; the inverse of `rgb_to_lab`.

    Args:
        image: (B, 3, H, W), L* 0..100, a*, b*, seen under D65 (2 degrees).

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1; IEC 61966-2-1:1999.

    Example:
        >>> grey = torch.tensor([50.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in lab_to_rgb(grey).flatten().tolist()]
        [0.4663, 0.4663, 0.4663]
    """
    return convert("lab_to_rgb", image, lambda part: linear_to_srgb(mix(_ratios(part), _TO_RGB)), _TO_RGB.ravel(),
                   exact=True)


def _lab(ratios: Tensor) -> Tensor:
    """Return CIELAB of XYZ over white."""
    curve = ratios.clamp(min=_EDGE) ** (1 / 3)
    mixed = mix(torch.where(ratios > _EDGE, curve, ratios * _SLOPE + _AT_0), _OPPONENTS)
    return torch.cat([mixed[:, :1] - 16, mixed[:, 1:]], 1)


def _ratios(lab: Tensor) -> Tensor:
    """Return XYZ over white of CIELAB."""
    curve = mix(torch.cat([lab[:, :1] + 16, lab[:, 1:]], 1), _BACK)
    return torch.where(curve > _ROOT, curve ** 3, (curve - _AT_0) / _SLOPE)
