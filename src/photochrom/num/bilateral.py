"""The bilateral filter with wide Gaussians, as a few blurs: a smoothing that keeps edges."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from photochrom.num.bands import Band, apply, gaussian_kernel, separable
from photochrom.num.strips import pointwise

_MOST = 256
"""Levels at the most; ranges wider than this many `sigma_tone` are cut coarser."""
_FINE = 4.0
"""The grid's cell is at most sigma over this: coarser cells would show."""


def bilateral(image: Tensor, sigma: float, sigma_tone: float) -> Tensor:
    """Average each pixel with neighbours that are near both in place and in value.

    For each of a series of values the picture is weighted by nearness to that value and blurred; between the two
    series values about a pixel's own the result is interpolated (Durand and Dorsey 2002, section 5). The blurs run on a
    grid of cells of sigma / 4, whose sums and weights are interpolated apart (Paris and Durand 2006).

    Args:
        image: (1, 1, H, W), floating.
        sigma: of the Gaussian in place, pixels.
        sigma_tone: of the Gaussian in value; the series has one value to each.

    Returns:
        (1, 1, H, W).

    Example:
        >>> edge = torch.tensor([0.0, 0.0, 1.0, 1.0]).reshape(1, 1, 1, 4)
        >>> bilateral(edge, 2.0, 0.1).flatten().round(decimals=4).tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    low, high = image.detach().amin().item(), image.detach().amax().item()
    if not math.isfinite(high - low):
        return image
    count = min(_MOST, max(1, math.ceil((high - low) / sigma_tone)))
    step = (high - low) / count or 1.0
    cell = max(1, int(sigma / _FINE))
    height, width = image.shape[-2:]
    pool = _pooling(height, cell), _pooling(width, cell)
    spread = _spreading(height, cell), _spreading(width, cell)
    # pooling and interpolating blur too: together as a Gaussian of variance cell^2 / 4
    kernel = gaussian_kernel(math.sqrt(max(sigma ** 2 - cell ** 2 / 4, 0.01)) / cell if cell > 1 else sigma)
    above, below = torch.zeros_like(image), torch.zeros_like(image)
    for j in range(count + 1):
        value = low + step * j
        near = pointwise(lambda x, v=value: torch.exp(-0.5 * ((x - v) / sigma_tone) ** 2), image)
        both = torch.cat([near, pointwise(torch.mul, near, image)])
        if cell > 1:
            both = apply(both, *pool)
        both = separable(both, kernel, kernel, "constant")
        if cell > 1:
            both = apply(both, *spread)
        weights, sums = both[:1], both[1:]
        above = pointwise(lambda a, s, x, v=value: a + s * _share(x, v, step), above, sums, image)
        below = pointwise(lambda a, s, x, v=value: a + s * _share(x, v, step), below, weights, image)
    return pointwise(lambda a, b: a / b.clamp(min=1e-30), above, below)


def _share(x: Tensor, value: float, step: float) -> Tensor:
    """Return how much a value of the series counts for x: 1 on it, 0 at the next."""
    return (1 - (x - value).abs() / step).clamp(min=0)


@functools.lru_cache(maxsize=16)
def _pooling(n: int, cell: int) -> Band:
    i = np.arange(n)
    return Band(i // cell, i, np.full(n, 1.0 / cell), -(-n // cell), n)


@functools.lru_cache(maxsize=16)
def _spreading(n: int, cell: int) -> Band:
    cells = -(-n // cell)
    place = np.clip((np.arange(n) + 0.5) / cell - 0.5, 0, cells - 1)
    first = np.minimum(place.astype(np.int64), max(0, cells - 2))
    part, i = place - first, np.arange(n)
    return Band(np.repeat(i, 2), np.stack([first, np.minimum(first + 1, cells - 1)], 1).ravel(),
                np.stack([1 - part, part], 1).ravel(), n, cells)
