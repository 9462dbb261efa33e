"""Otsu's threshold, from counts that can be merged."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Counts(NamedTuple):
    """How much of each channel falls on each level, (B, C, levels), float64."""

    counts: Tensor

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both parts together."""
        return Counts(self.counts + other.counts)


def count_levels(image: Tensor, weights: Tensor | None, levels: int) -> Counts:
    """Count values by their nearest of `levels` levels in 0..1; what lies outside counts at the ends.

    Args:
        image: (B, C, H, W).
        weights: (B or 1, 1, H, W) or None for equal weights.
        levels: at least 2.

    Example:
        >>> count_levels(torch.tensor([0.0, 0.1, 1.0, 7.0]).reshape(1, 1, 2, 2), None, 2).counts.flatten().tolist()
        [2.0, 2.0]
    """
    batch, channels = image.shape[:2]
    level = (image.detach() * (levels - 1)).nan_to_num_(0).round_().clamp_(0, levels - 1)
    place = level.long().reshape(batch * channels, -1)
    place += torch.arange(batch * channels, device=image.device)[:, None] * levels
    share = None
    if weights is not None:
        share = weights.detach().double().expand(batch, channels, *image.shape[-2:]).flatten()
    counts = torch.bincount(place.flatten(), share, minlength=batch * channels * levels)
    return Counts(counts.double().reshape(batch, channels, levels))


def otsu_threshold(counts: Tensor) -> Tensor:
    """Return the value between two levels that parts each histogram into the two classes that differ most.

    Args:
        counts: (B, C, levels).

    Returns:
        (B, C), float64, midway between two levels. With one level only it is midway above that level, so that all is
        dark; about 1/2 if nothing was counted.

    Reference:
        Otsu: A Threshold Selection Method from Gray-Level Histograms. IEEE Trans. SMC 9(1), 1979.

    Example:
        >>> otsu_threshold(torch.tensor([[[4.0, 0.0, 0.0, 0.0, 4.0]]], dtype=torch.float64)).item()
        0.125
    """
    levels = counts.shape[-1]
    value = torch.arange(levels, dtype=counts.dtype, device=counts.device)
    dark = counts.cumsum(-1)
    mass = (counts * value).cumsum(-1)
    total, whole = dark[..., -1:], mass[..., -1:]
    apart = dark * (total - dark)
    # Of the between-class variance w0 w1 (m0 - m1)^2; the first of equal maxima is taken, as OpenCV does.
    spread = torch.where(apart > 0, (mass * total - whole * dark) ** 2 / torch.where(apart > 0, apart, 1), 0)
    best = spread.argmax(-1)
    only = torch.where(total[..., 0] > 0, counts.argmax(-1), (levels - 1) // 2)
    best = torch.where(spread.amax(-1) > 0, best, only)
    return (best.double() + 0.5) / (levels - 1)
