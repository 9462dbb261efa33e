"""The sRGB transfer function against its standard, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear


def decode(value: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, continued oddly below 0."""
    size = np.abs(value)
    return np.sign(value) * np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)


def encode(value: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, continued oddly below 0."""
    size = np.abs(value)
    return np.sign(value) * np.where(size <= 0.0031308, size * 12.92, 1.055 * size ** (1 / 2.4) - 0.055)


VALUES = np.concatenate([np.linspace(-2, 8, 4001), np.linspace(-0.05, 0.05, 2001), [0.0, 1.0, 0.04045, 0.0031308]])


def test_both_ways_follow_the_standard() -> None:
    values = torch.from_numpy(VALUES)
    assert np.abs(srgb_to_linear(values).numpy() - decode(VALUES)).max() < 1e-13
    assert np.abs(linear_to_srgb(values).numpy() - encode(VALUES)).max() < 1e-13


def test_known_values() -> None:
    # Python's colorsys has none; from the formulas of the standard with mpmath at 30 digits:
    #   mp.mpf: ((v/255 + 0.055) / 1.055) ** 2.4, v/255/12.92 up to v = 10
    for level, light in ((0, 0.0), (1, 0.000303526983548837), (10, 0.00303526983548837), (11, 0.00334653576389916),
                         (128, 0.215860500113899), (188, 0.502886458033), (255, 1.0)):
        assert srgb_to_linear(torch.tensor(level / 255, dtype=torch.float64)).item() == pytest.approx(light, abs=1e-12)


def test_against_scikit_image(coffee: np.ndarray) -> None:
    from skimage.color import rgb2xyz, xyz2rgb

    pixels = coffee.astype(np.float64) / 255
    ours = srgb_to_linear(torch.from_numpy(pixels)).numpy()
    theirs = rgb2xyz(pixels) @ np.linalg.inv(rgb2xyz(np.eye(3)[None])[0])
    assert np.abs(ours - theirs).max() < 1e-6
    assert np.abs(linear_to_srgb(torch.from_numpy(ours)).numpy() - xyz2rgb(rgb2xyz(pixels))).max() < 2e-4


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 2e-7), (torch.float32, 5e-7)])
def test_there_and_back(dtype: torch.dtype, tolerance: float) -> None:
    """The constants of the standard are rounded, so that the two ways part by 1e-7 beside the knee."""
    values = torch.from_numpy(VALUES).to(dtype)
    assert ((linear_to_srgb(srgb_to_linear(values)) - values).abs() / values.abs().clamp(min=1)).max() < tolerance
    assert ((srgb_to_linear(linear_to_srgb(values)) - values).abs() / values.abs().clamp(min=1)).max() < tolerance


def test_the_curves_are_odd_rising_and_keep_black_and_white() -> None:
    for function in (srgb_to_linear, linear_to_srgb):
        values = torch.linspace(0, 4, 100001, dtype=torch.float64)
        curve = function(values)
        assert torch.equal(function(-values), -curve)
        assert (curve.diff() > 0).all()
        assert function(torch.tensor([0.0, 1.0])).tolist() == pytest.approx([0, 1], abs=1e-7)
        assert function(torch.tensor(0.0)).item() == 0


def test_slopes_are_right_and_finite_at_black() -> None:
    for function in (srgb_to_linear, linear_to_srgb):
        values = torch.tensor([-0.5, -0.01, 0.001, 0.01, 0.2, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(function, (values,))
        black = torch.zeros(3, requires_grad=True)
        function(black).sum().backward()
        assert black.grad is not None
        assert black.grad.tolist() == pytest.approx([1 / 12.92] * 3 if function is srgb_to_linear else [12.92] * 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_shape_and_dtype_are_kept(dtype: torch.dtype) -> None:
    for shape in ((), (3,), (2, 3, 4, 5)):
        for function in (srgb_to_linear, linear_to_srgb):
            result = function(torch.full(shape, 0.5, dtype=dtype))
            assert result.shape == torch.Size(shape)
            assert result.dtype == dtype
