"""Luma and colour differences of video and JPEG."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix

Standard = Literal["bt601", "bt709"]
Levels = Literal["full", "studio"]

_LUMA = {"bt601": (0.299, 0.587, 0.114), "bt709": (0.2126, 0.7152, 0.0722)}
# gain and offset of luma, gain and offset of the differences
_LEVELS = {"full": (1.0, 0.0, 1.0, 0.5), "studio": (219 / 255, 16 / 255, 224 / 255, 128 / 255)}


def rgb_to_ycbcr(image: Tensor, standard: Standard = "bt601", levels: Levels = "full") -> Tensor:
    """Convert RGB to luma and two colour differences, as JPEG and video store them.

    Affine, so that values outside [0, 1] are kept and have a way back.

    Args:
        image: (B, 3, H, W), encoded values (the standards mix them as they are, without decoding).
        standard: "bt601" (JPEG, standard definition) or "bt709" (high definition).
        levels: "full": luma 0..1, differences 0..1 about 0.5; bytes of JPEG are these times 255, but that it puts
            the middle at 128. "studio": luma 16/255..235/255, differences 16/255..240/255 about 128/255, which are
            the 8-bit codes of video over 255.

    Returns:
        (B, 3, H, W): Y, Cb, Cr.

    Raises:
        ValueError: not a floating picture of three channels; no such standard or levels.

    Reference:
        ITU-R BT.601-7; ITU-R BT.709-6; JFIF 1.02.

    Example:
        >>> white = torch.ones(1, 3, 1, 1, dtype=torch.float64)
        >>> [round(v * 255) for v in rgb_to_ycbcr(white, levels="studio").flatten().tolist()]
        [235, 128, 128]
    """
    matrix, offset = _affine(standard, levels)
    return convert("rgb_to_ycbcr", image, lambda part: _plus(mix(part, matrix), offset))


def ycbcr_to_rgb(image: Tensor, standard: Standard = "bt601", levels: Levels = "full") -> Tensor:
    """Convert luma and colour differences to RGB; the inverse of `rgb_to_ycbcr`.

    Args:
        image: (B, 3, H, W): Y, Cb, Cr.
        standard: "bt601" or "bt709".
        levels: "full" or "studio".

    Returns:
        (B, 3, H, W), encoded RGB; differences that no colour of the screen has give values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels; no such standard or levels.

    Reference:
        ITU-R BT.601-7; ITU-R BT.709-6; JFIF 1.02.

    Example:
        >>> [round(v, 3) for v in ycbcr_to_rgb(torch.tensor([0.5, 0.5, 1.0]).reshape(1, 3, 1, 1)).flatten().tolist()]
        [1.201, 0.143, 0.5]
    """
    matrix, offset = _affine(standard, levels)
    back, less = inverse(matrix), tuple(-value for value in offset)
    return convert("ycbcr_to_rgb", image, lambda part: mix(_plus(part, less), back))


def _affine(standard: str, levels: str) -> tuple[np.ndarray, tuple[float, ...]]:
    if standard not in _LUMA:
        raise ValueError(f"ycbcr: standard must be 'bt601' or 'bt709'; got {standard!r}")
    if levels not in _LEVELS:
        raise ValueError(f"ycbcr: levels must be 'full' or 'studio'; got {levels!r}")
    luma = np.array(_LUMA[standard])
    red, blue = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    # Cb = (B - Y) / (2 - 2 k_b) and Cr = (R - Y) / (2 - 2 k_r) reach from -1/2 to 1/2
    matrix = np.stack([luma, (blue - luma) / (2 - 2 * luma[2]), (red - luma) / (2 - 2 * luma[0])])
    gain, offset, spread, middle = _LEVELS[levels]
    return matrix * np.array([gain, spread, spread])[:, None], (offset, middle, middle)


def _plus(image: Tensor, offset: tuple[float, ...]) -> Tensor:
    return image + torch.tensor(offset, dtype=image.dtype, device=image.device)[:, None, None]
