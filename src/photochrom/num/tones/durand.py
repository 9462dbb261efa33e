"""Durand, Dorsey: Fast Bilateral Filtering for the Display of High-Dynamic-Range Images. SIGGRAPH 2002."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photochrom.num.bilateral import bilateral
from photochrom.num.tones.light import FLOOR

_ENDS = 0.005
"""Share of the base layer left out at each end when its range is measured."""
_FLAT = 1e-3
"""Ranges of the base layer below this are not stretched or compressed."""

_MOST = 30.0
"""Decades of gain: strong detail of a black pixel would pass what float32 holds."""


def gain(lum: Tensor, contrast: float, sigma: float, sigma_tone: float, detail: float | Tensor) -> Tensor:
    """Return L_d / L_w: the base layer compressed to a contrast, the detail kept.

    Args:
        lum: luminance L_w, (B, 1, H, W).
        contrast: of the base layer of the result.
        sigma: of the bilateral filter in pixels; 0 for 2 per cent of the longer side.
        sigma_tone: likewise in decades of luminance.
        detail: gain of the detail layer.

    Returns:
        (B, 1, H, W), finite at black.
    """
    spread = sigma if sigma > 0 else max(0.25, 0.02 * max(lum.shape[-2:]))
    logs = (lum + FLOOR).log10()
    base = torch.cat([bilateral(part, spread, sigma_tone) for part in logs[:, None].unbind()])
    low, high = _ends(base)
    span = high - low
    factor = torch.where(span > _FLAT, math.log10(contrast) / span.clamp(min=_FLAT), 1.0)
    factor = factor.clamp(max=1)   # a scene of less contrast than is wanted keeps its own
    mapped = (base - high) * factor + (logs - base) * detail
    return 10 ** (mapped - logs).clamp(-_MOST, _MOST)


def _ends(base: Tensor) -> tuple[Tensor, Tensor]:
    """Return the values below and above which lies a small share, (B, 1, 1, 1) each."""
    step = max(1, math.isqrt(base.shape[-2] * base.shape[-1] >> 18))   # the base layer is smooth
    flat = base[..., ::step, ::step].flatten(1)
    ordered = flat.sort(1).values
    last = flat.shape[1] - 1
    low, high = ordered[:, round(_ENDS * last)], ordered[:, round((1 - _ENDS) * last)]
    return low[:, None, None, None], high[:, None, None, None]
