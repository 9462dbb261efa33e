"""Response curves that are known without measuring."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from photochrom.color.srgb import srgb_to_linear

Assumed = Literal["nothing", "srgb", "linear"]


def table(assume: Assumed, levels: int = 4096) -> Tensor:
    """Return ln of the exposure of each level, (1, levels) float64; level 0 counts as half a step."""
    values = torch.arange(levels, dtype=torch.float64).clamp(min=0.5) / (levels - 1)
    return (srgb_to_linear(values) if assume == "srgb" else values).log()[None]
