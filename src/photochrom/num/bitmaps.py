"""Moves between pictures of different exposure, from their median-threshold bitmaps (Ward 2003)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

_NOISE = 4 / 255
"""Values this near the threshold are left out: noise would toss them to either side."""
_LEAST = 16
"""Rows and columns of the coarsest picture that is compared."""


class _Level(NamedTuple):
    bits: Tensor
    sure: Tensor


def find_shifts(pictures: Sequence[Tensor], largest: int) -> tuple[list[tuple[int, int]], int]:
    """Find by how many pixels each picture must be moved to lie on the one of middle brightness.

    Each picture is compared with its neighbour in brightness, whose bitmap is likest, and the moves are added up.

    Args:
        pictures: each (C, H, W), of one size.
        largest: the greatest move from a neighbour, in pixels.

    Returns:
        (right, down) for each picture, and which one stays.
    """
    greys = [_grey(picture) for picture in pictures]
    order = sorted(range(len(greys)), key=lambda n: (float(greys[n].mean()), n))
    steps = _levels(greys[0].shape, largest)
    towers = {n: _tower(greys[n], steps) for n in order}
    middle = len(order) // 2
    found = {order[middle]: (0, 0)}
    pairs = [(order[k], order[k - 1]) for k in range(middle, 0, -1)]
    pairs += [(order[k], order[k + 1]) for k in range(middle, len(order) - 1)]
    for known, new in pairs:
        x, y = _shift(towers[known], towers[new])
        found[new] = (found[known][0] + x, found[known][1] + y)
    return [found[n] for n in range(len(greys))], order[middle]


def move(picture: Tensor, right: int, down: int) -> Tensor:
    """Move a picture by whole pixels; its edge pixels fill what is uncovered.

    Example:
        >>> move(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 1, 0).flatten().tolist()
        [1.0, 1.0, 2.0]
    """
    height, width = picture.shape[-2:]
    for axis, size, by in ((-2, height, down), (-1, width, right)):
        if by:
            at = (torch.arange(size, device=picture.device) - by).clamp(0, size - 1)
            picture = picture.index_select(axis, at)
    return picture


def _grey(picture: Tensor) -> Tensor:
    picture = picture.detach().float().nan_to_num(0.0)
    if picture.shape[0] != 3:
        return picture.mean(0)
    return (54 * picture[0] + 183 * picture[1] + 19 * picture[2]) / 256   # Ward's whole-number luminance


def _levels(shape: Sequence[int], largest: int) -> int:
    steps = max(1, largest).bit_length() - 1   # steps + 1 levels reach 2^(steps + 1) - 1 pixels
    while steps and min(shape) >> steps < _LEAST:
        steps -= 1
    return steps


def _tower(grey: Tensor, steps: int) -> list[_Level]:
    """Return bitmaps from fine to coarse: lighter than the median, and surely so."""
    made = []
    for step in range(steps + 1):
        if step:
            grey = torch.nn.functional.avg_pool2d(grey[None, None], 2)[0, 0]
        # the median of a million pixels is as good as that of twelve
        sparse = grey.flatten()[:: max(1, grey.numel() >> 20)]
        apart = grey - sparse.median()
        made.append(_Level(apart > 0, apart.abs() > _NOISE))
    return made


def _shift(fixed: list[_Level], moved: list[_Level]) -> tuple[int, int]:
    x = y = 0
    for one, other in zip(reversed(fixed), reversed(moved), strict=True):
        x, y = 2 * x, 2 * y
        best, found = None, (x, y)
        # the nearest first: of equally good moves the shortest
        for down, right in sorted(itertools.product((-1, 0, 1), repeat=2), key=lambda d: d[0] ** 2 + d[1] ** 2):
            errors = _errors(one, other, x + right, y + down)
            if best is None or errors < best:
                best, found = errors, (x + right, y + down)
        x, y = found
    return x, y


def _errors(one: _Level, other: _Level, right: int, down: int) -> float:
    """Return the share of pixels that differ, of those that the moved picture covers."""
    height, width = one.bits.shape
    if abs(down) >= height or abs(right) >= width:
        return 1.0
    here = (slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right)))
    there = (slice(max(0, -down), height + min(0, -down)), slice(max(0, -right), width + min(0, -right)))
    wrong = (one.bits[here] ^ other.bits[there]) & one.sure[here] & other.sure[there]
    return int(wrong.sum()) / wrong.numel()
