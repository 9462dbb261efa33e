"""Thresholds: fixed, and Otsu's beside scikit-image's and OpenCV's."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from skimage.filters import threshold_otsu

import photochrom


def pictures() -> list[np.ndarray]:
    return [skimage.data.camera()[::3, ::3].copy(), skimage.data.coins()[::2, ::2].copy(),
            skimage.data.page().copy(), np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)]


def test_the_fixed_step() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(photochrom.threshold(levels, threshold=100.5 / 255), np.where(levels > 100, 255, 0))
    image = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    soft = photochrom.threshold(image, threshold=0.4, softness=0.1)
    assert torch.allclose(soft, 1 / (1 + torch.exp((0.4 - image) / 0.1)))


def test_a_soft_threshold_can_be_learnt() -> None:
    limit = torch.tensor(0.4, requires_grad=True)
    photochrom.threshold(torch.rand(1, 1, 8, 8), threshold=limit, softness=0.1).sum().backward()
    assert limit.grad is not None
    assert limit.grad.item() < 0


@pytest.mark.parametrize("number", range(4))
def test_otsu_is_scikit_images(number: int) -> None:
    picture = pictures()[number]
    expected = np.where(picture > threshold_otsu(picture), 255, 0)
    assert np.array_equal(photochrom.threshold_otsu(picture), expected)
    step = photochrom.Step(photochrom.threshold_otsu)
    assert np.array_equal(photochrom.run(step, picture, memory=200_000), expected)


@pytest.mark.parametrize("number", range(4))
def test_otsu_is_opencvs(number: int) -> None:
    cv2 = pytest.importorskip("cv2")
    picture = pictures()[number]
    _, expected = cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    assert np.array_equal(photochrom.threshold_otsu(picture), expected)


def test_otsu_takes_each_channel_apart_and_weights() -> None:
    rng = np.random.default_rng(1)
    picture = np.stack([rng.integers(0, 100, (30, 30)), rng.integers(100, 256, (30, 30)),
                        rng.integers(50, 90, (30, 30))], -1).astype(np.uint8)
    found = photochrom.threshold_otsu(picture)
    for channel in range(3):
        assert np.array_equal(found[..., channel], photochrom.threshold_otsu(picture[..., channel]))
    grey = pictures()[0]
    mask = np.zeros(grey.shape, np.uint8)
    mask[:60] = 255
    expected = np.where(grey > threshold_otsu(grey[:60]), 255, 0)
    assert np.array_equal(photochrom.threshold_otsu(grey, mask), expected)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_one_level_becomes_black(level: int) -> None:
    assert photochrom.threshold_otsu(np.full((5, 6), level, np.uint8)).max() == 0
    assert photochrom.threshold_otsu(np.full((1, 1, 3), level, np.uint8)).max() == 0
