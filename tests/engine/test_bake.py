"""Recipes as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import photochrom
from photochrom import Recipe, Step
from photochrom.core.errors import ControlError
from photochrom.engine.bake import bake
from photochrom.io import read_lut, write_lut


def warm() -> Recipe:
    return Recipe([Step(photochrom.sigmoid_contrast, amount=3.0), Step(photochrom.saturation, amount=1.4),
                   Step(photochrom.curve, points=((0, 0.03), (0.4, 0.35), (1, 0.97)), strength=0.7)], name="warm")


@pytest.mark.parametrize("size", [17, 33, 65])
def test_the_way_round_is_within_the_stated_error(tmp_path: Path, coffee: np.ndarray, size: int) -> None:
    picture = coffee.astype(np.float32) / 255
    baked = bake(warm(), size, picture)
    assert set(baked.errors) == {"random", "midpoints", "picture"}
    write_lut(baked.lut, tmp_path / "look.cube")
    found = photochrom.apply_lut(picture, read_lut(tmp_path / "look.cube")).clip(0, 1)
    apart = np.abs(found - warm()(picture).clip(0, 1))
    assert apart.max() <= baked.errors["picture"].largest + 1e-6
    assert apart.mean() == pytest.approx(baked.errors["picture"].mean, abs=1e-6)
    assert baked.errors["random"].largest < 0.3 / size


def test_measured_steps_are_measured_on_the_picture(coffee: np.ndarray, rocket: np.ndarray) -> None:
    recipe = Recipe([Step(photochrom.brightness, amount=0.05), Step(photochrom.transfer_statistics, reference=coffee),
                     Step(photochrom.white_balance)])
    picture = rocket.astype(np.float32) / 255
    baked = bake(recipe, 65, picture)
    found = photochrom.apply_lut(picture, baked.lut)
    assert np.abs(found - recipe(picture)).mean() < 0.002
    with pytest.raises(ControlError, match=r"^bake: step 2 \(transfer_statistics\) measures the picture.*--measure"):
        bake(recipe)


def test_a_grey_picture_may_be_measured(coffee: np.ndarray) -> None:
    assert bake(Step(photochrom.threshold_otsu), 17, coffee[..., 0]).errors["midpoints"].largest <= 1


REFUSED = {
    "window": (lambda: [Step(photochrom.negative), Step(photochrom.gaussian)], r"step 2 \(gaussian\) looks beyond"),
    "frame": (lambda: [Step(photochrom.posterize, dither="ordered")], "looks beyond the pixel"),
    "mask": (lambda: [Step(photochrom.negative, mask=np.zeros((4, 4), np.uint8))], "has a mask"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_table_holds_is_refused(case: str) -> None:
    steps, words = REFUSED[case]
    with pytest.raises(ControlError, match=rf"^bake: .*{words}"):
        bake(Recipe(steps()))
    with pytest.raises(ControlError, match="size must lie between 2 and 129, got 1"):
        bake(Step(photochrom.negative), 1)
