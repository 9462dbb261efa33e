"""Matching against scikit-image, closed forms, and the distance of colour clouds."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.exposure
import torch

import photochrom
from photochrom.core.errors import ControlError


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels / 255.0).movedim(-1, 0)[None]


def test_bands_are_those_of_scikit_image(coffee: np.ndarray, rocket: np.ndarray) -> None:
    found = photochrom.match_histogram(as_tensor(coffee), as_tensor(rocket))[0].numpy() * 255
    for band in range(3):   # as floats: of integers scikit-image cuts off the fraction
        expected = skimage.exposure.match_histograms(coffee[..., band].astype(float), rocket[..., band].astype(float))
        assert np.abs(found[band] - expected).max() < 1e-9
    eight = photochrom.match_histogram(coffee, rocket)
    assert np.abs(eight - np.moveaxis(found, 0, -1)).max() < 0.501
    sixteen = photochrom.match_histogram(coffee.astype(np.uint16) * 257, rocket.astype(np.uint16) * 257, bins=65536)
    assert np.abs(sixteen / 257 - np.moveaxis(found, 0, -1)).max() < 0.01


def test_curves_rise(coffee: np.ndarray, rocket: np.ndarray) -> None:
    result = photochrom.match_histogram(as_tensor(coffee), as_tensor(rocket))
    for before, after in zip(as_tensor(coffee)[0], result[0], strict=True):
        order = before.flatten().argsort()
        assert (after.flatten()[order].diff() >= -1e-12).all()


def test_a_gaussian_goes_to_a_gaussian() -> None:
    generator = torch.Generator().manual_seed(0)
    image = 0.4 + 0.05 * torch.randn(1, 1, 300, 300, dtype=torch.float64, generator=generator)
    wanted = 0.6 + 0.1 * torch.randn(1, 1, 310, 290, dtype=torch.float64, generator=generator)
    result = photochrom.match_histogram(image, wanted, bins=1024)
    inner = (image - 0.4).abs() < 0.1
    assert (result - (0.6 + 2 * (image - 0.4)))[inner].abs().max() < 0.01


def sliced_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of the quantiles along 40 random axes, in levels of 8 bits."""
    random, places = np.random.default_rng(5), np.linspace(0, 1, 1000)
    apart = []
    for _ in range(40):
        axis = random.normal(size=3)
        axis /= np.linalg.norm(axis)
        ends = (np.quantile(picture.reshape(-1, 3) @ axis, places) for picture in (one, other))
        apart.append(np.abs(next(ends) - next(ends)).mean())
    return float(np.mean(apart))


def test_together_brings_the_clouds_nearer_than_apart(coffee: np.ndarray, rocket: np.ndarray) -> None:
    apart = photochrom.match_histogram(coffee, rocket)
    together = photochrom.match_histogram(coffee, rocket, bands="together")
    before, after = sliced_distance(coffee, rocket), sliced_distance(together, rocket)
    assert after < 0.9 * sliced_distance(apart, rocket)
    assert after < 0.05 * before


def test_a_picture_is_its_own_reference(coffee: np.ndarray) -> None:
    assert np.array_equal(photochrom.match_histogram(coffee, coffee), coffee)
    apart = photochrom.match_histogram(coffee, coffee, bands="together").astype(int) - coffee
    assert np.abs(apart).max() <= 4
    assert np.abs(apart).mean() < 0.5


def test_masks_choose_what_is_matched() -> None:
    image, reference = torch.rand(1, 3, 8, 16), torch.rand(1, 3, 8, 16)
    half = torch.zeros(1, 1, 8, 16)
    half[..., :8] = 1
    for bands in ("apart", "together"):
        expected = photochrom.match_histogram(image[..., :8], reference[..., :8], bands=bands)
        found = photochrom.match_histogram(image, reference, half, half, bands=bands)
        assert torch.allclose(found[..., :8], expected, atol=1e-6)


@pytest.mark.parametrize("bands", ["apart", "together"])
def test_one_tone_goes_to_the_median(bands: str) -> None:
    reference = torch.linspace(0, 1, 401).reshape(1, 1, 1, 401)
    for size in ((1, 1), (5, 4)):
        result = photochrom.match_histogram(torch.full((1, 1, *size), 0.9), reference, bands=bands)
        assert (result - 0.5).abs().max() < 0.01
    one = photochrom.match_histogram(torch.rand(1, 3, 5, 6), torch.full((1, 3, 1, 1), 0.25), bands=bands)
    assert (one - 0.25).abs().max() < (1e-6 if bands == "apart" else 0.1)


def test_nothing_to_measure_changes_nothing() -> None:
    image, none = torch.rand(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    for bands in ("apart", "together"):
        assert torch.allclose(photochrom.match_histogram(image, image, none, bands=bands), image, atol=1e-6)


def test_other_channels_are_refused() -> None:
    for bands in ("apart", "together"):
        with pytest.raises(ControlError, match="channels of the image"):
            photochrom.match_histogram(torch.rand(1, 3, 4, 4), torch.rand(1, 2, 4, 4), bands=bands)
