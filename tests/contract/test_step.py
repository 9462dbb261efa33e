"""What the step gives every operation: strength, mask, copies of itself."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from tests.contract.cases import (
    BLENDED,
    OPERATIONS,
    array,
    call,
    channels_of,
    every,
    every_setting,
    near,
    one_sentence,
    others,
    picture,
    pictures_of,
)


def step_of(operation: Operation, image: torch.Tensor | None = None, **controls: object) -> Step:
    return Step(operation, **others(operation, picture(channels=channels_of(operation, 3)) if image is None else image),
                **controls)


@every_setting()
def test_strength_one_is_the_operation_and_zero_the_input(operation: Operation, values: dict) -> None:
    image = picture(batch=2, low=-0.5, high=1.5)
    whole = call(operation, image, **values)
    assert torch.equal(step_of(operation, image, **values)(image), whole)
    for one in (1, 1.0, torch.tensor(1.0), torch.ones(2)):
        assert torch.equal(step_of(operation, image, strength=one, **values)(image), whole)
    for zero in (0, 0.0, torch.tensor(0.0), torch.zeros(2)):
        assert torch.equal(step_of(operation, image, strength=zero, **values)(image), image)


@every_setting()
def test_strength_is_the_way_from_the_input_to_the_operation(operation: Operation, values: dict) -> None:
    image = picture(batch=2)
    whole = call(operation, image, **values)
    near(step_of(operation, image, strength=0.5, **values)(image), (image + whole) / 2)
    near(step_of(operation, image, strength=0.125, **values)(image), image * 0.875 + whole * 0.125)
    each = step_of(operation, image, strength=torch.tensor([0.0, 0.5]), **values)(image)
    assert torch.equal(each[:1], image[:1])
    near(each[1:], (image + whole)[1:] / 2)


@every()
def test_strength_outside_its_range_is_refused(operation: Operation) -> None:
    for wrong in (-0.001, 1.001, "half", True, None, float("nan")):
        with pytest.raises(ControlError) as error:
            step_of(operation, strength=wrong)
        one_sentence(error, operation.name, "strength")


@every_setting(BLENDED)
def test_the_mask_says_where(operation: Operation, values: dict) -> None:
    image = picture(12, 16, batch=2, low=-0.5, high=1.5)
    mask = torch.zeros(1, 1, 12, 16)
    mask[..., 5:] = 1
    mask[..., 4] = 0.5
    whole = call(operation, image, **values)
    result = step_of(operation, image, mask=mask, **values)(image)
    assert torch.equal(result[..., :4], image[..., :4])
    assert torch.equal(result[..., 5:], whole[..., 5:])
    near(result[..., 4], (image + whole)[..., 4] / 2)
    half = step_of(operation, image, mask=mask, strength=0.5, **values)(image)
    assert torch.equal(half[..., :4], image[..., :4])
    near(half[..., 5:], (image + whole)[..., 5:] / 2)


@every(BLENDED)
def test_a_mask_may_differ_from_picture_to_picture_and_be_an_array(operation: Operation) -> None:
    image = picture(12, 16, batch=2)
    both = torch.cat([torch.zeros(1, 1, 12, 16), torch.ones(1, 1, 12, 16)])
    result = step_of(operation, image, mask=both)(image)
    assert torch.equal(result[:1], image[:1])
    assert torch.equal(result[1:], call(operation, image)[1:])
    grey = array(12, 16, None, "uint8")
    near(step_of(operation, image, mask=grey)(image),
         step_of(operation, image, mask=torch.from_numpy(grey)[None, None] / 255)(image))


@every(BLENDED)
def test_a_mask_of_another_size_is_refused(operation: Operation) -> None:
    image = picture(12, 16)
    for way in (lambda step: step(image), lambda step: photochrom.run(step, image)):
        with pytest.raises(ControlError) as error:
            way(step_of(operation, image, mask=torch.ones(1, 1, 12, 15)))
        one_sentence(error, operation.name, "mask", "15 x 12")


@every()
def test_weights_of_another_size_are_refused(operation: Operation) -> None:
    image = picture(12, 16)
    for name in [name for name in operation.others if name.endswith("_mask")]:
        given = {**others(operation, image, optional=True), name: torch.ones(1, 1, 5, 6)}
        step = Step(operation, **given)
        for way in (lambda given=given: call(operation, image, given), lambda step=step: step(image),
                    lambda step=step: photochrom.run(step, image)):
            with pytest.raises(ControlError) as error:
                way()
            one_sentence(error, operation.name, "mask", "6 x 5")


@every([operation for operation in OPERATIONS if any(name.endswith("_mask") for name in operation.others)])
def test_weights_of_one_change_nothing_and_of_nought_hide(operation: Operation) -> None:
    image = picture(12, 16)
    given = others(operation, image, optional=True)
    weights = [name for name in operation.others if name.endswith("_mask")]
    plain = call(operation, image, {name: other for name, other in given.items() if name not in weights})
    near(call(operation, image, {name: torch.ones_like(other) if name in weights else other
                                 for name, other in given.items()}), plain)
    for name in [name for name in weights if name != "image_mask" and "mask" not in operation.ports]:
        half = torch.ones_like(given[name])
        half[..., :3, :] = 0
        key = name.removesuffix("_mask")
        base = {other: value for other, value in given.items() if other not in weights}
        hidden = base[key].clone()
        hidden[..., :3, :] = 5
        near(call(operation, image, {**base, key: hidden, name: half}),
             call(operation, image, {**base, key: base[key][..., 3:, :]}))


@every()
def test_a_step_without_its_pictures_says_which(operation: Operation) -> None:
    image = picture(12, 16)
    for name in pictures_of(operation):
        with pytest.raises(ControlError) as error:
            Step(operation)(image)
        one_sentence(error, operation.name, f"'{name}'", "none is bound")
        with pytest.raises(ControlError) as error:
            Step(operation, **{name: "there.png"})(image)
        one_sentence(error, operation.name, f"'{name}'", "there.png")
    with pytest.raises(ControlError) as error:
        Step(operation, **{**others(operation, image), "mask": "mask.png"})(image)
    one_sentence(error, operation.name, "mask.png")


@every_setting()
def test_steps_and_recipes_can_be_copied_and_pickled(operation: Operation, values: dict) -> None:
    image = picture()
    mask = {} if "mask" in operation.ports else {"mask": picture(channels=1, seed=5)}
    step = step_of(operation, image, strength=torch.tensor(0.75), **mask, **values)
    recipe = Recipe([step, step_of(operation, image, **values)], name="two", about="for a test")
    for original in (step, recipe):
        expected = original(image)
        for twin in (copy.deepcopy(original), pickle.loads(pickle.dumps(original)), copy.copy(original)):
            assert torch.equal(twin(image), expected)
            assert list(twin.state_dict()) == list(original.state_dict())
    assert copy.deepcopy(recipe).name == "two"
    twin = copy.deepcopy(step)
    twin.set("strength", 0.0)
    assert torch.equal(twin(image), image)
    assert step.tensors.items()["strength"] == 0.75


@every()
def test_operations_are_pickled_by_name(operation: Operation) -> None:
    assert pickle.loads(pickle.dumps(operation)) is operation
    assert copy.deepcopy(operation) is operation
    function = getattr(photochrom, operation.name)
    assert pickle.loads(pickle.dumps(function)) is function


@every_setting()
def test_tensor_controls_travel_in_the_state(operation: Operation, values: dict) -> None:
    image = picture()
    for name, control in operation.controls.items():
        if control.tensor and control.range is not None:
            first, second = (torch.nn.Parameter(torch.tensor(value)) for value in (float(control.default), 0.9))
            step = step_of(operation, image, **{**values, name: first})
            other = step_of(operation, image, **{**values, name: second})
            assert [key for key, _ in step.named_parameters()] == [f"tensors.{name}"]
            other.load_state_dict(step.state_dict())
            assert torch.equal(other(image), step(image))
