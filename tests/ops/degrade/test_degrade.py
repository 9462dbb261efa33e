"""Noise and JPEG: what they add, and that it depends on the seed alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom


def test_noise_is_normal_of_the_spread_that_was_asked_for() -> None:
    grey = torch.full((1, 1, 512, 512), 0.5)
    noise = (photochrom.add_noise(grey, sigma=15.0, seed=4) - grey).double() * 255 / 15
    # Of 262144 normal numbers mean, spread and kurtosis lie within 5 standard errors: 0.002, 0.0014, 0.0096.
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.007
    assert abs((noise ** 4).mean() - 3) < 0.05


def test_channels_and_neighbours_have_noise_of_their_own() -> None:
    noise = photochrom.add_noise(torch.zeros(1, 3, 256, 256), sigma=25.0)[0].double()
    apart = torch.stack([noise[0].flatten(), noise[1].flatten(), noise[2].flatten(), noise[0].roll(1).flatten(),
                         noise[0].roll(1, 0).flatten()])
    assert (torch.corrcoef(apart) - torch.eye(5)).abs().max() < 5 / 256


def test_the_seed_alone_decides() -> None:
    grey = torch.full((1, 3, 24, 32), 0.5)
    one = photochrom.add_noise(grey, seed=1)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert torch.equal(photochrom.add_noise(grey, seed=1), one)
    assert torch.equal(torch.get_rng_state(), state), "the generator of the caller is left alone"
    assert not torch.equal(photochrom.add_noise(grey, seed=2), one)
    assert torch.allclose(photochrom.add_noise(grey.double(), seed=1), one.double(), atol=1e-6), "in any precision"


def test_noise_is_the_same_in_a_run_of_any_memory() -> None:
    image = torch.rand(1, 3, 300, 40, generator=torch.Generator().manual_seed(0))
    recipe = photochrom.Recipe([photochrom.Step(photochrom.gaussian, sigma=1.0),
                                photochrom.Step(photochrom.add_noise, sigma=10.0, seed=3)])
    assert torch.equal(photochrom.run(recipe, image, memory=2 << 20), photochrom.run(recipe, image, memory=1 << 30))


def test_sigma_by_picture_and_channel_and_its_slope() -> None:
    image = torch.zeros(2, 3, 64, 64)
    noise = photochrom.add_noise(image, sigma=torch.tensor([10.0, 20.0]))
    assert torch.allclose(noise[1], 2 * noise[0])
    sigma = torch.tensor(10.0, requires_grad=True)
    photochrom.add_noise(image[:1].double(), sigma=sigma).sum().backward()
    assert sigma.grad is not None
    assert sigma.grad.item() == pytest.approx(noise[0].sum().item() / 10, rel=1e-3)


def test_clip_is_what_a_camera_does() -> None:
    noisy = photochrom.add_noise(torch.zeros(1, 1, 64, 64), sigma=25.0)
    assert torch.equal(photochrom.add_noise(torch.zeros(1, 1, 64, 64), sigma=25.0, clip=True), noisy.clamp(0, 1))
    assert noisy.min() < 0


@pytest.mark.parametrize(("quality", "subsampling"), [(10, "4:2:0"), (40, "4:4:4"), (90, "4:2:2")])
def test_jpeg_is_what_pillow_writes(quality: int, subsampling: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    levels = np.kron(levels[:10, :14], np.ones((4, 4, 1), np.uint8))
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling=subsampling)
    made = photochrom.compress_jpeg(levels, quality=quality, subsampling=subsampling)
    assert np.array_equal(made, np.array(Image.open(file)))


def test_less_quality_is_further_away_and_grey_stays_grey() -> None:
    y, x = torch.meshgrid(torch.linspace(0, 9, 64), torch.linspace(0, 7, 64), indexing="ij")
    image = (0.5 + 0.3 * torch.sin(x * y))[None, None]
    errors = [photochrom.compress_jpeg(image, quality=quality).sub(image).square().mean().item()
              for quality in (5, 20, 60, 100)]
    assert errors == sorted(errors, reverse=True)
    colour = photochrom.compress_jpeg(image.expand(1, 3, -1, -1), quality=20)
    assert (colour[:, 0] - colour[:, 1]).abs().max() <= 1 / 255 + 1e-6
