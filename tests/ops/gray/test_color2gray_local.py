"""Color2Gray with a window: against a dense direct solve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom
from photochrom.num.windows import window_laplacian
from tests.ops.gray.test_color2gray import colours, delta, labs, light


@pytest.mark.parametrize(("height", "width", "radius"), [(6, 9, 1), (7, 5, 2), (9, 8, 3), (1, 12, 2), (5, 5, 40)])
def test_it_is_the_dense_solution(height: int, width: int, radius: int) -> None:
    image = colours(height, width, 4)
    lab, n = labs(image), height * width
    y, x = np.divmod(np.arange(n), width)
    near = (np.abs(y[:, None] - y) <= radius) & (np.abs(x[:, None] - x) <= radius)
    equations = np.diag(near.sum(1)) - near.astype(float) + 1 / n
    expected = np.linalg.solve(equations, (delta(lab) * near).sum(1) + lab[:, 0].mean())
    found = light(photochrom.color2gray_local(image, radius=radius))
    assert np.abs(found - expected).max() < 1e-7
    wanted = delta(lab)

    def objective(grey: np.ndarray) -> float:
        return float((near * (grey[:, None] - grey - wanted) ** 2).sum())

    assert objective(found) <= objective(lab[:, 0])


def test_a_window_over_everything_is_the_whole_picture() -> None:
    image = colours(8, 11)
    apart = photochrom.color2gray_local(image, radius=30) - photochrom.color2gray(image)
    assert apart.abs().max() < 1e-10


def test_the_kernel_gives_the_numbers_of_torch() -> None:
    image = colours(70, 80, 5, torch.float32)
    found, exact = photochrom.color2gray_local(image, radius=3), photochrom.color2gray_local(image.double(), radius=3)
    assert (found - exact).abs().mean() < 1e-5
    assert (found - exact).abs().max() < 2e-3, "a pair that rounds to the other side of a decision"


def test_the_equations_of_one_window_by_hand() -> None:
    row = torch.tensor([1.0, 2, 4, 8]).reshape(1, 1, 1, 4)
    assert window_laplacian(row, 1).flatten().tolist() == [-1.0, -1.0, -2.0, 4.0]
