"""Fitting recipes: edits of known controls are found again, and what cannot be found is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

import photochrom
from photochrom import Recipe, Step, fit
from photochrom.core.errors import ControlError
from photochrom.core.recipe import loads
from photochrom.learn.losses import LOSSES, apart
from photochrom.learn.trained import trained_controls

THREE = torch.zeros(1, 3)


def neutral() -> Recipe:
    return Recipe([Step(photochrom.exposure, stops=THREE), Step(photochrom.power, gamma=1.0),
                   Step(photochrom.sigmoid_contrast, amount=0.0), Step(photochrom.saturation, amount=1.0)])


NAMES = ["stops", "gamma", "sigmoid_contrast.amount", "saturation"]
TRUE = {"1.exposure.stops": ((0.4, 0.2, -0.1),), "2.power.gamma": 0.85, "3.sigmoid_contrast.amount": 2.5,
        "4.saturation.amount": 1.3}


def edited(picture: Any) -> Any:
    recipe = Recipe([Step(photochrom.exposure, stops=torch.tensor(TRUE["1.exposure.stops"])),
                     Step(photochrom.power, gamma=0.85), Step(photochrom.sigmoid_contrast, amount=2.5),
                     Step(photochrom.saturation, amount=1.3)])
    return recipe(picture)


def values(found: Any) -> dict[str, Any]:
    return {control.name: control.value for control in found.controls}


def near(found: Any, tolerance: float) -> None:
    for name, value in values(found).items():
        np.testing.assert_allclose(value, TRUE[name], atol=tolerance, err_msg=name)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_an_8_bit_edit_is_found_from_neutral(coffee: np.ndarray, loss: str) -> None:
    found = fit(neutral(), coffee, edited(coffee), controls=NAMES, loss=loss)
    near(found, 0.02)
    assert found.converged
    assert found.before.psnr < 25
    assert found.after.psnr > 58   # rounding to 8 bits alone is 58.9 dB
    assert found.after.largest < 1.5
    assert all(control.sure for control in found.controls)
    assert list(found.history) == sorted(found.history, reverse=True)
    assert np.abs(found.recipe(coffee).astype(int) - edited(coffee)).max() <= 1


def test_floats_are_found_exactly(coffee: np.ndarray) -> None:
    exact = coffee / 255.0
    found = fit(neutral(), exact, edited(exact), controls=NAMES)
    near(found, 1e-4)
    assert found.after.psnr > 100


def test_the_true_value_lies_within_the_stated_error(coffee: np.ndarray) -> None:
    found = fit(neutral(), coffee, edited(coffee), controls=["gamma", "saturation", "stops", "sigmoid_contrast.amount"])
    for control in found.controls:
        off = np.abs(np.subtract(control.value, TRUE[control.name])).ravel()
        assert (off < 6 * np.array(control.error) + 1e-5).all(), control


def test_gradient_descent_finds_the_same(coffee: np.ndarray) -> None:
    found = fit(neutral(), coffee, edited(coffee), controls=NAMES, method="descent", samples=4096, steps=250)
    near(found, 0.05)
    assert found.after.psnr > 54


def test_it_is_deterministic_and_changes_nothing_it_is_given(coffee: np.ndarray) -> None:
    start, before = neutral(), coffee.copy()
    told = start.dumps()
    after = edited(coffee)
    first, again = (fit(start, coffee, after, samples=2000, seed=3) for _ in range(2))
    assert first == again or (first.history == again.history and values(first) == values(again))
    assert start.dumps() == told
    assert (coffee == before).all()
    other = fit(start, coffee, after, samples=2000, seed=4)
    assert other.history != first.history


def test_the_written_recipe_is_the_fitted_one(coffee: np.ndarray) -> None:
    found = fit(neutral(), coffee, edited(coffee))
    read = loads(found.recipe.dumps())
    assert read.dumps() == found.recipe.dumps()
    assert (photochrom.run(read, coffee) == found.recipe(coffee)).all()
    assert not list(found.recipe.parameters())


def test_several_pairs_and_a_batch(coffee: np.ndarray, rocket: np.ndarray) -> None:
    found = fit(neutral(), [coffee, rocket], [edited(coffee), edited(rocket)], controls=NAMES)
    near(found, 0.02)
    batch = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    near(fit(neutral(), batch, edited(batch), controls=NAMES), 1e-3)


def test_a_curve_is_found_in_its_outputs(coffee: np.ndarray) -> None:
    outputs = (0.05, 0.2, 0.55, 0.85, 0.95)
    points = tuple(zip((0.0, 0.25, 0.5, 0.75, 1.0), outputs, strict=True))
    start = Step(photochrom.curve, points=tuple((x, x) for x, _ in points))
    found = fit(start, coffee, photochrom.curve(coffee, points=points))
    learnt = np.array(found.controls[0].value)
    np.testing.assert_array_equal(learnt[:, 0], [x for x, _ in points])
    np.testing.assert_allclose(learnt[:, 1], outputs, atol=2e-3)
    assert isinstance(found.recipe.steps[0].values()["points"], tuple)


def test_a_window_step_is_fitted_on_patches(coffee: np.ndarray) -> None:
    import skimage.data

    large = np.ascontiguousarray(skimage.data.coffee())
    true = Recipe([Step(photochrom.brightness, amount=0.05), Step(photochrom.unsharp_mask, sigma=2.0, amount=0.8)])
    after = true(large)
    start = Recipe([Step(photochrom.brightness, amount=0.0), Step(photochrom.unsharp_mask, sigma=2.0, amount=0.0)])
    found = fit(start, large, after, samples=16384)
    assert values(found)["1.brightness.amount"] == pytest.approx(0.05, abs=1e-3)
    assert values(found)["2.unsharp_mask.amount"] == pytest.approx(0.8, abs=1e-2)


def test_a_plain_number_is_trained_if_named(coffee: np.ndarray) -> None:
    after = photochrom.gaussian(coffee, sigma=2.5)
    found = fit(Step(photochrom.gaussian, sigma=1.0), coffee, after, controls=["sigma"])
    assert found.controls[0].value == pytest.approx(2.5, abs=0.02)
    with pytest.raises(ControlError, match="plain numbers have no gradient"):
        fit(Step(photochrom.gaussian, sigma=1.0), coffee, after, controls=["sigma"], method="descent")
    with pytest.raises(ControlError, match="border of gaussian cannot be trained"):
        fit(Step(photochrom.gaussian), coffee, after, controls=["border"])


def test_strength_is_trained_if_named_and_masks_are_cut_with_the_pixels(coffee: np.ndarray) -> None:
    mask = torch.linspace(0, 1, coffee.shape[1]).expand(1, 1, *coffee.shape[:2])
    after = Step(photochrom.negative, strength=0.3, mask=mask)(coffee)
    found = fit(Step(photochrom.negative, strength=0.9, mask=mask), coffee, after, controls=["strength"], samples=3000)
    assert found.controls[0].value == pytest.approx(0.3, abs=2e-3)
    assert found.recipe.steps[0].strength() == found.controls[0].value


def test_steps_before_the_first_trained_one_see_the_whole_picture(coffee: np.ndarray) -> None:
    true = Recipe([Step(photochrom.equalize), Step(photochrom.power, gamma=1.4)])
    start = Recipe([Step(photochrom.equalize), Step(photochrom.power, gamma=1.0)])
    found = fit(start, coffee, true(coffee), controls=["gamma"], samples=4096)
    assert found.controls[0].value == pytest.approx(1.4, abs=2e-3)


def test_steps_that_measure_after_a_trained_one(coffee: np.ndarray) -> None:
    true = Recipe([Step(photochrom.power, gamma=1.4), Step(photochrom.white_balance)])
    start = Recipe([Step(photochrom.power, gamma=1.0), Step(photochrom.white_balance)])
    assert fit(start, coffee, true(coffee), controls=["gamma"]).controls[0].value == pytest.approx(1.4, abs=5e-3)


def test_the_hard_range_is_kept(coffee: np.ndarray) -> None:
    after = photochrom.brightness(coffee / 255.0, amount=0.3) ** 9.0
    found = fit(Step(photochrom.sigmoid_contrast, amount=0.0), coffee / 255.0, after)
    assert -12 <= found.controls[0].value <= 12
    assert 0 <= found.controls[1].value <= 1


def test_an_edit_out_of_reach_is_reported_in_figures(coffee: np.ndarray) -> None:
    found = fit(Step(photochrom.brightness, amount=0.0), coffee, 255 - coffee)
    assert found.after.psnr < 20
    off = np.clip(coffee / 255.0 + found.controls[0].value, 0, 1) - (255 - coffee) / 255.0
    assert found.after.psnr == pytest.approx(-10 * math.log10((off ** 2).mean()), abs=1e-3)
    assert found.after.mean == pytest.approx(255 * np.abs(off).mean(), rel=1e-4)
    assert found.after.largest == pytest.approx(255 * np.abs(off).max(), rel=1e-4)
    assert (np.abs(255 * off) <= found.after.most + 1e-3).mean() >= 0.99


def test_what_the_pictures_cannot_tell_is_said(coffee: np.ndarray) -> None:
    start = Recipe([Step(photochrom.brightness, amount=0.0), Step(photochrom.brightness, amount=0.0)])
    found = fit(start, coffee, photochrom.brightness(coffee, amount=-0.1))
    assert [control.sure for control in found.controls] == [False, False]
    assert sum(control.value for control in found.controls) == pytest.approx(-0.1, abs=2e-3)
    assert found.controls[0].value == pytest.approx(-0.05, abs=2e-3)   # of all that fit, the nearest to the start


def test_the_identity_stays_where_it_is(coffee: np.ndarray) -> None:
    found = fit(Step(photochrom.power, gamma=1.0), coffee, coffee)
    assert [control.value for control in found.controls] == [1.0, 1.0]
    assert math.isinf(found.after.psnr)
    assert str(found.after).startswith("equal")


def test_an_edit_by_pillow(coffee: np.ndarray) -> None:
    picture = Image.fromarray(coffee)
    after = ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(1.2)).enhance(0.6)
    start = Recipe([Step(photochrom.contrast, amount=1.0, centre=0.0), Step(photochrom.saturation, amount=1.0)])
    found = fit(start, picture, after, controls=["contrast.amount", "saturation"])
    assert values(found)["1.contrast.amount"] == pytest.approx(1.2, abs=0.01)
    assert values(found)["2.saturation.amount"] == pytest.approx(0.6, abs=0.02)   # Pillow's grey is BT.601's
    assert found.after.psnr > 38


def test_clipped_pixels_say_only_on_which_side_they_lie() -> None:
    made, target = torch.tensor([1.5, 0.5, -0.5, 0.5]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert apart(made, target, True).tolist() == [0.0, -0.5, 0.0, 0.5]
    assert apart(made, target, False).tolist() == [0.5, -0.5, -0.5, 0.5]


def test_outliers_count_little(coffee: np.ndarray) -> None:
    after = photochrom.power(coffee, gamma=1.3)
    after[:20, :40] = 255
    found = fit(Step(photochrom.power, gamma=1.0), coffee, after, controls=["gamma"], loss="l1")
    assert found.controls[0].value == pytest.approx(1.3, abs=0.01)


def test_transparent_and_broken_pixels_do_not_count(coffee: np.ndarray) -> None:
    after = photochrom.power(coffee, gamma=1.3)
    opaque = np.full((*coffee.shape[:2], 1), 255, np.uint8)
    opaque[:50] = 0
    after[:50] = 7
    found = fit(Step(photochrom.power, gamma=1.0), np.concatenate([coffee, opaque], -1),
                np.concatenate([after, opaque], -1))
    assert values(found)["1.power.gamma"] == pytest.approx(1.3, abs=5e-3)
    broken, target = coffee / 255.0, photochrom.power(coffee / 255.0, gamma=1.3)
    broken[3, 5], target[50:60, :, 1] = math.nan, math.inf
    found = fit(Step(photochrom.power, gamma=1.0), broken, target)
    assert values(found)["1.power.gamma"] == pytest.approx(1.3, abs=1e-3)
    assert found.after.psnr > 80
    blurred = photochrom.unsharp_mask(coffee / 255.0, amount=1.0)
    found = fit(Step(photochrom.unsharp_mask, amount=0.0), broken, blurred)
    assert found.controls[0].value == pytest.approx(1.0, abs=1e-3)


def test_16_bits_and_grey(coffee: np.ndarray) -> None:
    deep = (coffee[..., 1].astype(np.uint16) * 257)
    found = fit(Step(photochrom.power, gamma=1.0), deep, photochrom.power(deep, gamma=0.7))
    assert values(found)["1.power.gamma"] == pytest.approx(0.7, abs=1e-4)
    assert found.after.psnr > 90
    grey = photochrom.saturation(coffee, amount=0.0)[..., :1]
    found = fit(Step(photochrom.saturation, amount=1.0), coffee, grey)
    assert found.controls[0].value == pytest.approx(0.0, abs=5e-3)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "sizes": ({"after": np.zeros((5, 9, 3), np.uint8)}, "must have one size, got 8 x 5 before and 9 x 5 after"),
    "count": ({"after": [np.zeros((5, 8, 3), np.uint8)] * 2}, "got 1 before and 2 after"),
    "nothing": ({"before": [], "after": []}, "at least one"),
    "kind": ({"before": 3}, "before must be a tensor"),
    "nan": ({"before": np.full((5, 8, 3), np.nan)}, "nothing to compare"),
    "name": ({"controls": ["stpos"]}, "no control 'stpos'; did you mean 'stops'"),
    "place": ({"controls": ["3.stops"]}, "no control '3.stops'"),
    "no control": ({"recipe": Step(photochrom.negative)}, "no control that can be trained; its steps are negative"),
    "none": ({"controls": []}, "no control that can be trained"),
    "loss": ({"loss": "l3"}, "loss must be one of"),
    "method": ({"method": "adam"}, "method must be"),
    "steps": ({"steps": 0}, "steps must be a whole number"),
    "samples": ({"samples": 0.5}, "samples must be a whole number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str) -> None:
    changed, sentence = BAD[case]
    given: dict[str, Any] = {"recipe": Step(photochrom.exposure, stops=0.0), "before": np.zeros((5, 8, 3), np.uint8),
                             "after": np.zeros((5, 8, 3), np.uint8), **changed}
    with pytest.raises(ControlError, match="fit") as error:
        fit(given.pop("recipe"), given.pop("before"), given.pop("after"), **given)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_units_are_soft_spans_and_logarithms() -> None:
    controls = trained_controls([Step(photochrom.exposure, stops=0.0), Step(photochrom.power)])
    assert [control.label for control in controls] == ["1.exposure.stops", "2.power.gamma", "2.power.coefficient"]
    stops, gamma = controls[0], controls[1]
    assert stops.to_numbers(torch.tensor(0.25)).item() == pytest.approx(2.0)       # soft -4..4
    assert (gamma.to_units(torch.tensor(5.0)) - gamma.to_units(torch.tensor(0.2))).item() == pytest.approx(1.0)
    for control in controls:
        low, high = control.limits()
        limits = control.control.range
        assert limits is not None
        assert control.to_numbers(torch.tensor(high)).item() == pytest.approx(limits.high)
        assert control.to_numbers(torch.tensor(low)).item() == pytest.approx(limits.low, abs=0.005)
