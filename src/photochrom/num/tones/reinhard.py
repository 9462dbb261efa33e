"""Reinhard, Stark, Shirley, Ferwerda: Photographic Tone Reproduction for Digital Images. SIGGRAPH 2002."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photochrom.num.bands import gaussian_kernel, separable
from photochrom.num.tones.light import Adaptation

_SCALES = 8
_RATIO = 1.6
_PHI = 8.0
_CENTRE = 1 / (2 * math.sqrt(2))


def gain_global(lum: Tensor, known: Adaptation, key: float | Tensor, white: float) -> Tensor:
    """Return L_d / L_w by eq. 4, L (1 + L / L_white^2) / (1 + L) with L = key L_w / mean.

    Args:
        lum: luminance L_w, (B, 1, H, W).
        known: of the whole picture.
        key: the value to which the log-average is brought.
        white: the least L that becomes white; 0 for the greatest of the picture.

    Returns:
        (B, 1, H, W), finite at black.
    """
    scale = key / known.level(lum)
    limit = (scale * known.peak(lum)).clamp(min=_LEAST) if white == 0 else torch.full_like(scale, white)
    x = lum * scale
    return scale * (1 + x / limit ** 2) / (1 + x)


_LEAST = 1e-3
"""Of a white point measured in the picture: a black picture has none."""


def gain_local(lum: Tensor, known: Adaptation, key: float | Tensor, threshold: float) -> Tensor:
    """Return L_d / L_w by eq. 9, L / (1 + V(x, s)): V is the mean over the largest surround without a strong edge.

    Args:
        lum: luminance L_w, (B, 1, H, W).
        known: of the whole picture.
        key: as in `gain_global`, and in the normalisation of the contrast between centre and surround, eq. 7.
        threshold: the contrast that is an edge.

    Returns:
        (B, 1, H, W), finite at black.
    """
    scale = key / known.level(lum)
    x = lum * scale
    chosen = centre = _blurred(x, 0)
    going = torch.ones_like(x, dtype=torch.bool)
    for k in range(_SCALES):
        surround = _blurred(x, k + 1)
        size = _RATIO ** k
        contrast = (centre - surround) / (2 ** _PHI * key / size ** 2 + centre)
        going = going & (contrast.abs() < threshold)
        chosen = torch.where(going, centre, chosen)
        centre = surround
    return scale / (1 + chosen.clamp(min=0))


def _blurred(x: Tensor, k: int) -> Tensor:
    # eq. 5: exp(-r^2 / (alpha s)^2), so sigma = alpha s / sqrt 2; the surround of a scale is the centre of the next
    kernel = gaussian_kernel(_CENTRE * _RATIO ** k / math.sqrt(2))
    return separable(x, kernel, kernel, "reflect")
