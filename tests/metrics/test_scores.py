"""What scores promise: protocols that do not mix, sentences for what cannot be scored, slopes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from photochrom.core.errors import ControlError, FileError, PhotochromError
from photochrom.metrics.lpips import lpips
from photochrom.metrics.named import METRICS, PROTOCOLS, scorer
from photochrom.metrics.pairs import whole_levels
from photochrom.metrics.protocol import Protocol, ProtocolError, Score, mean
from photochrom.metrics.psnr import PSNR, mean_square, psnr
from photochrom.metrics.ssim import SSIM, ms_ssim, ssim

SHARED = Path(__file__).parents[2] / ".." / "shared"
needs_data = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the shared pictures are not here")
needs_weights = pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="the shared weights are not here")


def picture(height: int = 24, width: int = 20, channels: int = 3, seed: int = 1,
            dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed)).to(dtype)


def test_scores_of_different_protocols_are_not_mixed() -> None:
    one, other = (Score(value, Protocol.of("psnr", "dB", channel=channel)) for value, channel in
                  ((30.0, "y"), (31.0, "all")))
    for mix in (lambda: mean([one, other]), lambda: one < other, lambda: one - other):
        with pytest.raises(ProtocolError, match="different protocols cannot be compared"):
            mix()
    assert one < Score(30.5, one.protocol)
    assert mean([one, Score(33.0, one.protocol, count=2)]).value == 32


def test_every_setting_of_a_named_protocol_is_told() -> None:
    for metric, known in PROTOCOLS.items():
        plain = dict(scorer(metric, next(iter(known))).protocol.settings)
        for name, settings in known.items():
            told = dict(scorer(metric, name, scale=2).protocol.settings)
            changed = set(settings) | ({"border"} if name == "sr" else set())
            assert {key for key in told if told[key] != plain[key]} == changed, (metric, name)


def test_equal_pictures_have_an_infinite_psnr_and_valid_json() -> None:
    same = picture()
    score = PSNR()
    score.update(same, same)
    found = score.compute()
    assert math.isinf(found.value)
    assert "equal" in str(found)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["value"] == "infinite"


@pytest.mark.parametrize("metric", list(METRICS))
def test_what_cannot_be_scored_gets_a_sentence(metric: str) -> None:
    good = picture(200, 200)
    bad = {"one size": good[..., 1:], "not numbers": good.clone().fill_(math.nan), "0..1": 255 * good,
           "floating tensor": (255 * good).to(torch.uint8)}
    for words, image in bad.items():
        with pytest.raises(ControlError, match=words):
            scorer(metric).update(image, good)
    with pytest.raises(ControlError, match=r"reference must lie in the display range 0\.\.1, got -1"):
        scorer(metric).update(good, 2 * good - 1)   # made for a library that wants -1..1
    if metric in ("ssim", "ms_ssim", "lpips"):
        with pytest.raises(ControlError, match="at least"):
            scorer(metric).update(picture(9, 9), picture(9, 9, seed=2))
    with pytest.raises(PhotochromError, match="no picture was added"):
        scorer(metric).compute()
    with pytest.raises(ControlError, match="not known"):
        scorer(metric, "nosuch")


def test_a_mean_square_in_pieces_is_the_mean_square() -> None:
    image, reference = picture(700, 331), picture(700, 331, seed=2)
    for cut in (slice(None), slice(3, -3)):
        one, other = image[..., cut, cut], reference[..., cut, cut]
        expected = (one.double() - other.double()).square().mean().item()
        assert mean_square(one, other).item() == pytest.approx(expected, rel=1e-6)
        turned = other.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        assert mean_square(one, turned).item() == pytest.approx(expected, rel=1e-6)


def test_levels_are_rounded_half_away_from_zero() -> None:
    assert (255 * whole_levels(torch.tensor([0.5, 1.5, 2.49, -3.0, 300.0]) / 255)).round(decimals=3).tolist() == [
        1, 2, 2, 0, 255]


def test_slopes() -> None:
    image, reference = picture(13, 12, 1, dtype=torch.float64), picture(13, 12, 1, 2, torch.float64)
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: psnr(x, reference, channel="y", border=1), image)
    assert torch.autograd.gradcheck(lambda x: ssim(x, reference), image)
    big = picture(161, 161, 1, dtype=torch.float64)
    one = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    wide = picture(161, 161, 1, 2, torch.float64)
    assert torch.autograd.gradcheck(lambda t: ms_ssim(wide + t * (big - wide) * 0.5, big), one)


def test_states() -> None:
    score = SSIM(border=2)
    images, references = torch.cat([picture(), picture(seed=3)]), torch.cat([picture(seed=2), picture(seed=4)])
    parts = score.update(images, references)
    assert [part.value for part in parts] == pytest.approx(ssim(images, references, border=2).tolist())
    assert score.compute().value == pytest.approx(ssim(images, references, border=2).mean().item())
    score.reset()
    assert score.scores == []


@needs_data
@needs_weights
def test_lpips_gives_the_published_figures() -> None:
    from photochrom.io import read

    folder = SHARED / "data" / "iqa" / "lpips"
    reference = read(folder / "ex_ref.png").image.float()
    # https://github.com/richzhang/PerceptualSimilarity, example patches, version 0.1, squeeze
    for name, value in (("ex_p0.png", 0.7110), ("ex_p1.png", 0.1479)):
        image = read(folder / name).image.float()
        for given in (image, image.clone().requires_grad_()):
            found = lpips(given, reference, backbone="squeeze", weights=SHARED / "weights")
            assert found.item() == pytest.approx(value, abs=5e-5)
    assert lpips(reference, reference, weights=SHARED / "weights").item() == 0


@needs_weights
def test_weights_of_another_backbone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lpips").mkdir()
    (tmp_path / "squeezenet1_1.pth").symlink_to((SHARED / "weights" / "squeezenet1_1_features.pth").resolve())
    (tmp_path / "lpips" / "squeeze.pth").symlink_to((SHARED / "weights" / "lpips" / "alex.pth").resolve())
    with pytest.raises(FileError, match="does not hold the linear layers of squeeze"):
        lpips(picture(64, 64), picture(64, 64, seed=2), weights=tmp_path)
    with pytest.raises(FileError, match=r"vgg16.* must lie in"):
        lpips(picture(64, 64), picture(64, 64, seed=2), backbone="vgg", weights=tmp_path)


def test_every_backbone_has_its_published_number_of_features() -> None:
    """As torchvision publishes them."""
    from photochrom.metrics.backbones import BACKBONES

    counts = {"squeeze": 722_496, "alex": 2_469_696, "vgg": 14_714_688}
    for name, count in counts.items():
        assert sum(part.numel() for layer in BACKBONES[name]().layers for part in layer.parameters()) == count
