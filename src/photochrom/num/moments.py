"""Mean and variance by parts: a reduction that gives the same result however a picture is cut."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Weight, mean and summed squared deviation of each channel, in float64."""

    weight: Tensor
    """(B, 1)"""
    mean: Tensor
    """(B, C)"""
    deviation: Tensor
    """(B, C): the sum of w (x - mean)^2."""

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both parts together (Chan, Golub, LeVeque 1979)."""
        weight = self.weight + other.weight
        share = torch.where(weight > 0, other.weight / weight.clamp(min=torch.finfo(weight.dtype).tiny), 0)
        apart = other.mean - self.mean
        return Moments(weight, self.mean + apart * share,
                       self.deviation + other.deviation + apart ** 2 * self.weight * share)

    @property
    def std(self) -> Tensor:
        """(B, C): the population standard deviation; 0 where nothing was seen."""
        variance = self.deviation / self.weight.clamp(min=torch.finfo(self.weight.dtype).tiny)
        # sqrt has no slope at 0, which a picture of one colour reaches.
        return torch.where(variance > 0, variance.clamp(min=torch.finfo(variance.dtype).tiny).sqrt(), 0)


def moments(image: Tensor, weights: Tensor | None = None) -> Moments:
    """Measure a part of a picture.

    Args:
        image: (B, C, H, W).
        weights: (B or 1, 1, H, W) or None for equal weights.

    Returns:
        Its moments.

    Example:
        >>> moments(torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)).std.item()
        1.0
    """
    if image.dtype in (torch.float16, torch.bfloat16):
        image = image.float()
    batch, count = image.shape[0], image.shape[-2] * image.shape[-1]
    if weights is None:
        total = torch.full((batch, 1), float(count), dtype=torch.float64, device=image.device)
        mean = image.mean((-2, -1), dtype=torch.float64)
        deviation = (image - mean[..., None, None].to(image)).square().sum((-2, -1), dtype=torch.float64)
        return Moments(total, mean, deviation)
    w = weights.to(image).expand(batch, 1, *image.shape[-2:])
    total = w.sum((-2, -1), dtype=torch.float64)
    mean = (image * w).sum((-2, -1), dtype=torch.float64) / total.clamp(min=torch.finfo(torch.float64).tiny)
    deviation = ((image - mean[..., None, None].to(image)).square() * w).sum((-2, -1), dtype=torch.float64)
    return Moments(total, mean, deviation)
