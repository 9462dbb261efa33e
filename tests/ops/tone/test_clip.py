"""Clipping."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError


def test_it_is_numpys() -> None:
    image = torch.randn(1, 3, 8, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = np.clip(image.numpy(), -0.5, 0.75)
    assert np.array_equal(photochrom.clip(image, low=-0.5, high=0.75).numpy(), expected)
    found = photochrom.clip(image, low=torch.tensor(-0.5), high=torch.tensor([[0.75] * 3]))
    assert np.array_equal(found.numpy(), expected)


def test_the_middle_of_a_recipe_can_be_clipped() -> None:
    steps = [photochrom.Step(photochrom.brightness, amount=0.5), photochrom.Step(photochrom.clip),
             photochrom.Step(photochrom.brightness, amount=-0.5)]
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert photochrom.run(photochrom.Recipe(steps), levels).max() == 128


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ControlError, match=r"^clip: low must not be above high, got 0\.6 and 0\.5$"):
        photochrom.clip(torch.zeros(1, 1, 1, 1), low=0.6, high=0.5)
