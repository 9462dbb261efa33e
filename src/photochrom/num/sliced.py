"""Matching all bands together: one-dimensional matching along many axes, one after the other (sliced transport)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from photochrom.num.histograms import matching, on_knots, through_knots
from photochrom.num.strips import PIXELS, pointwise

_CELLS = 2**18
"""Cells of a histogram of colours at most: 64 a side for three bands."""
_KNOTS = 4
"""Knots of a histogram along an axis to a cell; cells are smeared over as many, so that they leave no gaps."""
MOST_CHANNELS = 8


@dataclass(frozen=True, eq=False)
class Colours:
    """How often each cell of a grid over 0..1 in all bands holds a pixel, (B, cells), and the sums of the colours."""

    counts: Tensor
    sums: Tensor
    """(B, C, cells), float64."""
    side: int
    channels: int
    known: dict[Any, Any] = field(default_factory=dict)
    """Maps that were made of these counts, so that a run in parts makes them once."""

    def merge(self, other: Colours) -> Colours:
        """Return the counts of both parts together."""
        return Colours(self.counts + other.counts, self.sums + other.sums, self.side, self.channels)


class Turn(NamedTuple):
    """One round of matching: turn, move along each axis by a curve, turn back."""

    axes: Tensor
    """(C, C), orthogonal; the columns are the axes."""
    low: Tensor
    high: Tensor
    """(C,): where 0..1 in all bands lies along each axis."""
    curves: Tensor
    """(1, C, knots), at knots over low..high scaled to 0..1."""


def count_colours(image: Tensor, weights: Tensor | None = None) -> Colours:
    """Count the colours of a picture (B, C, H, W) in a grid; what lies outside 0..1 counts in the cells at its edge."""
    batch, channels = image.shape[:2]
    side = max(2, int(_CELLS ** (1 / channels) + 1e-9))
    cells = side ** channels
    width, height = image.shape[-1], image.shape[-2]
    wanted = torch.is_grad_enabled() and (image.requires_grad or (weights is not None and weights.requires_grad))
    grain = height if wanted else max(1, 8 * PIXELS // (batch * width))
    held = torch.zeros(batch * cells, dtype=torch.float64, device=image.device)
    sums = torch.zeros(channels, batch * cells, dtype=torch.float64, device=image.device)
    row = torch.arange(batch, device=image.device)[:, None, None] * cells
    for top in range(0, height, grain):
        part = image[..., top:top + grain, :]
        wide = part if part.dtype == torch.float64 else part.float()
        place = on_knots(wide.detach(), side).nan_to_num(0.0, side - 1.0, 0.0).round_().clamp_(0, side - 1).long()
        scale = torch.tensor([side ** k for k in range(channels)], device=image.device)[:, None, None]
        cell = ((place * scale).sum(1) + row).flatten()
        value = wide.double().nan_to_num(0.0).transpose(0, 1).reshape(channels, -1)
        if weights is None:
            held = held + torch.bincount(cell, minlength=len(held))
        else:
            share = weights[..., top:top + grain, :].double().expand(batch, 1, *part.shape[-2:]).flatten()
            held, value = held.index_add(0, cell, share), value * share
        sums = sums.index_add(1, cell, value)
    return Colours(held.reshape(batch, cells), sums.reshape(channels, batch, cells).transpose(0, 1), side, channels)


def turns(image: Colours, reference: Colours, iterations: int) -> list[list[Turn]]:
    """Return the rounds that bring the colours of each picture to those of the reference, kept for the next part."""
    key = (id(reference), iterations)
    if key not in image.known:
        batch = image.counts.shape[0]
        wanted, sums = reference.counts.expand(batch, -1), reference.sums.expand(batch, -1, -1)
        image.known[key] = (reference, [_turns(image, image.counts[b], wanted[b], sums[b], iterations)
                                        for b in range(batch)])
    made: list[list[Turn]] = image.known[key][1]
    return made


def apply_turns(image: Tensor, rounds: list[list[Turn]]) -> Tensor:
    """Send every pixel of (B, C, H, W) through its picture's rounds."""
    done = []
    for b, steps in enumerate(rounds):
        def part(picture: Tensor, steps: list[Turn] = steps) -> Tensor:
            wide = picture if picture.dtype == torch.float64 else picture.float()
            flat = wide.flatten(2)[0]
            for step in steps:
                flat = _move(flat, step)
            return flat.reshape(wide.shape).to(picture.dtype)

        graph = torch.is_grad_enabled() and any(step.curves.requires_grad for step in steps)
        done.append(part(image[b:b + 1]) if graph else pointwise(part, image[b:b + 1]))
    return torch.cat(done)


def _move(flat: Tensor, step: Turn) -> Tensor:
    """Send colours (C, N) through one round."""
    axes, low, high = step.axes.to(flat), step.low.to(flat)[:, None], step.high.to(flat)[:, None]
    along = axes.T @ flat
    moved = through_knots(((along - low) / (high - low))[None, :, None], step.curves)[0, :, 0]
    # Only the way is turned back, so that a colour that stays keeps its bits.
    return flat + axes @ (low + moved * (high - low) - along)


def _turns(image: Colours, counts: Tensor, wanted: Tensor, sums: Tensor, iterations: int) -> list[Turn]:
    side, channels = image.side, image.channels
    if not bool((counts > 0).any()) or not bool((wanted > 0).any()):
        return []
    cells = torch.nonzero(counts.detach() > 0)[:, 0]
    held = counts[cells]
    colours = torch.stack([cells // side ** k % side for k in range(channels)]).double() / (side - 1)
    places = torch.nonzero(wanted.detach() > 0)[:, 0]
    share = wanted[places]
    target = sums[:, places] / share
    line = torch.linspace(0, 1, (side - 1) * _KNOTS + 1, dtype=torch.float64, device=counts.device)
    knots = (side - 1) * _KNOTS + 1
    rounds: list[Turn] = []
    for axes in _axes(channels, iterations, colours):
        low, high = axes.clamp(max=0).sum(0), axes.clamp(min=0).sum(0)
        step = Turn(axes, low, high, torch.empty(0))
        curves = matching(_along(colours, held, step, knots), _along(target, share, step, knots), line)
        rounds.append(step._replace(curves=curves))
        colours = _move(colours, rounds[-1])
    return rounds


def _along(colours: Tensor, held: Tensor, step: Turn, knots: int) -> Tensor:
    """Return the histograms of colours along the axes of a round, (1, C, knots), each cell smeared to its width."""
    channels = len(colours)
    low, high = step.low[:, None], step.high[:, None]
    place = (((step.axes.T @ colours) - low) / (high - low)).clamp(0, 1) * (knots - 1)
    lower = place.detach().floor().clamp(max=knots - 2)
    part = place - lower
    index = (lower.long() + torch.arange(channels, device=place.device)[:, None] * knots).flatten()
    empty = torch.zeros(channels * knots, dtype=held.dtype, device=held.device)
    found = empty.index_add(0, index, ((1 - part) * held).flatten()).index_add(0, index + 1, (part * held).flatten())
    rising = torch.arange(1, _KNOTS + 1, dtype=held.dtype, device=held.device)
    kernel = torch.cat([rising, rising[:-1].flip(0)]) / _KNOTS ** 2
    smeared = torch.nn.functional.conv1d(found.reshape(channels, 1, knots), kernel[None, None], padding=_KNOTS - 1)
    return smeared[None, :, 0]


def _axes(channels: int, iterations: int, like: Tensor) -> list[Tensor]:
    """Return orthogonal axes for each round: the bands themselves first, then ever other turns, always the same."""
    generator = torch.Generator().manual_seed(2)
    found = [torch.eye(channels, dtype=torch.float64)]
    while len(found) < iterations:
        q, r = torch.linalg.qr(torch.randn(channels, channels, generator=generator, dtype=torch.float64))
        found.append(q * r.diagonal().sign())
    return [axes.to(like) for axes in found[:iterations]]
