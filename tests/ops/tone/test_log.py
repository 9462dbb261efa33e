"""The logarithmic curve and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom

VALUES = np.concatenate([np.linspace(-1, 3, 401), [0.0, 1.0]])


@pytest.mark.parametrize("amount", [1e-3, 1.0, 255.0, 65535.0])
def test_the_equations(amount: float) -> None:
    image = torch.from_numpy(VALUES).reshape(1, 1, 1, -1)
    log = np.sign(VALUES) * np.log(1 + amount * np.abs(VALUES)) / np.log(1 + amount)
    inverse = np.sign(VALUES) * ((1 + amount) ** np.abs(VALUES) - 1) / amount
    for given in (amount, torch.tensor(amount, dtype=torch.float64)):
        assert np.allclose(photochrom.log(image, amount=given).numpy().ravel(), log, rtol=1e-9, atol=1e-12)
        assert np.allclose(photochrom.inverse_log(image, amount=given).numpy().ravel(), inverse, rtol=1e-9, atol=1e-12)


def test_255_is_the_textbook_on_8_bit_levels() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = np.rint(255 / np.log(256) * np.log(1 + levels.astype(float))).astype(np.uint8)
    assert np.array_equal(photochrom.log(levels, amount=255.0), expected)


def test_one_undoes_the_other_far_beyond_white() -> None:
    image = torch.logspace(-6, 4, 100, dtype=torch.float64).reshape(1, 1, 10, 10)
    assert torch.allclose(photochrom.inverse_log(photochrom.log(image)), image, rtol=1e-10)


def test_no_value_is_too_large() -> None:
    image = torch.tensor([65504.0, -65504.0, 1e6]).reshape(1, 1, 1, 3).requires_grad_()
    result = photochrom.inverse_log(image, amount=65535.0)
    assert result.isfinite().all()
    result.sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()
