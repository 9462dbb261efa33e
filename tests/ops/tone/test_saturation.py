"""Saturation."""

from __future__ import annotations

import torch

import photochrom
from photochrom.color.srgb import srgb_to_linear

WEIGHTS = torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64).reshape(1, 3, 1, 1)


def test_luminance_stays_and_colour_is_scaled() -> None:
    image = torch.rand(1, 3, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 1.5 - 0.2
    for space, light in (("encoded", lambda v: v), ("linear", srgb_to_linear)):
        before = light(image)
        grey = (before * WEIGHTS).sum(1, keepdim=True)
        for amount in (0.0, 0.4, 2.5):
            after = light(photochrom.saturation(image, amount=amount, space=space))
            assert torch.allclose(after, grey + amount * (before - grey), atol=1e-6)


def test_grey_stays_grey() -> None:
    grey = torch.linspace(-1, 2, 30, dtype=torch.float64).reshape(1, 1, 5, 6).expand(-1, 3, -1, -1)
    assert torch.allclose(photochrom.saturation(grey, amount=3.0), grey, atol=1e-12)
