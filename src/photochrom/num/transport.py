"""Moving one cloud of colours onto another by one-dimensional transport along turning axes (sliced transport)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

KNOTS = 1024
"""Quantiles that make a curve."""
SAMPLE = 1 << 16
"""Pixels that the quantiles of a large picture are taken from."""
_FEW = 16384
"""Colours that torch moves as fast as the kernel."""
_PARTS = 1024


class Cloud(NamedTuple):
    """Colours and how much each counts."""

    colours: Tensor
    """(C, N)"""
    weight: Tensor | None = None
    """(N,); None for all alike."""

    def moved(self, turns: list[Turn]) -> Cloud:
        """Return the cloud after some turns."""
        return self._replace(colours=through(self.colours, turns))


class Turn(NamedTuple):
    """Axes, and for each of them a rising curve through knots."""

    axes: Tensor
    """(C, C), orthogonal; its rows are the axes."""
    curves: list[tuple[Tensor, Tensor]]
    """Knots and values along each axis."""


def cloud(image: Tensor, weights: Tensor | None, seed: int) -> Cloud:
    """Return the colours of a picture (C, H, W), or of enough pixels of a large one.

    Args:
        image: the picture.
        weights: (1, H, W), how much each pixel counts, or None. Where nothing counts all count alike.
        seed: which pixels of a large picture are taken.
    """
    flat = image.flatten(1)
    weight = None if weights is None or not bool((weights > 0).any()) else weights.flatten().to(flat)
    if weight is not None:   # between what does not count nothing is interpolated
        seen = weight > 0
        flat, weight = flat[:, seen], weight[seen]
    if flat.shape[1] > SAMPLE:
        generator = torch.Generator().manual_seed(seed)
        taken = torch.randint(flat.shape[1], (SAMPLE,), generator=generator).to(flat.device)
        flat, weight = flat[:, taken], None if weight is None else weight[taken]
    return Cloud(flat, weight)


def quantiles(values: Tensor, weight: Tensor | None, at: Tensor) -> Tensor:
    """Return the values (Q,) below which the shares `at` of (N,) values lie, interpolated.

    Example:
        >>> quantiles(torch.tensor([3.0, 1.0, 2.0]), None, torch.tensor([0.5])).tolist()
        [2.0]
    """
    ranked, order = values.sort()
    share = torch.ones_like(ranked) if weight is None else weight[order]
    place = (share.cumsum(0) - share / 2) / share.sum()
    if len(ranked) == 1:
        return ranked.expand(len(at))
    upper = torch.searchsorted(place.detach(), at).clamp(1, len(ranked) - 1)
    low, high = place[upper - 1], place[upper]
    apart = high > low
    part = torch.where(apart, (at - low) / torch.where(apart, high - low, 1), 0.5)
    part = torch.where(at <= low, 0, torch.where(at >= high, 1, part))
    return torch.lerp(ranked[upper - 1], ranked[upper], part)


def curve(own: Tensor, wanted: Tensor, least: float) -> tuple[Tensor, Tensor]:
    """Return knots and values of the curve that takes quantiles to quantiles; knots within `least` become one."""
    group = torch.nn.functional.pad((own.detach().diff() > least).long().cumsum(0), (1, 0))
    count = own.new_zeros(int(group[-1]) + 1)
    size = count.index_add(0, group, torch.ones_like(own))
    return count.index_add(0, group, own) / size, count.index_add(0, group, wanted) / size


def follow(values: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return a curve's values at (N,): straight between its knots, beyond them of slope 1."""
    if len(x) == 1:
        return values - x + y
    upper = torch.searchsorted(x.detach(), values.detach()).clamp(1, len(x) - 1)
    low, floor = x[upper - 1], y[upper - 1]
    inside = torch.minimum(torch.maximum(values, x[0]), x[-1])
    return floor + (inside - low) * ((y[upper] - floor) / (x[upper] - low)) + (values - inside)


def through(colours: Tensor, turns: list[Turn]) -> Tensor:
    """Send colours (C, N) through turns."""
    wants = torch.is_grad_enabled() and (
        colours.requires_grad or any(x.requires_grad or y.requires_grad for turn in turns for x, y in turn.curves))
    plain = colours.dtype == torch.float32 and colours.device.type == "cpu" and not wants
    if plain and len(colours) == 3 and colours.shape[1] > _FEW and turns:
        return _kernel_through(colours, turns)
    for turn in turns:
        axes = turn.axes.to(colours)
        along = axes @ colours
        moved = torch.stack([follow(values, x.to(values), y.to(values))
                             for values, (x, y) in zip(along, turn.curves, strict=True)])
        colours = colours + axes.T @ (moved - along)   # what stays keeps its bits
    return colours


def _kernel_through(colours: Tensor, turns: list[Turn]) -> Tensor:
    x, y, slope = (np.zeros((len(turns), 3, KNOTS), np.float32) for _ in range(3))
    count, starts = np.zeros((len(turns), 3), np.int32), np.zeros((len(turns), 3, _PARTS), np.int32)
    for t, turn in enumerate(turns):
        for k, (knots, values) in enumerate(turn.curves):
            n = count[t, k] = len(knots)
            a, b = (part.detach().float().numpy() for part in (knots, values))
            x[t, k, :n], y[t, k, :n] = a, b
            slope[t, k, :n - 1] = np.diff(b) / np.diff(a)
            # an eighth of a part early: the kernel rounds otherwise, and only looks upwards
            edges = a[0] + (np.arange(_PARTS) - 0.125) * (a[-1] - a[0]) / _PARTS
            starts[t, k] = np.maximum(np.searchsorted(a, edges, "right") - 1, 0)
    axes = np.stack([turn.axes.detach().float().numpy() for turn in turns])
    source, out = colours.contiguous().numpy(), torch.empty(colours.shape)
    target, kernel = out.numpy(), load("transport").through
    parallel_rows(lambda first, last: kernel(source[:, first:last], axes, x, y, slope, count, starts,
                                             target[:, first:last]), 0, source.shape[1], 8192)
    return out


def transport(own: Cloud, wanted: Cloud, iterations: int, seed: int, least: float) -> list[Turn]:
    """Return the turns that bring one cloud to another: the channels themselves first, then axes turned at random.

    Args:
        own: the cloud that is moved.
        wanted: the cloud that is met.
        iterations: the number of turns.
        seed: of the axes.
        least: differences that are rounding: they are not stretched.
    """
    channels = len(own.colours)
    generator = torch.Generator().manual_seed(seed)
    # in a small picture every pixel is a knot: the curve is then the very map of ranks; one pixel takes the mean
    pixels = own.colours.shape[1]
    knots = KNOTS if pixels == 1 else min(KNOTS, pixels)
    at = (torch.arange(knots, dtype=own.colours.dtype, device=own.colours.device) + 0.5) / knots
    turns: list[Turn] = []
    for index in range(iterations):
        axes = torch.eye(channels, dtype=torch.float64)
        if index:
            q, r = torch.linalg.qr(torch.randn(channels, channels, generator=generator, dtype=torch.float64))
            axes = q * r.diagonal().sign()
        axes = axes.to(own.colours)
        turn = Turn(axes, [curve(quantiles(a, own.weight, at), quantiles(b, wanted.weight, at), least)
                           for a, b in zip(axes @ own.colours, axes @ wanted.colours, strict=True)])
        turns.append(turn)
        own = own.moved([turn])
    return turns


def distance(own: Cloud, wanted: Cloud, directions: Tensor) -> Tensor:
    """Return the sliced distance: the mean over directions (D, C) of the squared difference of quantiles, rooted."""
    at = (torch.arange(KNOTS, dtype=own.colours.dtype, device=own.colours.device) + 0.5) / KNOTS
    apart = [(quantiles(a, own.weight, at) - quantiles(b, wanted.weight, at)).square().mean()
             for a, b in zip(directions @ own.colours, directions @ wanted.colours, strict=True)]
    return torch.stack(apart).mean().sqrt()
