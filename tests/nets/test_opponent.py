"""Noise of colour pictures is taken off better by mean and differences than channel by channel; grey stays grey."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import photochrom
from photochrom.core.step import Step
from photochrom.nets.choice import network_for
from photochrom.nets.opponent import SHARES, clean_colour
from photochrom.nets.pictures import restore_picture
from tests.contract.cases import picture


def noise(like: Tensor, sigma: float) -> Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(2)) * sigma / 255


def psnr(found: Tensor, expected: Tensor) -> float:
    return -10 * math.log10((found.clamp(0, 1) - expected).square().mean().item())


@pytest.mark.parametrize("sigma", [15, 25, 50])
@pytest.mark.parametrize(("name", "top", "left"), [("astronaut", 100, 80), ("chelsea", 80, 150), ("coffee", 150, 200)])
def test_it_is_better_than_channel_by_channel(name: str, top: int, left: int, sigma: int) -> None:
    data = pytest.importorskip("skimage.data")
    part = getattr(data, name)()[top:top + 128, left:left + 128, :3].copy()
    clean = torch.from_numpy(part).movedim(-1, 0)[None] / 255
    noisy = clean + noise(clean, sigma)
    each = restore_picture(network_for("denoise"), noisy)
    known = restore_picture(network_for("denoise", sigma=sigma), noisy)
    blind, told = psnr(photochrom.denoise(noisy), clean), psnr(photochrom.denoise(noisy, sigma=sigma), clean)
    assert blind > psnr(each, clean) + (0.4 if sigma > 15 else 0)
    assert told > psnr(known, clean) + (0.4 if sigma > 15 else -0.2)   # the one for 15 has no like for the planes of 15


def test_shares_are_those_of_white_noise() -> None:
    red, green, blue = torch.randn(3, 200_000, generator=torch.Generator().manual_seed(1))
    planes = ((red + green + blue) / 3, (red - blue) / 2, (red - 2 * green + blue) / 4)
    for plane, share in zip(planes, SHARES, strict=True):
        assert plane.std().item() == pytest.approx(share, rel=0.01)


@pytest.mark.parametrize("settings", [{}, {"sigma": 25}, {"unknown": "estimate"}])
def test_grey_in_three_channels_stays_grey(settings: dict[str, float]) -> None:
    grey = picture(40, 30, 1) * 0.5 + 0.2
    found = photochrom.denoise(grey.expand(-1, 3, -1, -1), **settings)
    assert torch.equal(found, found[:, :1].expand(-1, 3, -1, -1))
    alone = photochrom.denoise(grey, **settings)
    assert torch.allclose(found[..., 10:-10, 10:-10], alone.expand(-1, 3, -1, -1)[..., 10:-10, 10:-10], atol=1e-5)
    nearly = grey.expand(-1, 3, -1, -1).clone()
    nearly[0, 0, 20, 15] += 1 / 255   # one pixel is not
    made = photochrom.denoise(nearly, **settings)
    away = (made - made.mean(1, keepdim=True))[..., :8, :]
    assert away.abs().max() < 1e-6


@pytest.mark.parametrize("settings", [{}, {"sigma": 40}])
def test_tiles_give_the_whole(settings: dict[str, float]) -> None:
    image = picture(150, 31)
    step, done = Step(photochrom.denoise, **settings), []   # type: ignore[var-annotated]
    parts = photochrom.run(step, image, memory=31 * 3 * 32 * 110, progress=done.append)
    assert len(done) > 1
    assert (parts - step(image)).abs().max() <= 1e-5


def test_a_named_network_of_one_strength_is_run_as_it_is() -> None:
    image = picture(20, 24)
    assert clean_colour(image, model="dncnn-25") is None
    assert torch.equal(photochrom.denoise(image, model="dncnn-25"), restore_picture(network_for("denoise", "dncnn-25"),
                                                                                  image))
    assert torch.equal(photochrom.denoise(image, model="dncnn-blind"), photochrom.denoise(image))


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 200)])
def test_small_pictures(size: tuple[int, int]) -> None:
    assert photochrom.denoise(picture(*size)).isfinite().all()
    half = picture(*size).half()
    assert photochrom.denoise(half).dtype == torch.float16
