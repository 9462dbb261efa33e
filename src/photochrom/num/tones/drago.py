"""Drago, Myszkowski, Annen, Chiba: Adaptive Logarithmic Mapping For Displaying High Contrast Scenes, 2003."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photochrom.num.tones.light import Adaptation

_LEAST = 1e-9


def gain(lum: Tensor, known: Adaptation, bias: float, stops: float | Tensor) -> Tensor:
    """Return L_d / L_w by eq. 4: ln(1 + L) / (log10(1 + L_max) ln(2 + 8 (L / L_max)^(ln b / ln 0.5))).

    Args:
        lum: luminance L_w, (B, 1, H, W).
        known: of the whole picture; luminance is counted in units of its log-average.
        bias: b.
        stops: doublings of the luminance before it is mapped.

    Returns:
        (B, 1, H, W), finite at black; the brightest pixel becomes 1.
    """
    gains = 2.0 ** stops if not isinstance(stops, Tensor) else torch.exp2(stops)
    scale = gains / known.level(lum)
    x, most = lum * scale, known.peak(lum) * scale
    share = (lum / known.peak(lum)).clamp(min=_LEAST, max=1) ** (math.log(bias) / math.log(0.5))
    # ln(1 + x) / x has the limit 1 at black
    small = x < _LEAST
    slope = torch.where(small, 1.0, torch.log1p(x) / torch.where(small, 1.0, x))
    return scale * slope / ((torch.log1p(most) / math.log(10)) * torch.log(2 + 8 * share))
