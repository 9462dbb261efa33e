"""How far the mean colour moved is found in tiles as it is in the whole picture, and told by the commands."""

import json

import pytest
import torch

import photochrom
from photochrom.core.step import Step
from photochrom.engine.feeds import TensorFeed
from photochrom.engine.run import Run
from photochrom.nets.inference import drift
from tests.cli.conftest import cli, photo, pixels
from tests.contract.cases import picture

__all__ = ["cli", "photo"]

STEPS = [Step(photochrom.upscale, scale=3), Step(photochrom.upscale, scale=2, model="srcnn-x2"),
         Step(photochrom.denoise, sigma=20), Step(photochrom.deblock)]
AFTER = {"alone": [], "overlap": [Step(photochrom.gaussian, sigma=1.2)], "passes": [Step(photochrom.equalize)],
         "frame": [Step(photochrom.denoise, unknown="estimate")]}


@pytest.mark.parametrize("rest", AFTER)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.operation.name)
def test_tiles_find_what_the_whole_picture_has(step: Step, rest: str) -> None:
    image = picture(150, 31)
    done: list[int] = []
    tight = 31 * 3 * 32 * step.operation.factor(step.controls) ** 2 * 110
    run = Run([step, *AFTER[rest]], TensorFeed(image), 1 << 30 if rest == "frame" else tight, progress=done.append)
    run.collect()
    expected = 255 * drift(image, step(image)).flatten()
    assert len(done) > 1 or rest == "frame"
    assert run.drifts[0].name == step.operation.name
    assert torch.allclose(torch.tensor(run.drifts[0].levels), expected, atol=1e-3)
    assert expected.abs().max() > 0.01


def test_a_mean_that_is_kept_has_not_moved() -> None:
    run = Run([Step(photochrom.upscale, scale=2, keep_mean=True)], TensorFeed(picture(30, 20)), 1 << 30)
    run.collect()
    assert max(map(abs, run.drifts[0].levels)) < 1e-3


def test_other_steps_promise_nothing() -> None:
    run = Run([Step(photochrom.brightness, amount=0.1)], TensorFeed(picture(30, 20)), 1 << 30)
    run.collect()
    assert run.drifts == []


@pytest.mark.parametrize("words", [("upscale", "--scale", "2"), ("denoise", "--sigma", "25"), ("deblock",)])
def test_commands_tell_it(cli, photo, tmp_path, words) -> None:   # type: ignore[no-untyped-def]
    told = cli(words[0], photo, "-o", tmp_path / "a.png", *words[1:], "--json")
    (found,) = json.loads(told.out)["mean_moved"]
    before, after = pixels(photo), pixels(tmp_path / "a.png")
    apart = torch.tensor(after.mean((0, 1)) - before.mean((0, 1)), dtype=torch.float64)
    assert found["step"] == words[0]
    assert (apart - torch.tensor(found["levels"], dtype=torch.float64)).abs().max() < 0.05   # of 8 bits
    plain = cli(words[0], photo, "-o", tmp_path / "b.png", *words[1:])
    assert f"{words[0]} moved the mean of red, green, blue by {found['levels'][0]:+.2f}" in plain.err
    kept = cli(words[0], photo, "-o", tmp_path / "c.png", *words[1:], "--keep-mean", "true")
    assert f"{words[0]} kept the mean of every channel" in kept.err
    assert cli(words[0], photo, "-o", tmp_path / "d.png", *words[1:], "--quiet").err == ""
