"""The l-alpha-beta space against the paper's own matrices, written out again in float64 NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from photochrom.color.l_alpha_beta import l_alpha_beta_to_rgb, rgb_to_l_alpha_beta

# Reinhard, Ashikhmin, Gooch, Shirley 2001: eq. 4 (RGB to LMS) and eq. 6 (a diagonal times a matrix of ones).
RGB_TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
DIAGONAL = np.diag([1 / np.sqrt(3), 1 / np.sqrt(6), 1 / np.sqrt(2)])
ONES = np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
# Eq. 9: the paper's rounded inverse of eq. 4.
LMS_TO_RGB = np.array([[4.4679, -3.5873, 0.1193], [-1.2186, 2.3809, -0.1624], [0.0497, -0.2439, 1.2045]])


def paper(pixels: np.ndarray) -> np.ndarray:
    """(N, 3) RGB to l-alpha-beta."""
    return np.log10(pixels @ RGB_TO_LMS.T) @ (DIAGONAL @ ONES).T


def as_picture(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.T.copy())[None, :, None, :]


def as_pixels(image: torch.Tensor) -> np.ndarray:
    return image[0, :, 0].T.numpy()


def test_it_is_the_papers(rocket: np.ndarray) -> None:
    pixels = rocket.reshape(-1, 3) / 255.0
    bright = pixels[(pixels @ RGB_TO_LMS.T).min(1) > 1 / 255]
    assert len(bright) > 5000
    assert np.abs(as_pixels(rgb_to_l_alpha_beta(as_picture(bright))) - paper(bright)).max() < 1e-12


def test_the_way_back_is_the_papers(rocket: np.ndarray) -> None:
    """Eq. 8 and 9. The paper's two matrices are not quite inverse to each other: eq. 9 turns white into 1.0103 blue."""
    values = paper(np.clip(rocket.reshape(-1, 3) / 255.0, 0.05, 1))
    theirs = 10 ** (values @ (ONES.T @ DIAGONAL).T) @ LMS_TO_RGB.T
    assert np.abs(as_pixels(l_alpha_beta_to_rgb(as_picture(values))) - theirs).max() < 0.011


@pytest.mark.parametrize(("dtype", "low", "high", "tolerance"), [
    (torch.float64, -0.5, 1.5, 1e-12), (torch.float32, 0, 1, 4e-6), (torch.float32, -0.5, 1.5, 1e-4)])
def test_there_and_back(dtype: torch.dtype, low: float, high: float, tolerance: float) -> None:
    """Far below black the tangent makes large logarithms, which costs float32 digits."""
    values = np.random.default_rng(0).uniform(low, high, (5000, 3))
    values[:4] = [[0, 0, 0], [1, 1, 1], [1 / 255, 1 / 255, 1 / 255], [1, 0, 0]]
    image = as_picture(values).to(dtype)
    assert (l_alpha_beta_to_rgb(rgb_to_l_alpha_beta(image)) - image).abs().max() < tolerance


def test_the_curve_has_no_step_or_kink_where_the_tangent_begins() -> None:
    grey = torch.linspace(0, 0.02, 20001, dtype=torch.float64).expand(1, 3, 1, -1)
    lightness = rgb_to_l_alpha_beta(grey)[0, 0, 0]
    slope = lightness.diff()
    assert (slope > 0).all()
    assert slope.diff().abs().max() < slope.max() * 1e-3


def test_slopes_are_right_and_finite_at_black() -> None:
    image = torch.rand(1, 3, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.1
    assert torch.autograd.gradcheck(rgb_to_l_alpha_beta, (image.requires_grad_(),))
    assert torch.autograd.gradcheck(l_alpha_beta_to_rgb, (rgb_to_l_alpha_beta(image).detach().requires_grad_(),))
    black = torch.zeros(1, 3, 1, 2, requires_grad=True)
    rgb_to_l_alpha_beta(black).sum().backward()
    assert black.grad is not None
    assert black.grad.isfinite().all()


def test_a_grey_pixel_has_almost_no_colour() -> None:
    values = rgb_to_l_alpha_beta(torch.full((1, 3, 1, 1), 0.5, dtype=torch.float64))
    assert values[0, 1:].abs().max() < 0.01
    assert values[0, 0].item() == pytest.approx(np.sqrt(3) * np.log10(0.5), abs=0.01)
