"""CIE XYZ and the white points of its illuminants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear

White = str | Sequence[float]
"""The name of an illuminant, such as "D50" or, for the observer of 10 degrees, "D50/10"; or its XYZ, Y = 1."""

# CIE 15:2004, chromaticities x, y for the observers of 2 and of 10 degrees
_CHROMATICITIES: dict[str, tuple[float, float]] = {
    "A": (0.44757, 0.40745), "A/10": (0.45117, 0.40594),
    "B": (0.34842, 0.35161), "B/10": (0.34980, 0.35270),
    "C": (0.31006, 0.31616), "C/10": (0.31039, 0.31905),
    "D50": (0.34567, 0.35850), "D50/10": (0.34773, 0.35952),
    "D55": (0.33242, 0.34743), "D55/10": (0.33411, 0.34877),
    "D65/10": (0.31382, 0.33100),
    "D75": (0.29902, 0.31485), "D75/10": (0.29968, 0.31740),
    "E": (1 / 3, 1 / 3), "E/10": (1 / 3, 1 / 3),
}
WHITE_POINTS: dict[str, tuple[float, float, float]] = {
    name: (x / y, 1.0, (1 - x - y) / y) for name, (x, y) in _CHROMATICITIES.items()
}
"""XYZ of the illuminants by name, Y = 1."""
# ASTM E308, five digits: the white of sRGB in nearly all software. Its chromaticity is 0.31273, 0.32902.
WHITE_POINTS["D65"] = (0.95047, 1.0, 1.08883)


def white_point(white: White = "D65") -> tuple[float, float, float]:
    """Return the XYZ of a white point, Y = 1.

    Args:
        white: a name: A, B, C, D50, D55, D65, D75 or E, with "/10" behind it for the observer of 10 degrees; or XYZ.

    Returns:
        X, Y, Z.

    Raises:
        ValueError: no such name, or not three positive numbers.

    Reference:
        CIE 15:2004, Colorimetry; ASTM E308 for D65.

    Example:
        >>> white_point("D65")
        (0.95047, 1.0, 1.08883)
    """
    if isinstance(white, str):
        if white not in WHITE_POINTS:
            raise ValueError(f"white_point: white must be one of {', '.join(sorted(WHITE_POINTS))}; got {white!r}")
        return WHITE_POINTS[white]
    found = tuple(float(value) for value in white)
    if len(found) != 3 or not all(0 < value < float("inf") for value in found):
        raise ValueError(f"white_point: white must be a name or three positive numbers X, Y, Z; got {white!r}")
    return found[0], found[1], found[2]


def _primaries() -> np.ndarray:
    """Return the matrix that takes linear sRGB to XYZ and (1, 1, 1) exactly to D65."""
    chromaticities = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])   # ITU-R BT.709
    columns = np.stack([chromaticities[:, 0], chromaticities[:, 1], 1 - chromaticities.sum(1)])
    return columns * np.linalg.solve(columns, np.array(WHITE_POINTS["D65"]))


RGB_TO_XYZ = _primaries()
"""From linear sRGB; the rounded matrices of other libraries differ by up to 1e-4, as their whites do."""
XYZ_TO_RGB = inverse(RGB_TO_XYZ)


def linear_to_xyz(image: Tensor) -> Tensor:
    """Convert linear sRGB to XYZ.

    Args:
        image: (B, 3, H, W), linear light, sRGB primaries; negative and above-one values are kept.

    Returns:
        (B, 3, H, W), XYZ, Y = 1 at white; white is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        IEC 61966-2-1:1999; CIE 15:2004.

    Example:
        >>> import torch
        >>> [round(v, 4) for v in linear_to_xyz(torch.ones(1, 3, 1, 1)).flatten().tolist()]
        [0.9505, 1.0, 1.0888]
    """
    return convert("linear_to_xyz", image, lambda part: mix(part, RGB_TO_XYZ))


def xyz_to_linear(image: Tensor) -> Tensor:
    """Convert XYZ to linear sRGB; the inverse of `linear_to_xyz`.

    Args:
        image: (B, 3, H, W), XYZ relative to D65 (2 degrees), Y = 1 at white.

    Returns:
        (B, 3, H, W), linear light; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        IEC 61966-2-1:1999; CIE 15:2004.

    Example:
        >>> import torch
        >>> white = torch.tensor([0.95047, 1.0, 1.08883]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in xyz_to_linear(white).flatten().tolist()]
        [1.0, 1.0, 1.0]
    """
    return convert("xyz_to_linear", image, lambda part: mix(part, XYZ_TO_RGB))


def rgb_to_xyz(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to XYZ.

    Args:
        image: (B, 3, H, W), sRGB-encoded; below 0 the curve is continued oddly, above 1 by itself.

    Returns:
        (B, 3, H, W), XYZ, Y = 1 at white; white is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        IEC 61966-2-1:1999; CIE 15:2004.

    Example:
        >>> import torch
        >>> round(rgb_to_xyz(torch.full((1, 3, 1, 1), 0.5))[0, 1].item(), 4)
        0.214
    """
    return convert("rgb_to_xyz", image, lambda part: mix(srgb_to_linear(part), RGB_TO_XYZ))


def xyz_to_rgb(image: Tensor) -> Tensor:
    """Convert XYZ to sRGB-encoded values; the inverse of `rgb_to_xyz`.

    Args:
        image: (B, 3, H, W), XYZ relative to D65 (2 degrees), Y = 1 at white.

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        IEC 61966-2-1:1999; CIE 15:2004.

    Example:
        >>> import torch
        >>> round(xyz_to_rgb(rgb_to_xyz(torch.full((1, 3, 1, 1), 0.5)))[0, 1].item(), 4)
        0.5
    """
    return convert("xyz_to_rgb", image, lambda part: linear_to_srgb(mix(part, XYZ_TO_RGB)))
