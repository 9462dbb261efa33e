"""The S-curve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom


def by_hand(r: np.ndarray, a: float, m: float) -> np.ndarray:
    def s(v: np.ndarray | float) -> np.ndarray:
        return 1 / (1 + np.exp(-a * (np.asarray(v) - m)))

    return (s(r) - s(0)) / (s(1) - s(0))


@pytest.mark.parametrize("amount", [0.01, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("centre", [0.0, 0.3, 0.5, 1.0])
def test_the_equation_and_its_inverse(amount: float, centre: float) -> None:
    r = np.linspace(0, 1, 301)
    image = torch.from_numpy(r).reshape(1, 1, 1, -1)
    found = photochrom.sigmoid_contrast(image, amount=amount, centre=centre)
    assert np.abs(found.numpy().ravel() - by_hand(r, amount, centre)).max() < 1e-11
    wide = torch.linspace(-2, 3, 101, dtype=torch.float64).reshape(1, 1, 1, -1)
    there = photochrom.sigmoid_contrast(wide, amount=amount, centre=centre)
    assert (photochrom.sigmoid_contrast(there, amount=-amount, centre=centre) - wide).abs().max() < 1e-9
    assert (there.diff() > 0).all()


def test_black_and_white_stay_in_single_precision() -> None:
    ends = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)
    for amount in (-12.0, -3.0, 3.0, 12.0):
        for centre in (0.0, 0.5, 1.0):
            found = photochrom.sigmoid_contrast(ends, amount=amount, centre=centre)
            assert (found - ends).abs().max() < 2e-6


def test_outside_it_goes_on_with_the_slope_of_the_end() -> None:
    for amount in (-5.0, 5.0):
        for end in (0.0, 1.0):
            x = torch.tensor([end - 1e-4, end, end + 1e-4], dtype=torch.float64).reshape(1, 1, 1, 3)
            y = photochrom.sigmoid_contrast(x, amount=amount, centre=0.4).flatten()
            assert ((y[1] - y[0]) / (y[2] - y[1])).item() == pytest.approx(1, abs=2e-3)


def test_no_amount_has_a_slope() -> None:
    amount = torch.tensor([0.0, 2.0], requires_grad=True)
    photochrom.sigmoid_contrast(torch.rand(2, 3, 4, 5), amount=amount).sum().backward()
    assert amount.grad is not None
    assert amount.grad.isfinite().all()
