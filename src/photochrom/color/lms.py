"""Responses of the long, middle and short cones, and adaptation to a white point."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.color.xyz import RGB_TO_XYZ, White, white_point

Cones = Literal["cat16", "cat02", "bradford", "hunt_pointer_estevez"]

_CONES: dict[str, np.ndarray] = {
    # Li et al. 2017
    "cat16": np.array([[0.401288, 0.650173, -0.051461], [-0.250268, 1.204414, 0.045854],
                       [-0.002079, 0.048952, 0.953127]]),
    # CIE 159:2004
    "cat02": np.array([[0.7328, 0.4296, -0.1624], [-0.7036, 1.6975, 0.0061], [0.0030, 0.0136, 0.9834]]),
    # Lam 1985, as in ICC.1
    "bradford": np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]),
    # Hunt 1998, normalised to equal energy
    "hunt_pointer_estevez": np.array([[0.38971, 0.68898, -0.07868], [-0.22981, 1.18340, 0.04641], [0.0, 0.0, 1.0]]),
}


def xyz_to_lms(image: Tensor, cones: Cones = "cat16") -> Tensor:
    """Convert XYZ to the responses of the three kinds of cones. Linear, so that values of any sign have a way back.

    Args:
        image: (B, 3, H, W), XYZ.
        cones: which measurement: "cat16", "cat02" and "bradford" are sharpened for adaptation to a white point,
            "hunt_pointer_estevez" is nearest to the cones themselves.

    Returns:
        (B, 3, H, W): L, M, S.

    Raises:
        ValueError: not a floating picture of three channels; no such cones.

    Reference:
        Li et al.: Comprehensive color solutions: CAM16, CAT16, and CAM16-UCS. Color Research & Application 42(6), 2017.

    Example:
        >>> import torch
        >>> [round(v, 3) for v in xyz_to_lms(torch.ones(1, 3, 1, 1)).flatten().tolist()]
        [1.0, 1.0, 1.0]
    """
    matrix = _matrix(cones)
    return convert("xyz_to_lms", image, lambda part: mix(part, matrix), exact=True)


def lms_to_xyz(image: Tensor, cones: Cones = "cat16") -> Tensor:
    """Convert responses of cones to XYZ; the inverse of `xyz_to_lms`.

    Args:
        image: (B, 3, H, W): L, M, S.
        cones: which measurement, see `xyz_to_lms`.

    Returns:
        (B, 3, H, W), XYZ.

    Raises:
        ValueError: not a floating picture of three channels; no such cones.

    Reference:
        Li et al.: Comprehensive color solutions: CAM16, CAT16, and CAM16-UCS. Color Research & Application 42(6), 2017.

    Example:
        >>> import torch
        >>> [round(v, 3) for v in lms_to_xyz(torch.ones(1, 3, 1, 1)).flatten().tolist()]
        [1.0, 1.0, 1.0]
    """
    matrix = inverse(_matrix(cones))
    return convert("lms_to_xyz", image, lambda part: mix(part, matrix), exact=True)


def rgb_to_lms(image: Tensor, cones: Cones = "cat16") -> Tensor:
    """Convert sRGB-encoded values to the responses of the three kinds of cones.

    Args:
        image: (B, 3, H, W), sRGB-encoded; values outside [0, 1] are kept.
        cones: which measurement, see `xyz_to_lms`.

    Returns:
        (B, 3, H, W): L, M, S of linear light, about 1 at white, which is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels; no such cones.

    Reference:
        Li et al.: Comprehensive color solutions: CAM16, CAT16, and CAM16-UCS. Color Research & Application 42(6), 2017.

    Example:
        >>> import torch
        >>> [round(v, 3) for v in rgb_to_lms(torch.ones(1, 3, 1, 1)).flatten().tolist()]
        [0.976, 1.016, 1.085]
    """
    matrix = _matrix(cones) @ RGB_TO_XYZ
    return convert("rgb_to_lms", image, lambda part: mix(srgb_to_linear(part), matrix), exact=True)


def lms_to_rgb(image: Tensor, cones: Cones = "cat16") -> Tensor:
    """Convert responses of cones to sRGB-encoded values; the inverse of `rgb_to_lms`.

    Args:
        image: (B, 3, H, W): L, M, S of linear light.
        cones: which measurement, see `xyz_to_lms`.

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels; no such cones.

    Reference:
        Li et al.: Comprehensive color solutions: CAM16, CAT16, and CAM16-UCS. Color Research & Application 42(6), 2017.

    Example:
        >>> import torch
        >>> round(lms_to_rgb(rgb_to_lms(torch.full((1, 3, 1, 1), 0.25)))[0, 0].item(), 4)
        0.25
    """
    matrix = inverse(_matrix(cones) @ RGB_TO_XYZ)
    return convert("lms_to_rgb", image, lambda part: linear_to_srgb(mix(part, matrix)), exact=True)


def adapt_white(image: Tensor, source: White, target: White = "D65", cones: Cones = "bradford") -> Tensor:
    """Change XYZ seen under one white to how it looks under another, after von Kries: each cone by its own factor.

    Args:
        image: (B, 3, H, W), XYZ relative to `source`.
        source: the white point it was, see `white_point`.
        target: the white point it is to be.
        cones: which measurement, see `xyz_to_lms`; "bradford" is what ICC profiles use.

    Returns:
        (B, 3, H, W), XYZ relative to `target`: the source's white becomes the target's.

    Raises:
        ValueError: not a floating picture of three channels; no such white point or cones.

    Reference:
        ICC.1:2022, annex E.

    Example:
        >>> import torch
        >>> white = torch.tensor(white_point("D65")).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in adapt_white(white, "D65", "D50").flatten().tolist()]
        [0.9642, 1.0, 0.8252]
    """
    matrix = _matrix(cones)
    gains = (matrix @ np.array(white_point(target))) / (matrix @ np.array(white_point(source)))
    whole = inverse(matrix) @ (gains[:, None] * matrix)
    return convert("adapt_white", image, lambda part: mix(part, whole), exact=True)


def _matrix(cones: str) -> np.ndarray:
    if cones not in _CONES:
        raise ValueError(f"lms: cones must be one of {', '.join(get_args(Cones))}; got {cones!r}")
    return _CONES[cones]
