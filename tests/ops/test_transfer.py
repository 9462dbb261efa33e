"""Colour transfer by statistics against the paper, written again in NumPy, on two photographs."""

from __future__ import annotations

import numpy as np
import torch

import photochrom
from photochrom.color.l_alpha_beta import rgb_to_l_alpha_beta
from tests.color.test_l_alpha_beta import DIAGONAL, ONES, RGB_TO_LMS

TOE = 1 / 255


def to_lab(pixels: np.ndarray) -> np.ndarray:
    lms = pixels @ RGB_TO_LMS.T
    tangent = np.log10(TOE) + (lms - TOE) / (TOE * np.log(10))
    return np.where(lms >= TOE, np.log10(np.maximum(lms, TOE)), tangent) @ (DIAGONAL @ ONES).T


def to_rgb(lab: np.ndarray) -> np.ndarray:
    logs = lab @ np.linalg.inv(DIAGONAL @ ONES).T
    tangent = TOE + (logs - np.log10(TOE)) * TOE * np.log(10)
    return np.where(logs >= np.log10(TOE), 10**logs, tangent) @ np.linalg.inv(RGB_TO_LMS).T


def transferred(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Eq. 10 and 11 of the paper: take off the mean, scale by the ratio of deviations, add the other mean."""
    a, b = to_lab(source.reshape(-1, 3)), to_lab(target.reshape(-1, 3))
    return to_rgb((a - a.mean(0)) * (b.std(0) / a.std(0)) + b.mean(0)).reshape(source.shape)


def as_tensor(photo: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(photo.astype(np.float64) / 255).movedim(-1, 0)[None]


def test_it_is_the_paper_on_photographs(coffee: np.ndarray, rocket: np.ndarray) -> None:
    for source, target in ((coffee, rocket), (rocket, coffee)):
        expected = transferred(source / 255, target / 255)
        found = photochrom.transfer_statistics(as_tensor(source), as_tensor(target))
        assert np.abs(found[0].movedim(0, -1).numpy() - expected).max() < 1e-9
        single = photochrom.transfer_statistics(as_tensor(source).float(), as_tensor(target).float())
        assert np.abs(single[0].movedim(0, -1).numpy() - expected).max() < 2e-4 * np.abs(expected).max()
        eight = photochrom.transfer_statistics(source, target)
        assert np.abs(eight - np.clip(np.round(expected * 255), 0, 255)).max() <= 1


def test_the_result_has_the_statistics_of_the_reference(coffee: np.ndarray, rocket: np.ndarray) -> None:
    reference = as_tensor(rocket)
    result = photochrom.transfer_statistics(as_tensor(coffee), reference)
    ours, theirs = (rgb_to_l_alpha_beta(picture).flatten(2) for picture in (result, reference))
    assert (ours.mean(-1) - theirs.mean(-1)).abs().max() < 1e-12
    assert (ours.std(-1, correction=0) - theirs.std(-1, correction=0)).abs().max() < 1e-12


def test_a_picture_is_its_own_palette(coffee: np.ndarray) -> None:
    image = as_tensor(coffee)
    assert (photochrom.transfer_statistics(image, image) - image).abs().max() < 1e-12


def test_the_size_and_arrangement_of_the_reference_do_not_matter(coffee: np.ndarray, rocket: np.ndarray) -> None:
    image, reference = as_tensor(coffee), as_tensor(rocket)
    expected = photochrom.transfer_statistics(image, reference)
    for other in (reference.flip(-1), reference.transpose(2, 3), torch.cat([reference, reference], -1)):
        assert (photochrom.transfer_statistics(image, other) - expected).abs().max() < 1e-11


def test_a_picture_of_one_colour_is_moved_only() -> None:
    reference = torch.rand(1, 3, 20, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-5)):
        for level in (0.0, 0.2, 0.7, 1.0):
            flat = torch.full((1, 3, 17, 13), level, dtype=dtype)
            result = rgb_to_l_alpha_beta(photochrom.transfer_statistics(flat, reference))
            wanted = rgb_to_l_alpha_beta(reference).mean((2, 3), keepdim=True)
            assert (result - wanted).abs().max() < tolerance
