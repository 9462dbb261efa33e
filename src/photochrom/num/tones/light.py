"""What all tone mapping shares: luminance, the light a scene is seen in, colour around a changed luminance."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

FLOOR = 1e-6
"""Luminance added before a logarithm is taken, as in Reinhard's paper: black has one too."""
_WEIGHTS = (0.2126, 0.7152, 0.0722)


def luminance(light: Tensor) -> Tensor:
    """Return the luminance of linear light, (B, 1, H, W), at least 0: Rec. 709 of three channels, else their mean.

    Example:
        >>> luminance(torch.ones(1, 3, 1, 1)).item()
        1.0
    """
    if light.shape[1] != 3:
        return light.mean(1, keepdim=True).clamp(min=0)
    mixed = _WEIGHTS[0] * light[:, :1] + _WEIGHTS[1] * light[:, 1:2] + _WEIGHTS[2] * light[:, 2:]
    return mixed.clamp(min=0)


class Adaptation(NamedTuple):
    """Weight, mean logarithm and greatest value of luminance, each (B, 1), float64."""

    weight: Tensor
    mean: Tensor
    most: Tensor

    def merge(self, other: Adaptation) -> Adaptation:
        """Return the measure of both parts together."""
        weight = self.weight + other.weight
        share = torch.where(weight > 0, other.weight / weight.clamp(min=torch.finfo(weight.dtype).tiny), 0)
        return Adaptation(weight, self.mean + (other.mean - self.mean) * share, torch.maximum(self.most, other.most))

    def level(self, like: Tensor) -> Tensor:
        """Return the log-average luminance, (B, 1, 1, 1), at least `FLOOR`."""
        return self.mean.exp().to(like)[..., None, None]

    def peak(self, like: Tensor) -> Tensor:
        """Return the greatest luminance, (B, 1, 1, 1), at least `FLOOR`."""
        return self.most.clamp(min=FLOOR).to(like)[..., None, None]


def adaptation(light: Tensor, weights: Tensor | None = None) -> Adaptation:
    """Measure a part of a picture.

    Args:
        light: (B, C, H, W), linear.
        weights: (B or 1, 1, H, W), None for all alike; where it is 0 nothing is measured.

    Returns:
        Its log-average and greatest luminance.

    Example:
        >>> round(adaptation(torch.tensor([0.01, 1.0]).reshape(1, 1, 1, 2)).mean.exp().item(), 3)
        0.1
    """
    values = luminance(light)
    logs = (values + FLOOR).log()
    if weights is None:
        total = torch.full((light.shape[0], 1), float(values[0].numel()), dtype=torch.float64, device=light.device)
        return Adaptation(total, logs.mean((-2, -1), dtype=torch.float64), values.amax((-2, -1)).double())
    w = weights.to(values).expand_as(values)
    total = w.sum((-2, -1), dtype=torch.float64)
    mean = (logs * w).sum((-2, -1), dtype=torch.float64) / total.clamp(min=torch.finfo(torch.float64).tiny)
    return Adaptation(total, mean, torch.where(w > 0, values, 0).amax((-2, -1)).double())


def recolour(light: Tensor, before: Tensor, after: Tensor, gain: Tensor, saturation: float | Tensor) -> Tensor:
    """Give linear light a new luminance and keep its hue: ((C / L - 1) s + 1) L'.

    Args:
        light: (B, C, H, W), linear.
        before: its luminance L, (B, 1, H, W).
        after: the new one L'.
        gain: L' / L, finite at L = 0.
        saturation: s; 1 keeps the proportions of the channels, 0 gives grey.

    Returns:
        (B, C, H, W), linear.

    Reference:
        Mantiuk, Mantiuk, Tomaszewska, Heidrich: Color correction for tone mapping. Eurographics 2009, eq. 3.
    """
    return light * (gain * saturation) + (1 - saturation) * after
