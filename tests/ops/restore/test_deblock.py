"""The traces of JPEG: what is better afterwards, colour, grey, tiles."""

from __future__ import annotations

import numpy as np
import skimage.data
import torch

import photochrom
from photochrom.metrics.psnr import psnr
from photochrom.nets.weights import shipped


def photograph(channels: int) -> torch.Tensor:
    pixels = skimage.data.astronaut()[:120, 180:300] if channels == 3 else skimage.data.camera()[100:220, 200:320, None]
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] / 255


def test_it_is_nearer_to_the_original_afterwards() -> None:
    for channels in (1, 3):
        original = photograph(channels)
        for quality in (10, 30):
            before = photochrom.compress_jpeg(original, quality=quality, subsampling="4:4:4")
            after = photochrom.deblock(before)
            assert psnr(after.clamp(0, 1), original).item() > psnr(before, original).item() + 0.4


def test_colour_differences_stay() -> None:
    from photochrom.color.ycbcr import rgb_to_ycbcr

    before = photochrom.compress_jpeg(photograph(3), quality=10)
    after = photochrom.deblock(before)
    assert (rgb_to_ycbcr(after)[:, 1:] - rgb_to_ycbcr(before)[:, 1:]).abs().max() < 1e-5
    grey = photograph(1).expand(-1, 3, -1, -1)
    made = photochrom.deblock(grey)
    assert (made - made.mean(1, keepdim=True)).abs().max() < 1e-5


def test_tiles_are_the_whole() -> None:
    image = photochrom.compress_jpeg(photograph(1).repeat(1, 1, 2, 1), quality=10)
    whole = photochrom.deblock(image)
    parts = photochrom.run(photochrom.Step(photochrom.deblock), image, memory=120 * 32 * 4 * 60)
    assert (parts - whole).abs().max() < 1e-5


def test_the_default_is_shipped() -> None:
    assert "deblock" in {known.task for known in shipped()}
