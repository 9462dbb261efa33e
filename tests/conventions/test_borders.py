"""What the names of borders mean, against numpy.pad and sums written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.types import Border
from photochrom.num import borders

PAD = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}


def by_padding(plane: np.ndarray, kernel: np.ndarray, border: str) -> np.ndarray:
    radius = len(kernel) // 2
    padded = np.pad(plane, radius, mode=PAD[border])
    height, width = plane.shape
    return sum(kernel[i] * kernel[j] * padded[i:i + height, j:j + width]
               for i in range(len(kernel)) for j in range(len(kernel)))


@pytest.mark.parametrize("border", PAD)
def test_borders_are_those_of_numpy(border: str) -> None:
    plane = np.random.default_rng(0).random((9, 12))
    image = torch.from_numpy(plane)[None, None]
    for radius in (1, 3):
        kernel = np.full(2 * radius + 1, 1 / (2 * radius + 1))
        assert np.abs(photochrom.box(image, radius=radius, border=border)[0, 0].numpy()
                      - by_padding(plane, kernel, border)).max() < 1e-14
    kernel = np.exp(-0.5 * np.arange(-4, 5) ** 2 / 1.0)
    assert np.abs(photochrom.gaussian(image, sigma=1.0, border=border)[0, 0].numpy()
                  - by_padding(plane, kernel / kernel.sum(), border)).max() < 1e-14


def test_normalize_counts_only_what_is_inside() -> None:
    plane = np.arange(12.0).reshape(3, 4)
    result = photochrom.box(torch.from_numpy(plane)[None, None], radius=1, border="normalize")[0, 0].numpy()
    assert result[0, 0] == pytest.approx(plane[:2, :2].mean(), abs=1e-14), "four pixels in a corner"
    assert result[0, 1] == pytest.approx(plane[:2, :3].mean(), abs=1e-14), "six on an edge"
    assert result[1, 1] == pytest.approx(plane[:3, :3].mean(), abs=1e-14), "nine inside"


def test_reflect_does_not_repeat_the_edge_pixel() -> None:
    row = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 1, 1, 3)
    assert photochrom.box(row, radius=1)[0, 0, 0, 0].item() == pytest.approx((2 + 1 + 2) / 3)
    assert photochrom.box(row, radius=1, border="replicate")[0, 0, 0, 0].item() == pytest.approx((1 + 1 + 2) / 3)
    assert photochrom.box(row, radius=1, border="circular")[0, 0, 0, 0].item() == pytest.approx((4 + 1 + 2) / 3)


def test_constant_is_black_outside() -> None:
    white = torch.ones(1, 1, 3, 3)
    assert photochrom.box(white, radius=1, border="constant")[0, 0, 0, 0].item() == pytest.approx(4 / 9)


def test_the_names_are_the_same_everywhere_and_reflect_is_the_default() -> None:
    names = ("reflect", "replicate", "circular", "constant", "normalize")
    assert Border.__args__ == names == borders.BORDERS
    for operation in photochrom.operations():
        control = operation.controls.get("border")
        if control is not None:
            # single places are sampled, there is no kernel to weight anew
            assert control.choices in (names, names[:-1])
            assert control.default == "reflect"
