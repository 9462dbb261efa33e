"""Giving a recoloured picture the grain of the original back."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.num.solve import GridSystem, solve

_SHARP = 5 / 256
"""A slope a pixel from which on the new colour is kept as it is."""
_FLAT = 0.01
"""How much of the new colour is asked for where there is no slope at all; without any, a flat picture had no colour."""


def regrain(original: Tensor, recoloured: Tensor) -> Tensor:
    """Return the picture nearest to `recoloured` whose slopes are those of `original`.

    Minimises psi |J - recoloured|^2 + phi |grad J - grad original|^2, psi large at edges and phi in even parts, as in
    the paper; its Euler-Lagrange equation is a 5-point system, the same for all channels.

    Args:
        original: (B, C, H, W).
        recoloured: (B, C, H, W).

    Returns:
        (B, C, H, W).

    Reference:
        Pitie, Kokaram, Dahyot: Automated colour grading using colour distribution transfer. CVIU 107(1-2), 2007.
        Differs from the paper in the solver, and in psi, which is at least 0.01.
    """
    done = []
    for image, wanted in zip(original.double(), recoloured.double(), strict=True):   # the pull is as weak as 1e-4
        size = _slope(image)
        pull = (size / _SHARP).clamp(_FLAT, 1)
        even = 30 / (1 + 10 * size)
        right = torch.nn.functional.pad((even[:, 1:] + even[:, :-1]) / 2, (0, 1))
        down = torch.nn.functional.pad((even[1:] + even[:-1]) / 2, (0, 0, 0, 1))
        everywhere = torch.ones(image.shape[-2:], dtype=torch.bool, device=image.device)
        system = GridSystem(everywhere, torch.stack([right, down]), pull)
        tolerance = 1e-12 if original.dtype == torch.float64 else 1e-5
        away = (wanted - image)[None]
        done.append(image[None] + solve(system, pull * away, start=away.detach(), tolerance=tolerance).values)
    return torch.cat(done).to(recoloured.dtype)


def _slope(image: Tensor) -> Tensor:
    """Return |grad image| over all channels, (H, W), by differences to the next pixel on both sides."""
    def differences(axis: int) -> Tensor:
        size = image.shape[axis]
        place = torch.arange(size, device=image.device)
        after, before = (place + 1).clamp(max=size - 1), (place - 1).clamp(min=0)
        return (image.index_select(axis, after) - image.index_select(axis, before)) / 2

    square = (differences(-1).square() + differences(-2).square()).sum(0)
    return torch.where(square > 0, torch.where(square > 0, square, 1).sqrt(), 0)
