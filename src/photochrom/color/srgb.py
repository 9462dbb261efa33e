"""The sRGB transfer function (IEC 61966-2-1), continued oddly below 0 and by itself above 1."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color._pixels import each

_KNEE = 0.0031308
_EDGE = 0.04045


def srgb_to_linear(image: Tensor) -> Tensor:
    """Decode sRGB values to linear light.

    Args:
        image: any shape; 0..1 is display range, values outside keep their sign: f(-x) = -f(x).

    Returns:
        Linear light of the same shape and dtype.

    Reference:
        IEC 61966-2-1:1999.

    Example:
        >>> [round(v, 6) for v in srgb_to_linear(torch.tensor([0.0, 0.5, 1.0])).tolist()]
        [0.0, 0.214041, 1.0]
    """
    return each("srgb_to_linear", image, _decode)


def linear_to_srgb(image: Tensor) -> Tensor:
    """Encode linear light as sRGB values; the inverse of `srgb_to_linear`.

    Args:
        image: any shape; linear light, 1 is display white.

    Returns:
        Encoded values of the same shape and dtype.

    Reference:
        IEC 61966-2-1:1999.

    Example:
        >>> round(linear_to_srgb(torch.tensor(0.21404114)).item(), 6)
        0.5
    """
    return each("linear_to_srgb", image, _encode)


def _decode(image: Tensor) -> Tensor:
    size = image.abs()
    # The power is taken of a clamped value so that its gradient stays finite where the line is chosen.
    curve = ((size.clamp(min=_EDGE) + 0.055) / 1.055) ** 2.4
    return torch.where(size <= _EDGE, image / 12.92, torch.copysign(curve, image))


def _encode(image: Tensor) -> Tensor:
    size = image.abs()
    curve = 1.055 * size.clamp(min=_KNEE) ** (1 / 2.4) - 0.055
    return torch.where(size <= _KNEE, image * 12.92, torch.copysign(curve, image))
