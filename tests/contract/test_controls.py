"""Controls: what lies in the range works, what does not is refused in one sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

import photochrom
from photochrom.core.controls import Control, parse
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from tests.contract.cases import (
    COMPANIONS,
    call,
    every,
    every_control,
    just_outside,
    one_sentence,
    others,
    picture,
    pictures_of,
    shape_after,
)

NUMBERS = ("float", "int")


@every_control(NUMBERS)
def test_the_ends_of_the_range_work(operation: Operation, control: Control) -> None:
    assert control.range is not None
    for end in (control.range.low, control.range.high):
        values = {control.name: end, **COMPANIONS.get((operation.name, control.name, end), {})}
        result = call(operation, picture(), **values)
        assert result.shape == shape_after(operation, picture())
        assert result.isfinite().all()


@every_control(NUMBERS)
def test_just_outside_the_range_is_refused(operation: Operation, control: Control) -> None:
    for value in just_outside(control):
        with pytest.raises(ControlError) as error:
            call(operation, picture(), **{control.name: value})
        one_sentence(error, operation.name, control.name, "between", repr(value))
        with pytest.raises(ControlError) as error:
            photochrom.Step(operation, **others(operation, picture()), **{control.name: value})
        one_sentence(error, operation.name, control.name, "between", repr(value))


WRONG: dict[str, list[Any]] = {
    "float": ["nonsense", "", None, [], [1.0], {}, object(), True, math.nan, math.inf, -math.inf, 10**400, 1j],
    "int": ["3", None, [], 2.5, False, math.nan, math.inf, -math.inf],
    "bool": [1, 0, "true", None, 1.0],
    "choice": ["no such choice", "", 3, None, True],
    "color": ["red", "#12345", "#gggggg", "#+1+2+3", (1, 2), (1, 2, math.nan), 3, None],
    "point": [(1,), (1, 2, 3), "1,2", (1, math.inf), None, 3],
    "points": [(1, 2), "1,2", ((1,),), None, 3],
    "curve": [((0, 0),), ((0, 0), (0, 1)), ((1, 0), (0, 1)), "0:0", None],
    "model": ["", " ", 3, None, True, 2.5],
    "size": [(0, 3), (2.5, 3), (3,), "3x3", (math.inf, 3), None, 3],
    "kernel": ["", "1,2;3,4", (), ((),), ((1, 2), (3,)), ((math.nan,),), (1, 2), None, 3],
}


@every_control()
def test_values_of_the_wrong_type_are_refused(operation: Operation, control: Control) -> None:
    for value in WRONG[control.kind]:
        if value is None and control.optional:
            continue
        with pytest.raises(ControlError) as error:
            call(operation, picture(), **{control.name: value})
        one_sentence(error, operation.name, control.name, "must be") if value != 10**400 else None


@every_control()
def test_tensors_are_taken_only_where_declared(operation: Operation, control: Control) -> None:
    with pytest.raises(ControlError) as error:
        call(operation, picture(), **{control.name: torch.tensor(1)})
    one_sentence(error, operation.name, control.name, "tensor")
    if not control.tensor:
        with pytest.raises(ControlError) as error:
            call(operation, picture(), **{control.name: torch.tensor(1.0)})
        one_sentence(error, operation.name, control.name, "not a tensor")


@every_control()
def test_the_default_may_be_typed(operation: Operation, control: Control) -> None:
    """What help shows as the default, typed on the command line, is the default."""
    text = str(control.default).lower() if control.kind == "bool" else str(control.default)
    if control.kind in ("float", "int", "bool", "choice") and control.default is not None:
        assert control.check(parse(control.kind, text), operation.name) == control.default


@every()
def test_an_unknown_control_is_named_with_the_nearest(operation: Operation) -> None:
    for name in list(operation.controls)[:1]:
        with pytest.raises(ControlError) as error:
            call(operation, picture(), **{f"{name}s": 1})
        one_sentence(error, operation.name, f"'{name}s'", f"did you mean '{name}'?")
    with pytest.raises(ControlError) as error:
        call(operation, picture(), zzz=1)
    one_sentence(error, operation.name, "'zzz'", *operation.controls)
    with pytest.raises(ControlError) as error:
        photochrom.Step(operation, zzz=1)
    one_sentence(error, operation.name, "'zzz'", "strength", "mask", *operation.controls)


@every()
def test_controls_are_given_by_name(operation: Operation) -> None:
    image = picture()
    with pytest.raises(ControlError) as error:
        getattr(photochrom, operation.name)(image, *others(operation, image, optional=True).values(), 0.5)
    one_sentence(error, operation.name, "by name")


@every()
def test_a_missing_or_doubled_picture_is_named(operation: Operation) -> None:
    image = picture()
    function = getattr(photochrom, operation.name)
    for name in pictures_of(operation):
        given = others(operation, image)
        other = given[name]
        with pytest.raises(ControlError) as error:
            function(image, **{key: value for key, value in given.items() if key != name})
        one_sentence(error, operation.name, f"'{name}'")
        with pytest.raises(ControlError) as error:
            function(image, other, **{name: other})
        one_sentence(error, operation.name, f"'{name}'", "twice")
    with pytest.raises(ControlError) as error:
        function(image, image=image)
    one_sentence(error, operation.name, "'image'", "twice")


@every()
def test_a_wrong_number_of_channels_is_refused(operation: Operation) -> None:
    if operation.channels is None:
        return
    spread_out = {1} if operation.channels == 3 else set()   # a grey picture has three equal channels
    for wrong in ({1, 2, 3, 4} - {operation.channels} - spread_out):
        image = picture(channels=wrong)
        with pytest.raises(ControlError) as error:
            call(operation, image)
        one_sentence(error, operation.name, "image", str(operation.channels), str(wrong))
        with pytest.raises(ControlError) as error:
            photochrom.Step(operation, **others(operation, image))(image)
        one_sentence(error, operation.name, "image", str(operation.channels), str(wrong))
    right = picture(channels=operation.channels)
    given = others(operation, right)
    if spread_out:
        assert torch.equal(call(operation, right[:, :1], given),
                           call(operation, right[:, :1].expand(-1, 3, -1, -1), given))
    for name in pictures_of(operation):
        grey, two = given[name][:, :1], {**given, name: given[name][:, :2]}
        spread = call(operation, right, {**given, name: grey.expand(-1, operation.channels, -1, -1)})
        assert torch.equal(call(operation, right, {**given, name: grey}), spread)
        assert torch.equal(photochrom.Step(operation, **{**given, name: grey})(right), spread)
        for run in (lambda two=two: call(operation, right, two),
                    lambda two=two: photochrom.Step(operation, **two)(right)):
            with pytest.raises(ControlError) as error:
                run()
            one_sentence(error, operation.name, name, "2")
