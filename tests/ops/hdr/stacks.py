"""Exposure stacks for tests: made ones, and those of the shared data where they are."""

from pathlib import Path

import pytest
import torch

HDR = Path(__file__).parents[4] / "shared" / "data" / "hdr"
TIMES = torch.tensor([1 / 16, 1 / 4, 1.0, 4.0])


def shared(name):
    """The folder of a stack, or skip."""
    if not (HDR / name).is_dir():
        pytest.skip(f"needs ../shared/data/hdr/{name}")
    return HDR / name


def scene(height=60, width=80, seed=3):
    """Radiance over about ten stops, smooth, (1, 3, H, W) float64."""
    noise = torch.rand(1, 3, height // 10, width // 10, generator=torch.Generator().manual_seed(seed),
                       dtype=torch.float64)
    return torch.exp2(10 * torch.nn.functional.interpolate(noise, (height, width), mode="bilinear") - 7)


def shots(radiance, times=TIMES, gamma=1 / 2.2):
    """8-bit pictures by a camera of a known curve."""
    return [((radiance * t).clamp(0, 1) ** gamma * 255).round() / 255 for t in times]
