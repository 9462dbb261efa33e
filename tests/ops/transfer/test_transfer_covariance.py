"""Transfer by covariance: the result has the covariance of the reference, by the map that moves colours least."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

import photochrom
from photochrom.color.axes import rgb_to_axes
from tests.ops.test_transfer import as_tensor

AXES = ["l_alpha_beta", "lab", "oklab", "rgb"]


def cloud(image: torch.Tensor, axes: str) -> np.ndarray:
    return rgb_to_axes(image, axes)[0].flatten(1).numpy()


@pytest.mark.parametrize("axes", AXES)
def test_the_result_has_mean_and_covariance_of_the_reference(coffee: np.ndarray, rocket: np.ndarray, axes: str) -> None:
    image, reference = as_tensor(coffee), as_tensor(rocket)
    ours = cloud(photochrom.transfer_covariance(image, reference, axes=axes), axes)
    theirs = cloud(reference, axes)
    assert np.allclose(ours.mean(1), theirs.mean(1), atol=1e-8 * np.abs(theirs).max())
    assert np.allclose(np.cov(ours), np.cov(theirs), rtol=1e-3, atol=1e-6 * np.abs(np.cov(theirs)).max()), \
        "N - 1 of two sizes differs"
    assert np.allclose(np.cov(ours, bias=True), np.cov(theirs, bias=True), rtol=1e-8,
                       atol=1e-10 * np.abs(np.cov(theirs)).max())


@pytest.mark.parametrize("axes", AXES)
def test_statistics_match_in_every_space(coffee: np.ndarray, rocket: np.ndarray, axes: str) -> None:
    image, reference = as_tensor(coffee), as_tensor(rocket)
    ours = cloud(photochrom.transfer_statistics(image, reference, axes=axes), axes)
    theirs = cloud(reference, axes)
    assert np.allclose(ours.mean(1), theirs.mean(1), atol=1e-8 * np.abs(theirs).max())
    assert np.allclose(ours.std(1), theirs.std(1), rtol=1e-9)


def test_it_is_the_formula_of_the_paper(coffee: np.ndarray, rocket: np.ndarray) -> None:
    image, reference = as_tensor(coffee), as_tensor(rocket)
    a, b = cloud(image, "rgb"), cloud(reference, "rgb")
    own, wanted = np.cov(a, bias=True), np.cov(b, bias=True)
    root = np.real(sqrtm(own))
    matrix = np.linalg.inv(root) @ np.real(sqrtm(root @ wanted @ root)) @ np.linalg.inv(root)
    expected = matrix @ (a - a.mean(1, keepdims=True)) + b.mean(1, keepdims=True)
    assert np.abs(cloud(photochrom.transfer_covariance(image, reference, axes="rgb"), "rgb") - expected).max() < 1e-8


def test_a_picture_is_its_own_palette(coffee: np.ndarray) -> None:
    image = as_tensor(coffee)
    assert (photochrom.transfer_covariance(image, image) - image).abs().max() < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_directions_without_spread_are_moved_only(rocket: np.ndarray, dtype: torch.dtype) -> None:
    reference = as_tensor(rocket).to(dtype)
    ramp = torch.linspace(0.2, 0.8, 60, dtype=dtype).reshape(1, 1, 6, 10).expand(1, 3, 6, 10)
    flat = torch.full((1, 3, 6, 10), 0.4, dtype=dtype)
    for image in (ramp, flat, flat[..., :1, :1]):
        found = photochrom.transfer_covariance(image, reference, axes="rgb")
        assert found.isfinite().all()
        assert (found.mean((2, 3)) - reference.mean((2, 3))).abs().max() < 1e-5
    apart = photochrom.transfer_covariance(flat, reference, axes="rgb")
    assert (apart - apart[..., :1, :1]).abs().max() < 1e-6, "one colour stays one colour"
    grey = photochrom.transfer_covariance(ramp, reference, axes="rgb")
    line = grey - grey.mean((2, 3), keepdim=True)
    assert torch.linalg.matrix_rank(line[0].flatten(1).double(), atol=1e-4) == 1


def test_the_swatches_say_what_is_measured(coffee: np.ndarray, rocket: np.ndarray) -> None:
    image, reference = as_tensor(coffee), as_tensor(rocket)
    own, other = torch.zeros_like(image[:, :1]), torch.zeros_like(reference[:, :1])
    own[..., :40, :50], other[..., 60:, :] = 1, 1
    found = photochrom.transfer_covariance(image, reference, own, other)[..., :40, :50]
    assert np.allclose(np.cov(cloud(found, "lab"), bias=True), np.cov(cloud(reference[..., 60:, :], "lab"), bias=True))
