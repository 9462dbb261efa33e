"""How far results are from the pictures they should be, in the figures people know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photochrom.learn.losses import clips
from photochrom.learn.pairs import Pair

_BINS = 4096
_BAND = 1 << 16
"""Pixels of a band of rows."""


@dataclass(frozen=True)
class Distance:
    """Differences over whole pictures and all channels, each pixel by its opacity, as a screen shows them."""

    psnr: float
    """Decibels, the peak being white; infinite for equal pictures."""
    mean: float
    """Mean absolute difference in 8-bit levels."""
    most: float
    """The difference in 8-bit levels that 99 % stay below."""
    largest: float
    """The largest difference in 8-bit levels."""

    def __str__(self) -> str:
        level = "equal" if math.isinf(self.psnr) else f"{self.psnr:.1f} dB"
        return f"{level}, mean {self.mean:.2f} levels, 99 % within {self.most:.2f}, largest {self.largest:.1f}"


def distance(results: Sequence[Tensor], pairs: Sequence[Pair]) -> Distance:
    """Compare results with the edited copies; what an edited copy has clipped is clipped in the result too."""
    squares = total = mean = largest = 0.0
    counts = torch.zeros(_BINS, dtype=torch.float64)
    for result, pair in zip(results, pairs, strict=True):
        if result.shape[-2:] != pair.after.shape[-2:]:
            return Distance(math.nan, math.nan, math.nan, math.nan)
        clipped, rows = clips(pair.after), max(1, _BAND // result.shape[-1])
        for top in range(0, result.shape[-2], rows):   # the frame would not fit the cache, nor its copies the memory
            shown, after, cover = (part[..., top:top + rows, :] for part in (result, pair.after, pair.weight))
            off = ((shown.clamp(0, 1) if clipped else shown) - after).abs()
            seen = (cover > 0) & off.isfinite()
            weight, off = (cover * seen).double(), torch.where(seen, off, 0.0).double()
            squares += float((weight * off * off).sum())
            mean += float((weight * off).sum())
            total += float(weight.sum())
            largest = max(largest, float(off.max()))
            place = (off * (_BINS - 1)).clamp(max=_BINS - 1).ceil().long().flatten()
            counts += torch.bincount(place, weight.flatten(), _BINS)
    total = max(total, 1e-300)
    most = int(torch.searchsorted(counts.cumsum(0), 0.99 * float(counts.sum()))) / (_BINS - 1)
    rms = squares / total
    psnr = math.inf if rms == 0 else -10 * math.log10(rms)
    return Distance(psnr, 255 * mean / total, 255 * min(most, largest), 255 * largest)
