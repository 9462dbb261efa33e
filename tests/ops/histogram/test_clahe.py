"""CLAHE against OpenCV and against plain equalisation."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch

import photochrom


@pytest.mark.parametrize("clip_limit", [1.0, 2.0, 40.0, 0.0])
@pytest.mark.parametrize("shape", [(256, 320), (201, 307), (100, 99), (64, 67)])
def test_it_is_within_one_level_of_opencv(clip_limit: float, shape: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    camera = np.ascontiguousarray(skimage.data.camera()[:shape[0], 100:100 + shape[1]])
    for tiles in ((8, 8), (3, 5)):
        expected = cv2.createCLAHE(clip_limit, tiles[::-1]).apply(camera).astype(int)
        found = photochrom.clahe(camera, clip_limit=clip_limit, tiles=tiles).astype(int)
        assert np.abs(found - expected).max() <= 1
        assert np.mean(found != expected) < 0.25   # OpenCV rounds the curves before it blends them


def test_sixteen_bits_are_within_one_level_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    camera = skimage.data.camera()[:300, :400].astype(np.uint16) * 257
    expected = cv2.createCLAHE(40.0, (4, 4)).apply(camera).astype(int)
    assert np.abs(photochrom.clahe(camera, clip_limit=40, tiles=(4, 4), bins=65536).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(37, 53), (37, 53, 3)])
def test_samples_and_floats_agree(dtype: type, shape: tuple[int, ...]) -> None:
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(2).integers(0, top, shape).astype(dtype)
    planes = pixels.reshape(37, 53, -1)
    image = torch.from_numpy(planes / float(top)).movedim(-1, 0)[None]
    expected = photochrom.clahe(image, tiles=(3, 4), acts_on="bands")[0].movedim(0, -1).numpy() * top
    found = photochrom.clahe(pixels, tiles=(3, 4), acts_on="bands").reshape(planes.shape)
    assert np.abs(found - expected).max() < 0.51 + 1e-4 * (top > 255) * top / 100


def test_one_tile_without_a_limit_is_the_distribution_function() -> None:
    camera = skimage.data.camera()[::4, ::4] / 255.0
    result = photochrom.clahe(torch.from_numpy(camera)[None, None], clip_limit=0, tiles=(1, 1))[0, 0].numpy()
    expected = np.searchsorted(np.sort(camera.ravel()), camera, side="right") / camera.size
    assert np.abs(result - expected).max() < 1e-12


def test_the_limit_bounds_the_slope() -> None:
    image = torch.rand(1, 1, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.4
    for limit in (1.0, 2.0, 5.0):
        wide = photochrom.clahe(image, clip_limit=limit, tiles=(1, 1))
        # The part cut off is shared out, which adds at most 1 to the slope.
        assert (wide.max() - wide.min()) / (image.max() - image.min()) <= limit + 1.1
    assert photochrom.clahe(image, clip_limit=5, tiles=(1, 1)).std() > 3 * image.std()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (20, 3)])
def test_one_tone_comes_back(size: tuple[int, int]) -> None:
    pixels = np.full(size, 93, np.uint8)
    assert np.array_equal(photochrom.clahe(pixels), pixels)
    image = torch.full((1, 3, *size), 0.4)
    assert torch.allclose(photochrom.clahe(image), image, atol=1e-6)


def test_colour_differences_stay_and_alpha_too(coffee: np.ndarray) -> None:
    image = torch.from_numpy(coffee / 255.0).movedim(-1, 0)[None]
    moved = photochrom.clahe(image) - image
    assert (moved - moved[:, :1]).abs().max() < 1e-12
    alpha = np.random.default_rng(0).integers(0, 256, coffee.shape[:2]).astype(np.uint8)
    assert np.array_equal(photochrom.clahe(np.dstack([coffee, alpha]))[..., 3], alpha)
