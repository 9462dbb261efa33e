"""The closed vocabulary of controls: each checked, read from text, described."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from photochrom.core.controls import Control, parse
from photochrom.core.errors import ControlError, nearest
from photochrom.core.types import Range
from photochrom.core.values import per_picture

LIMITS = Range(-2, 4, unit="px")
CONTROLS = {
    "float": Control("it", "float", 1.0, LIMITS), "int": Control("it", "int", 1, LIMITS),
    "bool": Control("it", "bool", True), "choice": Control("it", "choice", "one", None, ("one", "two")),
    "color": Control("it", "color", (0, 0, 0)), "point": Control("it", "point", (0, 0)),
    "points": Control("it", "points", ()), "curve": Control("it", "curve", ((0, 0), (1, 1))),
    "size": Control("it", "size", (1, 1)),
}

GOOD: list[tuple[str, Any, Any]] = [
    ("float", 1, 1.0), ("float", np.float32(0.5), 0.5), ("float", np.int64(3), 3.0), ("float", -2, -2.0),
    ("int", 3, 3), ("int", 3.0, 3), ("int", np.int16(-2), -2), ("bool", False, False), ("choice", "two", "two"),
    ("color", "#ff0080", (1.0, 0.0, 128 / 255)), ("color", [0, 0.5, 1], (0.0, 0.5, 1.0)),
    ("color", np.array([0, 0.5, 1]), (0.0, 0.5, 1.0)), ("point", [1, 2.5], (1.0, 2.5)), ("points", [], ()),
    ("points", [[1, 2], (3, 4)], ((1.0, 2.0), (3.0, 4.0))),
    ("curve", [[0, 0], [0.5, 0.75], [1, 1]], ((0.0, 0.0), (0.5, 0.75), (1.0, 1.0))), ("size", [480, 640.0], (480, 640)),
]


@pytest.mark.parametrize(("kind", "value", "canonical"), GOOD, ids=str)
def test_good_values_become_canonical(kind: str, value: Any, canonical: Any) -> None:
    found = CONTROLS[kind].check(value, "op")
    assert found == canonical
    assert type(found) is type(canonical)
    if isinstance(found, tuple) and found:
        assert [type(part) for part in found] == [type(part) for part in canonical]


BAD: list[tuple[str, Any, str]] = [
    ("float", "1", "a finite number"), ("float", True, "a finite number"), ("float", math.nan, "a finite number"),
    ("float", math.inf, "a finite number"), ("float", None, "a finite number"), ("float", [1], "a finite number"),
    ("float", 10**400, "a finite number"), ("int", 1.5, "a whole number"), ("int", "1", "a whole number"),
    ("int", math.inf, "a whole number"), ("int", math.nan, "a whole number"), ("bool", 1, "true or false"),
    ("bool", "true", "true or false"), ("choice", "three", "one or two"), ("choice", 1, "one or two"),
    ("color", "red", "a colour"), ("color", "#12345", "a colour"), ("color", "#1234567", "a colour"),
    ("color", "#12345g", "a colour"), ("color", "#+1+2+3", "a colour"), ("color", "# 1 2 3", "a colour"),
    ("color", (1, 2), "a colour"), ("color", ("1", "2", "3"), "a colour"), ("point", (1, 2, 3), "a point"),
    ("point", "1,2", "a point"), ("points", (1, 2), "points"), ("points", ((1, 2), (3,)), "points"),
    ("curve", ((0, 0),), "two or more points"), ("curve", ((0, 0), (0, 1)), "rising"),
    ("curve", ((1, 0), (0, 1)), "rising"), ("size", (0, 5), "a size"), ("size", (5.5, 5), "a size"),
    ("size", (5,), "a size"), ("size", 5, "a size"),
]


@pytest.mark.parametrize(("kind", "value", "words"), BAD, ids=lambda value: str(value)[:20])
def test_bad_values_are_refused_with_what_was_expected(kind: str, value: Any, words: str) -> None:
    with pytest.raises(ControlError) as error:
        CONTROLS[kind].check(value, "op")
    assert str(error.value).startswith("op: it must be ")
    assert words in str(error.value)
    assert str(error.value).endswith(f", got {value!r}")


def test_ranges_are_closed_and_named_with_their_unit() -> None:
    assert CONTROLS["float"].check(4, "op") == 4
    with pytest.raises(ControlError, match=r"^op: it must lie between -2 and 4 px, got 4.5$"):
        CONTROLS["float"].check(4.5, "op")
    with pytest.raises(ControlError, match=r"^op: it must lie between -2 and 4 px, got -3$"):
        CONTROLS["int"].check(-3, "op")


def test_tensors_pass_unlooked_at_where_declared() -> None:
    control = Control("it", "float", 1.0, LIMITS, (), True)
    value = torch.tensor([99.0, math.nan])
    assert control.check(value, "op") is value
    with pytest.raises(ControlError, match=r"^op: it must be a floating tensor, got one of torch.int64$"):
        control.check(torch.tensor(1), "op")
    with pytest.raises(ControlError, match=r"^op: it must be a finite number, not a tensor, got one of torch.float32$"):
        CONTROLS["float"].check(torch.tensor(1.0), "op")


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("float", "1.5", 1.5), ("float", "-2e-3", -0.002), ("int", "7", 7), ("int", "-7", -7), ("bool", "true", True),
    ("bool", "No", False), ("bool", "1", True), ("choice", "two", "two"), ("color", "#ff0000", "#ff0000"),
    ("color", "1,0.5,0", (1.0, 0.5, 0.0)), ("point", "1,2.5", (1.0, 2.5)), ("point", "-1,-2", (-1.0, -2.0)),
    ("points", "1,2 3,4", ((1.0, 2.0), (3.0, 4.0))), ("points", "1,2;3,4", ((1.0, 2.0), (3.0, 4.0))),
    ("curve", "0:0,0.5:0.7,1:1", ((0.0, 0.0), (0.5, 0.7), (1.0, 1.0))), ("size", "640x480", (480, 640)),
    ("size", "640X480", (480, 640)),
])
def test_text_is_read(kind: str, text: str, value: Any) -> None:
    assert parse(kind, text) == value


@pytest.mark.parametrize(("kind", "text"), [
    ("float", "wide"), ("float", "nan"), ("float", "inf"), ("float", ""), ("int", "1.5"), ("int", "two"),
    ("bool", "maybe"), ("choice", "three"), ("color", "red"), ("color", "1,2"), ("color", "a,b,c"), ("point", "1"),
    ("point", "1,2,3"), ("point", "a,b"), ("points", "1 2"), ("points", "1,2 3"), ("curve", "0:0"), ("curve", "1,2"),
    ("curve", "1:0,0:1"), ("size", "640"), ("size", "640x"), ("size", "axb"), ("size", "0x5"), ("size", "4x4x4"),
])
def test_text_that_cannot_be_read_fails_the_check(kind: str, text: str) -> None:
    with pytest.raises(ControlError, match=r"^op: it must be "):
        CONTROLS[kind].check(parse(kind, text), "op")


def test_declarations_are_plain_data() -> None:
    for control in CONTROLS.values():
        described = control.describe()
        assert json.loads(json.dumps(described))["kind"] == control.kind
    assert CONTROLS["float"].describe()["unit"] == "px"
    assert CONTROLS["choice"].describe()["choices"] == ["one", "two"]


def test_a_control_meets_a_batch() -> None:
    image = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    assert per_picture(0.5, image) == 0.5
    for shape, expected in (((), (1, 1, 1, 1)), ((1,), (1, 1, 1, 1)), ((2,), (2, 1, 1, 1)), ((1, 3), (1, 3, 1, 1)),
                            ((2, 3), (2, 3, 1, 1)), ((2, 1), (2, 1, 1, 1))):
        made = per_picture(torch.ones(shape), image)
        assert isinstance(made, torch.Tensor)
        assert made.shape == expected
        assert made.dtype == torch.float64
    with pytest.raises(ControlError, match=r"the shape \(\), \(B,\) or \(B, C\), got \(2, 3, 1\)"):
        per_picture(torch.ones(2, 3, 1), image)


def test_the_nearest_name_is_proposed() -> None:
    assert nearest("sigmma", ["sigma", "amount"]) == "; did you mean 'sigma'?"
    assert nearest("un-sharp-mask", ["unsharp_mask", "box"]) == "; did you mean 'unsharp_mask'?"
    assert nearest("qqq", ["b", "a"]) == "; known are a, b"
    assert nearest("qqq", []) == ""
