"""Counts against NumPy, and the soft form against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError
from photochrom.num.histograms import soft_histogram


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bins", [1, 7, 64, 255, 256, 1000])
def test_samples_are_counted_exactly(dtype: type, bins: int) -> None:
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, top + 1, (41, 67, 3)).astype(dtype)
    found = photochrom.histogram(pixels, bins=bins)
    wide = pixels.astype(np.int64)
    for band in range(3):
        place = np.minimum(wide[..., band] * bins // top, bins - 1)
        assert np.array_equal(found.bands[0, band].numpy(), np.bincount(place.ravel(), minlength=bins))
    grey = 299 * wide[..., 0] + 587 * wide[..., 1] + 114 * wide[..., 2]
    place = np.minimum(grey * bins // (1000 * top), bins - 1)
    assert np.array_equal(found.luminance[0].numpy(), np.bincount(place.ravel(), minlength=bins))
    image = torch.from_numpy(pixels.astype(np.float32) / np.float32(top)).movedim(-1, 0)[None]
    same = photochrom.histogram(image, bins=bins)
    if dtype is np.uint8 or bins <= 256:   # finer than that float32 does not tell neighbours of 16 bits from an edge
        assert torch.equal(same.bands, found.bands)
    assert (same.luminance - found.luminance).abs().sum() <= (0 if dtype is np.uint8 else 8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_odd_sizes_cuts_and_read_only_arrays_are_counted(dtype: type) -> None:
    whole = np.random.default_rng(1).integers(0, 200, (101, 103)).astype(dtype)
    for part in (whole, whole[3:, 5:], whole[:1, :1], whole[::2, ::3], whole.T):
        part.setflags(write=False)
        levels = np.iinfo(dtype).max + 1
        found = photochrom.histogram(part, bins=levels).bands[0, 0].numpy()
        assert np.array_equal(found, np.bincount(part.ravel(), minlength=levels))


def test_weights_range_and_batch() -> None:
    image = torch.tensor([[0.1, 0.2, 0.6, -1.0], [0.9, 1.5, 1.0, 0.3]]).reshape(2, 1, 2, 2)
    weights = torch.tensor([1.0, 0.5, 2.0, 1.0]).reshape(1, 1, 2, 2)
    found = photochrom.histogram(image, weights, bins=2)
    assert found.bands.flatten(1).tolist() == [[1.5, 2.0], [1.0, 3.0]]
    assert found.below[:, 0].tolist() == [1.0, 0.0]
    assert found.above[:, 0].tolist() == [0.0, 0.5]
    wide = photochrom.histogram(image, low=-2, high=2, bins=4)
    assert wide.bands.flatten(1).tolist() == [[0, 1, 3, 0], [0, 0, 2, 2]]
    assert wide.edges.tolist() == [-2, -1, 0, 1, 2]


def test_the_soft_form_is_triangular_and_has_its_slope() -> None:
    image = torch.rand(1, 2, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    centres = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    inner = image.clamp(centres[0], centres[-1])
    expected = (1 - (inner[..., None] - centres).abs() * 8).clamp(min=0).sum((2, 3))
    assert torch.allclose(soft_histogram(image, 8), expected)
    assert torch.allclose(photochrom.histogram(image, bins=8, counts="soft").bands, expected)
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: photochrom.histogram(x, bins=8, counts="soft").bands, image)
    assert soft_histogram(image, 1).flatten().tolist() == [30, 30]


def test_one_colour_and_not_a_number_count() -> None:
    assert photochrom.histogram(np.full((1, 1), 7, np.uint8)).bands[0, 0, 7] == 1
    assert photochrom.histogram(torch.full((1, 1, 2, 2), torch.nan)).bands[0, 0, 0] == 4


def test_a_range_that_is_none_and_a_wrong_mask_are_refused() -> None:
    with pytest.raises(ControlError, match="high must be above low, got 0 and"):
        photochrom.histogram(torch.zeros(1, 1, 2, 2), low=0.5, high=0)
    with pytest.raises(ControlError, match="image_mask must have the size"):
        photochrom.histogram(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 3, 2))
