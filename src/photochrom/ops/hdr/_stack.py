"""What merging and fusing have in common: alignment, and checks of exposure times."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.num.bitmaps import find_shifts, move
from photochrom.num.parallel import limit_threads

LARGEST_SHIFT = 64
Fog = Literal["find", "none"]


def aligned(images: list[Tensor]) -> list[Tensor]:
    """Return the exposures moved onto the one of middle brightness, each picture of a batch by itself."""
    moved = [[image[b] for image in images] for b in range(images[0].shape[0])]
    for b, exposures in enumerate(moved):
        shifts, _ = find_shifts(exposures, LARGEST_SHIFT)
        moved[b] = [move(image, *shift) for image, shift in zip(exposures, shifts, strict=True)]
    return [torch.stack(parts) for parts in zip(*moved, strict=True)]


def log_times(who: str, times: Tensor | None, count: int) -> Tensor:
    """Return the logarithms of exposure times, or raise one sentence."""
    if times is None:
        raise ControlError(f"{who} needs times, one in seconds for each of the {count} pictures, got none")
    if len(times) != count:
        raise ControlError(f"{who}: times must be one for each of the {count} pictures, got {len(times)}")
    if not bool((times.isfinite() & (times > 0)).all()):
        raise ControlError(f"{who}: times must be finite and above 0, got {[float(f'{t:g}') for t in times.tolist()]}")
    return times.double().log()


def sampled(images: list[Tensor], count: int) -> Tensor:
    """Return about `count` pixels of each exposure on a regular grid, (C, I, N) float64."""
    batch, channels, height, width = images[0].shape
    step = max(1, round((batch * height * width / count) ** 0.5))
    y, x = min(step // 2, height - 1), min(step // 2, width - 1)
    with limit_threads(1):   # small copies: waking more threads costs more than they save
        picked = torch.stack([image.detach()[:, :, y::step, x::step] for image in images], -1)
        return picked.transpose(0, 1).reshape(channels, -1, len(images)).double()
