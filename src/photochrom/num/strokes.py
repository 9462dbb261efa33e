"""Finding what was drawn on a picture."""

from __future__ import annotations

import torch
from torch import Tensor

_AROUND = 2
"""Pixels around that a soft edge is compared with: pens of painting programs fade over one or two."""


def drawn(image: Tensor, marks: Tensor, weights: Tensor, threshold: float, solid: float) -> Tensor:
    """Return where strokes lie on a picture, but for their soft edges.

    A pixel that differs belongs to a stroke if its chroma has changed at least `solid` times as much as the most around
    it. The edge of a soft pen is a mixture with the grey below: taken for a stroke, it would fence the colour in.

    Args:
        image: (B, 3, H, W).
        marks: (B or 1, 3, H, W), the same with strokes on it.
        weights: (3, 1, 1), of luminance.
        threshold: how much a marked pixel differs, summed over the channels.
        solid: 0 takes every pixel that differs.

    Returns:
        (B, 1, H, W), bool.

    Example:
        >>> grey, weights = torch.full((1, 3, 1, 6), 0.5), torch.full((3, 1, 1), 1 / 3)
        >>> marks = grey.clone()
        >>> marks[:, 0, 0] += torch.tensor([0, 0.1, 0.3, 0.3, 0.1, 0])
        >>> drawn(grey, marks, weights, 0.01, 0.75).flatten().int().tolist()
        [0, 0, 1, 1, 0, 0]
    """
    apart = marks - image
    found = apart.abs().sum(1, keepdim=True) > threshold
    if solid == 0:
        return found
    chroma = (apart - (apart * weights).sum(1, keepdim=True)).square().sum(1, keepdim=True).sqrt()
    chroma = torch.where(found, chroma, 0)
    return found & (chroma >= solid * _highest(chroma))


def _highest(values: Tensor) -> Tensor:
    """Return the largest of the values within `_AROUND` pixels along both axes, (..., H, W)."""
    for axis in (-1, -2):
        size, around = values.shape[axis], values.clone()
        for step in range(1, min(_AROUND + 1, size)):
            for here, there in ((0, step), (step, 0)):
                goal = around.narrow(axis, here, size - step)
                torch.maximum(goal, values.narrow(axis, there, size - step), out=goal)
        values = around
    return values


def dotted(dots: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return rows (x, y, red, green, blue) as a picture, (1, 3, H, W), and where it is, (1, 1, H, W) bool.

    Args:
        dots: (N, 5); places lie inside the frame. Several in one pixel: the last counts.
        height: of the frame.
        width: of the frame.

    Example:
        >>> picture, where = dotted(torch.tensor([[2.5, 0.5, 1.0, 0.5, 0.0]]), 1, 4)
        >>> where.flatten().int().tolist(), picture[0, :, 0, 2].tolist()
        ([0, 0, 1, 0], [1.0, 0.5, 0.0])
    """
    picture = dots.new_zeros(1, 3, height, width)
    where = torch.zeros(1, 1, height, width, dtype=torch.bool, device=dots.device)
    for x, y, *colour in dots.tolist():
        picture[0, :, int(y), int(x)] = dots.new_tensor(colour)
        where[..., int(y), int(x)] = True
    return picture, where
