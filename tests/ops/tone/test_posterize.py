"""Few levels, plain and dithered."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch

import photochrom
from photochrom.num.steps import _diffused, diffused, ordered


@pytest.mark.parametrize("levels", [2, 3, 16, 256])
def test_the_nearest_of_k_levels(levels: int) -> None:
    samples = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = photochrom.posterize(samples, levels=levels)
    wanted = np.floor(samples / 255 * (levels - 1) + 0.5) / (levels - 1) * 255
    assert np.array_equal(found, np.rint(wanted).astype(np.uint8))
    assert len(np.unique(found)) == levels
    assert np.array_equal(photochrom.run(photochrom.Step(photochrom.posterize, levels=levels), samples), found)


def test_sixteen_levels_are_four_bits() -> None:
    found = photochrom.posterize(skimage.data.camera(), levels=16)
    assert np.array_equal(found % 17, np.zeros_like(found))
    assert np.array_equal(found // 17, np.rint(skimage.data.camera() / 17).astype(np.uint8))


def by_hand(plane: np.ndarray, levels: int) -> np.ndarray:
    """Floyd and Steinberg's own words, pixel by pixel."""
    work, out = plane.astype(np.float64) * (levels - 1), np.zeros_like(plane, np.float64)
    height, width = plane.shape
    for y in range(height):
        for x in range(width):
            out[y, x] = np.floor(work[y, x] + 0.5)
            error = work[y, x] - out[y, x]
            for dy, dx, part in ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    work[y + dy, x + dx] += error * part / 16
    return out / (levels - 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (13, 17), (30, 7)])
@pytest.mark.parametrize("levels", [2, 5])
def test_error_diffusion(size: tuple[int, int], levels: int) -> None:
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = diffused(image, levels)
    for plane, made in zip(image.flatten(0, 1), found.flatten(0, 1), strict=True):
        assert np.array_equal(made.numpy(), by_hand(plane.numpy(), levels))
    single = image.float()
    assert torch.equal(diffused(single, levels), _diffused(single, levels))


def test_dithers_keep_the_mean_of_an_area() -> None:
    ramp = torch.linspace(0, 1, 256).expand(1, 1, 64, 256)
    for dither in ("ordered", "error_diffusion"):
        made = photochrom.posterize(ramp, levels=2, dither=dither)
        assert set(made.unique().tolist()) == {0.0, 1.0}
        apart = made.unfold(3, 32, 32).mean((2, 4)) - ramp.unfold(3, 32, 32).mean((2, 4))
        assert apart.abs().max() < 0.02


def test_bayers_pattern() -> None:
    pattern = ordered(8, 8, torch.zeros(1, dtype=torch.float64))
    assert sorted((pattern * 64).flatten().tolist()) == [k + 0.5 for k in range(64)]
    assert (pattern[:2, :2] * 4).floor().tolist() == [[0, 2], [3, 1]]


def test_the_gradient_passes_straight_through() -> None:
    for dither in ("none", "ordered", "error_diffusion"):
        image = torch.rand(1, 3, 5, 6, requires_grad=True)
        weights = torch.rand(1, 3, 5, 6)
        (photochrom.posterize(image, dither=dither) * weights).sum().backward()
        assert torch.equal(image.grad, weights)


def test_values_beyond_are_kept_on_the_same_grid() -> None:
    image = torch.tensor([-0.6, 1.6, 7.2]).reshape(1, 1, 1, 3)
    assert photochrom.posterize(image, levels=3).flatten().tolist() == [-0.5, 1.5, 7.0]
