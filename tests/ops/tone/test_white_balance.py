"""White balance: what should be neutral becomes neutral, and no lighter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import photochrom
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear

Y = torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64)


def scene(seed: int = 0) -> Tensor:
    picture = torch.rand(1, 3, 20, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return linear_to_srgb(picture * torch.tensor([0.9, 0.6, 0.4], dtype=torch.float64).reshape(1, 3, 1, 1))


def is_grey(light: Tensor, luminance: float) -> None:
    assert light.tolist() == pytest.approx([luminance] * 3, abs=1e-6)


def test_grey_world_makes_the_mean_grey() -> None:
    image = scene()
    before, after = (srgb_to_linear(v).mean((2, 3))[0] for v in (image, photochrom.white_balance(
        image, estimate="grey_world")))
    is_grey(after, float(before @ Y))


def test_the_white_patch_becomes_white() -> None:
    image = scene()
    image[0, :, 3, 4] = torch.tensor([1.0, 0.9, 0.8])
    image.clamp_(max=torch.tensor([1.0, 0.9, 0.8]).reshape(1, 3, 1, 1).double())
    light = srgb_to_linear(photochrom.white_balance(image, estimate="white_patch"))[0, :, 3, 4]
    is_grey(light, float(srgb_to_linear(image)[0, :, 3, 4] @ Y))


def test_a_neutral_colour_and_a_place_become_grey() -> None:
    image = scene()
    image[0, :, 10:15, 20:25] = torch.tensor([0.7, 0.6, 0.3]).reshape(3, 1, 1)
    picked = photochrom.white_balance(image, estimate="neutral", neutral=(0.7, 0.6, 0.3))
    place = photochrom.white_balance(image, estimate="point", point=(22.5, 12.5), radius=2)
    assert torch.allclose(picked, place, atol=1e-6)
    mask = torch.zeros(1, 1, 20, 30)
    mask[..., 10:15, 20:25] = 1
    assert torch.allclose(photochrom.white_balance(image, mask, estimate="grey_world"), picked, atol=1e-6)
    patch = srgb_to_linear(picked)[0, :, 12, 22]
    is_grey(patch, float(srgb_to_linear(image)[0, :, 12, 22] @ Y))


def test_a_place_is_found_in_tiles() -> None:
    image = scene().float().repeat(1, 1, 60, 1)
    image[0, :, 700, 7] = torch.tensor([0.9, 0.2, 0.5])
    step = photochrom.Step(photochrom.white_balance, estimate="point", point=(7.2, 700.9), radius=1)
    assert (photochrom.run(step, image, memory=200_000) - step(image)).abs().max() < 1e-6
    outside = photochrom.white_balance(image, estimate="point", point=(-500.0, 3.0))
    assert (outside - image).abs().max() < 1e-6


def test_it_is_von_kries_in_bradfords_cones() -> None:
    """Linear RGB of white A under D65 goes to grey as ICC's matrix from A to D65 takes it, but for the luminance."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    white = np.array([0.8, 0.6, 0.3])
    source, target = bradford @ to_xyz @ white, bradford @ to_xyz @ np.ones(3) * (to_xyz[1] @ white)
    whole = np.linalg.inv(bradford @ to_xyz) @ np.diag(target / source) @ bradford @ to_xyz
    image = scene()
    light = srgb_to_linear(image)[0].flatten(1).numpy()
    encoded = tuple(linear_to_srgb(torch.from_numpy(white)).tolist())
    found = srgb_to_linear(photochrom.white_balance(image, estimate="neutral", neutral=encoded))[0].flatten(1).numpy()
    assert np.abs(found - whole @ light).max() < 1e-6


@pytest.mark.parametrize("estimate", ["grey_world", "shades_of_grey", "white_patch", "neutral", "point"])
def test_grey_and_black_and_single_pixels_stay(estimate: str) -> None:
    grey = torch.rand(1, 1, 6, 7, generator=torch.Generator().manual_seed(2)).expand(-1, 3, -1, -1)
    for image in (grey, torch.zeros(1, 3, 4, 4), torch.full((1, 3, 1, 1), 0.3), torch.full((1, 3, 2, 2), -0.5)):
        assert (photochrom.white_balance(image, estimate=estimate) - image).abs().max() < 1e-5
