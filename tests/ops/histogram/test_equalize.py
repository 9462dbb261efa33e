"""Equalisation against the formula, OpenCV and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch

import photochrom


def formula(pixels: np.ndarray) -> np.ndarray:
    """s(i) = (N(i) - N(first)) / (N - N(first)), level by level."""
    up_to = np.array([(pixels <= level).sum() for level in range(256)])
    first = (pixels == pixels.min()).sum()
    return (up_to[pixels] - first) / (pixels.size - first)


def test_it_is_the_formula() -> None:
    camera = skimage.data.camera()[::3, ::3]
    expected = formula(camera)
    image = torch.from_numpy(camera / 255.0)[None, None]
    assert np.abs(photochrom.equalize(image)[0, 0].numpy() - expected).max() < 1e-12
    assert np.abs(photochrom.equalize(image.float())[0, 0].numpy() - expected).max() < 1e-6
    assert np.abs(photochrom.equalize(image, bins=65536)[0, 0].numpy() - expected).max() < 1e-9
    assert np.abs(photochrom.equalize(camera) / 255 - expected).max() <= 0.5001 / 255


def test_it_is_opencv_bit_for_bit() -> None:
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(0)
    for _ in range(200):
        shape, middle, spread = random.integers(1, 50, 2), random.uniform(0, 255), random.uniform(1, 90)
        pixels = random.normal(middle, spread, shape).clip(0, 255).astype(np.uint8)
        expected = cv2.equalizeHist(pixels)
        assert np.array_equal(photochrom.equalize(pixels), expected)
        assert np.array_equal(photochrom.run(photochrom.Step(photochrom.equalize), pixels), expected)


def test_bands_apart_are_each_equalised(coffee: np.ndarray) -> None:
    whole = photochrom.equalize(coffee, acts_on="bands")
    for band in range(3):
        assert np.array_equal(whole[..., band], photochrom.equalize(np.ascontiguousarray(coffee[..., band])))


def test_luminance_moves_and_colour_differences_stay(coffee: np.ndarray) -> None:
    image = torch.from_numpy(coffee / 255.0).movedim(-1, 0)[None]
    result = photochrom.equalize(image)
    moved = result - image
    assert (moved - moved[:, :1]).abs().max() < 1e-12
    grey = (0.299 * result[:, 0] + 0.587 * result[:, 1] + 0.114 * result[:, 2]).flatten()
    # An even spread: the share below each tone is the tone, within what one level holds.
    for tone in (0.25, 0.5, 0.75):
        assert abs((grey <= tone).double().mean().item() - tone) < 0.02


def test_sixteen_bits_keep_their_gradation() -> None:
    ramp = np.linspace(20000, 40000, 4096).astype(np.uint16).reshape(64, 64)
    for bins in (256, 65536):
        result = photochrom.equalize(ramp, bins=bins)
        assert len(np.unique(result)) > 4000
        assert (np.diff(result.ravel().astype(int)) >= 0).all()
        assert abs(int(result.max()) - 65535) < 300


def test_only_what_the_mask_shows_is_measured() -> None:
    left, right = torch.rand(1, 1, 8, 8), 3 * torch.rand(1, 1, 8, 8)
    mask = torch.cat([torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)], 3)
    result = photochrom.equalize(torch.cat([left, right], 3), mask)
    assert torch.equal(result[..., :8], photochrom.equalize(left))


@pytest.mark.parametrize("bands", [1, 3])
def test_one_tone_comes_back(bands: int) -> None:
    for size in ((1, 1), (9, 7)):
        for level in (0, 93, 255):
            pixels = np.full((*size, bands), level, np.uint8)
            for acts_on in ("luminance", "bands"):
                assert np.array_equal(photochrom.equalize(pixels, acts_on=acts_on), pixels)
        image = torch.full((1, bands, *size), 0.377, requires_grad=True)
        result = photochrom.equalize(image)
        assert torch.allclose(result, image, atol=1e-6)
        result.sum().backward()
        assert image.grad is not None
        assert image.grad.isfinite().all()


def test_what_lies_outside_keeps_its_distance() -> None:
    image = torch.tensor([-0.5, 0.0, 0.4, 1.0, 7.0]).reshape(1, 1, 1, 5)
    result = photochrom.equalize(image).flatten()
    assert torch.allclose(result[1] - result[0], torch.tensor(0.5))
    assert torch.allclose(result[4] - result[3], torch.tensor(6.0))
