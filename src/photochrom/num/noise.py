"""How much noise is in a picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

_ROOT = math.sqrt(3)
_SMOOTH = [part / (4 * math.sqrt(2)) for part in (1 + _ROOT, 3 + _ROOT, 3 - _ROOT, 1 - _ROOT)]
_DETAIL = [_SMOOTH[3], -_SMOOTH[2], _SMOOTH[1], -_SMOOTH[0]]
_QUARTILE = 0.6744897501960817
"""Half of the values of a normal distribution lie within this many standard deviations."""


def noise_sigma(image: Tensor) -> Tensor:
    """Estimate the standard deviation of white noise from the finest diagonal details.

    What a picture shows is mostly smooth, so that of its finest diagonal wavelet coefficients most are noise alone;
    their median is not moved by the few that are edges. Fine texture is taken for noise.

    Args:
        image: (B, C, H, W), floating.

    Returns:
        (B, C), in units of the picture.

    Reference:
        Donoho, Johnstone: Ideal spatial adaptation by wavelet shrinkage. Biometrika 81(3), 1994, section 4.2, with
        Daubechies' wavelets of two vanishing moments.

    Example:
        >>> noise = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
        >>> round(noise_sigma(noise * 0.1).item(), 2)
        0.1
    """
    planes = image.detach().float().flatten(0, 1)[:, None]
    low = [max(0, 4 - length) for length in planes.shape[-2:]]
    if max(low) > 0:
        planes = pad(planes, (0, low[1], 0, low[0]), "replicate")
    detail = torch.tensor(_DETAIL, device=image.device)
    found = conv2d(conv2d(planes, detail.reshape(1, 1, 4, 1), stride=(2, 1)), detail.reshape(1, 1, 1, 4), stride=(1, 2))
    return (found.flatten(1).abs().median(1).values / _QUARTILE).reshape(image.shape[:2]).to(image.dtype)
