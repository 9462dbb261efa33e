"""Chains of convolutions are those of torch in double precision."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import conv2d

from photochrom.num.parallel import limit_threads
from photochrom.num.winograd import convolve, layer, suits, suits_first

Drawn = tuple[torch.Tensor, torch.Tensor | None, bool]
CHAINS = [(32, 32), (64, 64), (32, 64, 96), (128, 64, 32), (1, 32, 32), (3, 64, 64, 64), (4, 96), (64, 256)]


def drawn(channels: tuple[int, ...], seed: int = 0) -> list[Drawn]:
    """Return weights, biases and whether a rectifier follows, of which some are left out."""
    torch.manual_seed(seed)
    return [(torch.randn(after, before, 3, 3) * (2 / (9 * before)) ** 0.5,
             torch.randn(after) * 0.1 if k % 3 != 1 else None, k % 2 == 0)
            for k, (before, after) in enumerate(pairwise(channels))]


def expected(image: torch.Tensor, parts: list[Drawn]) -> torch.Tensor:
    made = image.double()
    for weight, bias, rectified in parts:
        made = conv2d(made, weight.double(), None if bias is None else bias.double(), padding=1)
        made = made.relu() if rectified else made
    return made


@pytest.mark.parametrize("channels", CHAINS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (7, 30), (50, 9), (49, 66)])
def test_a_chain_is_that_of_torch(channels: tuple[int, ...], height: int, width: int) -> None:
    parts = drawn(channels)
    image = torch.rand(1, channels[0], height, width)
    exact = expected(image, parts)
    made = convolve(image, [layer(*part) for part in parts])
    assert made.shape == exact.shape
    assert (made - exact).abs().max() <= 3e-6 * exact.abs().max()
    low = convolve(image, [layer(*part, low=True) for part in parts]).double()
    assert (low - exact).pow(2).mean().sqrt() <= 0.02 * exact.pow(2).mean().sqrt()


def test_pictures_of_a_batch_and_numbers_of_threads_do_not_matter() -> None:
    parts = [layer(*part) for part in drawn((3, 32, 64))]
    images = torch.rand(3, 3, 37, 41)
    made = convolve(images, parts)
    with limit_threads(1):
        for k in range(3):
            assert torch.equal(made[k:k + 1], convolve(images[k:k + 1], parts))


def test_in_bfloat16_the_picture_itself_is_not_rounded() -> None:
    weight = torch.zeros(32, 1, 3, 3)
    weight[:, :, 1, 1] = 1
    image = 0.5 + torch.rand(1, 1, 8, 9) / 300   # of less than one step of bfloat16
    one = convolve(image - 0.5, [layer(weight, torch.zeros(32), False, low=True)]).float()
    moved = convolve(image, [layer(weight, torch.full((32,), -0.5), False, low=True)]).float()
    assert torch.allclose(moved, one, rtol=0.01, atol=1e-6)


@pytest.mark.parametrize(("shape", "many", "first"), [
    ((64, 64, 3, 3), True, False), ((64, 1, 3, 3), False, True), ((64, 64, 5, 5), False, False),
    ((3, 64, 3, 3), False, False), ((64, 40, 3, 3), False, False), ((64, 5, 3, 3), False, False)])
def test_other_convolutions_are_left_to_torch(shape: tuple[int, ...], many: bool, first: bool) -> None:
    weight = torch.zeros(shape)
    assert (suits(weight), suits_first(weight)) == (many, first)
