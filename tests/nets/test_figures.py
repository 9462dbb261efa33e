"""Published weights meet their published figures, where they and the test pictures are there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import photochrom
from photochrom.color.ycbcr import rgb_to_ycbcr
from photochrom.nets.inference import restore
from photochrom.nets.weights import Network, load

SHARED = Path(__file__).parents[3] / "shared"
needs_shared = pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no ../shared/weights and ../shared/data")


def levels(image: Tensor) -> Tensor:
    return (image.clamp(0, 1) * 255).round() / 255


def psnr(found: Tensor, expected: Tensor, border: int = 0) -> float:
    apart = (found - expected)[..., border:found.shape[-2] - border, border:found.shape[-1] - border]
    return -10 * math.log10((apart ** 2).mean().item())


def set5(scale: int) -> list[tuple[Tensor, Tensor]]:
    """Small and large luminance of Set5, made smaller as MATLAB does floating-point pictures."""
    pairs = []
    for path in sorted((SHARED / f"data/sr/Set5/x{scale}").glob("*HR*.png")):
        picture = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).movedim(-1, 0)[None].double() / 255
        large = rgb_to_ycbcr(picture, levels="studio")[:, :1]
        height, width = large.shape[-2] // scale, large.shape[-1] // scale
        large = large[..., :height * scale, :width * scale]
        small = photochrom.resize(large, size=(height, width), resample="matlab-bicubic-float")
        pairs.append((small.float(), levels(large)))
    assert len(pairs) == 5
    return pairs


@needs_shared
@pytest.mark.parametrize(("weights", "scale", "published"), [
    ("srcnn_x3_fuyongxu.pth", 3, 32.66),
    pytest.param("vdsr_twtygqyy.pth", 2, 37.57, marks=pytest.mark.slow),
    pytest.param("vdsr_twtygqyy.pth", 3, 33.74, marks=pytest.mark.slow),
    pytest.param("vdsr_twtygqyy.pth", 4, 31.44, marks=pytest.mark.slow),
])
def test_super_resolution_of_set5(weights: str, scale: int, published: float) -> None:
    network = load(SHARED / "weights" / weights)
    scores = [psnr(levels(restore(network, small, scale=scale).double()), large, scale) for small, large in set5(scale)]
    assert abs(sum(scores) / 5 - published) <= 0.03


@needs_shared
@pytest.mark.parametrize(("number", "published"), [
    (1, 30.21), *(pytest.param(number, value, marks=pytest.mark.slow) for number, value in
                  ((2, 33.11), (3, 30.83), (4, 29.36), (5, 30.41), (6, 29.08), (7, 29.44)))])
def test_noise_of_set12(number: int, published: float) -> None:
    """The figures are of one draw of noise: NumPy's older generator with seed 0, anew for each picture."""
    network = load(SHARED / "weights" / "dncnn_25_kair.pth")
    clean = torch.from_numpy(np.array(Image.open(SHARED / f"data/denoise/Set12/{number:02d}.png"))).float()[None, None]
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, 25 / 255, clean.shape)).float()
    assert abs(psnr(levels(restore(network, clean / 255 + noise)), clean / 255) - published) <= 0.03


def lost(network: Network, given: Tensor, expected: Tensor, scale: int = 1) -> float:
    """How many dB bfloat16 costs: of results as they are stored, in 8 bits, for scale 1 of whole pictures."""
    border = scale if scale > 1 else 0
    full, low = (psnr(levels(restore(network, given, scale=scale, precision=precision).double()), expected.double(),
                      border) for precision in ("fp32", "bf16"))
    return full - low


@needs_shared
@pytest.mark.parametrize(("scale", "number"), [(4, 4), *(
    pytest.param(scale, number, marks=pytest.mark.slow) for scale in (2, 3, 4) for number in range(5))])
def test_bfloat16_loses_little_in_super_resolution(scale: int, number: int) -> None:
    small, large = set5(scale)[number]
    assert lost(load(SHARED / "weights" / "vdsr_twtygqyy.pth"), small, large, scale) <= 0.02


@needs_shared
@pytest.mark.parametrize("weights", ["dncnn-15", "dncnn-25", "dncnn-50", "dncnn-blind",
                                     pytest.param("dncnn_25_kair.pth", marks=pytest.mark.slow)])
def test_bfloat16_loses_little_in_noise(weights: str, request: pytest.FixtureRequest) -> None:
    """The slow form takes 17 layers and all of Set12, of which figures are the mean; the others the first picture."""
    network = load(SHARED / "weights" / weights if weights.endswith(".pth") else weights)
    costs = []
    for number in range(1, 13) if weights.endswith(".pth") else (1,):
        whole = np.array(Image.open(SHARED / f"data/denoise/Set12/{number:02d}.png"))
        clean = torch.from_numpy(whole).float()[None, None] / 255
        sigma = {"dncnn-15": 15, "dncnn-50": 50}.get(weights, 25)
        noise = torch.from_numpy(np.random.RandomState(0).normal(0, sigma / 255, clean.shape)).float()
        costs.append(lost(network, clean + noise, clean))
    assert sum(costs) / len(costs) <= 0.02
