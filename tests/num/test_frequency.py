"""Transforms by their definition, and filters by what they must leave."""

import numpy as np
import pytest
import torch

from photochrom.num.convolve import convolve
from photochrom.num.frequency import filtered, grid, low, period, spectrum, transfer, wiener


def plane(height: int = 7, width: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).standard_normal((height, width)))


@pytest.mark.parametrize("size", [(7, 6), (4, 9), (1, 5)])
def test_the_spectrum_is_that_of_the_direct_sum(size: tuple[int, int]) -> None:
    values = plane(*size).numpy()
    (height, width), (y, x) = size, np.mgrid[:size[0], :size[1]]
    power = np.zeros(size)
    for v in range(height):
        for u in range(width):
            total = (values * np.exp(-2j * np.pi * (v * y / height + u * x / width))).sum()
            power[(v + height // 2) % height, (u + width // 2) % width] = abs(total) ** 2 / (height * width)
    np.testing.assert_allclose(spectrum(plane(*size)).numpy(), power, atol=1e-12)


def test_parseval() -> None:
    values = plane(33, 20)
    torch.testing.assert_close(spectrum(values).sum(), (values**2).sum())


def test_the_convolution_theorem() -> None:
    image, kernel = plane(12, 10)[None, None], plane(3, 4, 1)
    response = transfer(kernel, (12, 10), (1, 2))
    torch.testing.assert_close(filtered(image, lambda fy, fx: response, "circular"),
                               convolve(image, kernel, "circular", method="direct"))
    # in the mirror world too: a symmetric kernel keeps it symmetric
    kernel = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 3, 1])).double()
    response = transfer(kernel, (period(12, "reflect"), period(10, "reflect")), (1, 1))
    torch.testing.assert_close(filtered(image, lambda fy, fx: response), convolve(image, kernel, method="direct"))


def test_responses_at_the_cut_off() -> None:
    at = torch.tensor([0.0, 0.1, 0.2, 0.4], dtype=torch.float64)
    assert low(at, 0.2, "ideal", 1).tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose(low(at, 0.2, "gaussian", 1), np.exp(-0.5 * np.array([0, 0.25, 1, 4])), rtol=1e-12)
    np.testing.assert_allclose(low(at, 0.2, "butterworth", 2), 1 / (1 + np.array([0, 0.5, 1, 2]) ** 4), rtol=1e-12)
    assert low(at, 0.0, "gaussian", 1).tolist() == [1, 0, 0, 0]


def test_the_grid_is_in_cycles_per_pixel() -> None:
    down, across = grid((4, 6))
    assert down.flatten().tolist() == [0, 0.25, -0.5, -0.25]
    np.testing.assert_allclose(across.flatten(), [0, 1 / 6, 1 / 3, 0.5])


def test_wiener_is_the_inverse_without_noise_and_nothing_where_nothing_is() -> None:
    made = wiener(torch.tensor([2.0 + 1j, 0.0]), 0.0)
    torch.testing.assert_close(made, torch.tensor([1 / (2 + 1j), 0.0]))


@pytest.mark.parametrize("border", ["reflect", "circular"])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 2)])
def test_small_pictures_and_gradients(border: str, size: tuple[int, int]) -> None:
    image = plane(*size)[None, None].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: filtered(x, lambda fy, fx: torch.exp(-fy**2 - fx**2), border), image)
    kept = filtered(image, lambda fy, fx: torch.ones_like(fy * fx), border)
    torch.testing.assert_close(kept, image)
