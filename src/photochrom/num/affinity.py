"""How much a pixel resembles each neighbour: weights of the systems that spread colour and that smooth."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.plain import is_plain_float
from photochrom.num.solve.definition import shifted
from photochrom.num.solve.stencil import NEIGHBOURS

_FLOOR = 2e-6
"""The least denominator of the exponent, as in Levin's code: about a third of an 8-bit level."""
_GRAIN = 1 << 15
"""Pixels in one call of the kernel."""
_LEAST = -1 / math.log(0.01)
"""The denominator is at least this times the least squared difference: the likest neighbour then weighs 0.01."""


def affinities(plane: Tensor, *, spread: float = 0.6, correlation: bool = False, cross: bool = False) -> Tensor:
    """Return the normalised weights of Levin, Lischinski and Weiss, for `GridSystem`.

    Mean and variance are those of the window of the pixel, so that w_rs is not w_sr.

    Args:
        plane: (H, W), luminance, float32 or float64.
        spread: exp(-(Y(r) - Y(s))^2 / (spread variance(r))); 2 in the paper, 0.6 in its authors' code.
        correlation: 1 + (Y(r) - mean(r)) (Y(s) - mean(r)) / variance(r) in place of it; below 0 counts as 0, since
            the solver needs it, and a constant window weighs all alike.
        cross: only the four neighbours of an edge, in the window too.

    Returns:
        (8, H, W), each at least 0; the sum is 1 where a pixel has a neighbour.

    Example:
        >>> affinities(torch.tensor([[0.0, 0.0, 1.0]]))[1, 0, 1].item() > 0.99   # to the left
        True
    """
    steps = NEIGHBOURS[:4] if cross else NEIGHBOURS
    if is_plain_float(plane):
        return _by_kernel(plane, steps, spread, correlation)
    ones = torch.ones_like(plane)
    inside = torch.stack([shifted(ones, step) for step in steps])
    # differences to the pixel itself: they round less than the values
    rise = torch.stack([shifted(plane, step) for step in steps]).sub_(plane).mul_(inside)
    count = inside.sum(0) + 1
    mean = rise.sum(0) / count   # less the pixel's own value
    variance = (((rise - mean).square() * inside).sum(0) + mean.square()) / count
    if correlation:
        wide = torch.where(variance > _FLOOR, variance, math.inf)
        weights = (1 - mean * (rise - mean) / wide).clamp(min=0)
    else:
        square = rise.square()
        nearest = torch.where(inside > 0, square, math.inf).amin(0)
        nearest = torch.where(nearest < math.inf, nearest, 0)
        wide = torch.maximum(spread * variance, _LEAST * nearest).clamp(min=_FLOOR)
        weights = torch.exp(-square / wide)
    weights = weights * inside
    total = weights.sum(0)
    weights = weights / torch.where(total > 0, total, 1)
    return torch.cat([weights, torch.zeros_like(weights)]) if cross else weights


def _by_kernel(plane: Tensor, steps: tuple[tuple[int, int], ...], spread: float, correlation: bool) -> Tensor:
    height, width = plane.shape
    made = empty((8, height, width))
    target = made.numpy()
    target[len(steps):] = 0
    given = (np.pad(plane.numpy(), 1), np.array(steps), np.float32(spread), np.float32(_FLOOR), np.float32(_LEAST),
             correlation, target)
    kernel = load("affinity").levin
    parallel_rows(lambda a, b: kernel(*given, a, b), 0, height, max(1, _GRAIN // width))
    return made


def edge_stops(plane: Tensor, exponent: float, eps: float = 1e-4) -> Tensor:
    """Return the weights of weighted least squares: 1 / (|difference|^exponent + eps), to the right and down.

    Args:
        plane: (H, W), the logarithm of luminance.
        exponent: at least 1, that it has a slope.
        eps: bounds the weight of equal pixels.

    Returns:
        (2, H, W); what leads out of the frame is 0.

    Example:
        >>> edge_stops(torch.tensor([[0.0, 1.0]]), 1.0)[0, 0, 0].round(decimals=3).item()
        1.0
    """
    made = plane.new_zeros(2, *plane.shape)
    made[0, :, :-1] = 1 / ((plane[:, 1:] - plane[:, :-1]).abs() ** exponent + eps)
    made[1, :-1, :] = 1 / ((plane[1:, :] - plane[:-1, :]).abs() ** exponent + eps)
    return made
