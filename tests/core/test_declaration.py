"""Mistakes in declaring an operation are found at import, in one sentence that names it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
import torch
from torch import Tensor

from photochrom.core.controls import control_from
from photochrom.core.docs import parse_docstring
from photochrom.core.errors import ControlError, DeclarationError
from photochrom.core.op import Measured, op, operation_of
from photochrom.core.registry import Registry
from photochrom.core.types import Color, Curve, Image, Point, Points, Range, Reference, Size

PARTS = {
    "head": "Do something to a picture.\n\nIt looks other than before.\n",
    "Args": "Args:\n    image: (B, C, H, W).\n    amount: how much; 0 changes nothing.\n",
    "Returns": "Returns:\n    (B, C, H, W).\n",
    "Raises": "Raises:\n    ControlError: a control outside its range.\n",
    "Reference": "Reference:\n    A book, 1999.\n",
    "Example": "Example:\n    >>> 1\n    1\n",
}
Amount = Annotated[float | Tensor, Range(0, 1, neutral=0)]


def text(**changed: str) -> str:
    return "\n".join({**PARTS, **changed}.values())


def plain(image: Image, *, amount: Amount = 0.5) -> Tensor:
    return image + amount


def declare(function: Any, doc: str | None = None, **how: Any) -> Any:
    function.__doc__ = text() if doc is None else doc
    return op(**{"reach": "pixel", **how})(function)


def test_a_whole_declaration_is_taken() -> None:
    function = declare(plain)
    assert operation_of(function).name == "plain"
    assert operation_of(function).neutral() == {"amount": 0}
    assert function(torch.zeros(1, 1, 2, 2), amount=0.25).unique().item() == 0.25


@pytest.mark.parametrize(("doc", "words"), [
    ("", "full stop"),
    (text(head="Do something\n\nIt looks other.\n"), "full stop"),
    (text(head="Do something.\n"), "what the operation does"),
    (text(Args="Args:\n    image: (B, C, H, W).\n"), "'amount' is not documented"),
    (text(Args="Args:\n    image: (B, C, H, W).\n    amount:\n"), "'amount' is not documented"),
    (text(Args="Args:\n    amount: how much.\n"), "'image' is not documented"),
    (text(Args=PARTS["Args"] + "    extra: more.\n"), "'extra', which the operation does not take"),
    (text(Args=""), "'Args:'"),
    (text(Returns=""), "'Returns:'"),
    (text(Returns="Returns:\n"), "'Returns:'"),
    (text(Raises=""), "'Raises:'"),
    (text(Reference=""), "'Reference:'"),
    (text(Example=""), "'Example:'"),
    (text(Example="Example:\n    nothing to run\n"), "can be run"),
])
def test_an_incomplete_docstring_is_refused(doc: str, words: str) -> None:
    with pytest.raises(DeclarationError, match=words) as error:
        declare(plain, doc)
    assert str(error.value).startswith("plain: ")


def measure(picture: Tensor, weights: Tensor | None = None) -> Any: ...


@pytest.mark.parametrize(("how", "words"), [
    ({"reach": "window"}, "halo"),
    ({"reach": "pixel", "halo": lambda **_: 1}, "halo"),
    ({"reach": "image", "halo": lambda **_: 1}, "halo"),
    ({"reach": "pixel", "measured": Measured(measure, measure)}, "measured"),
    ({"reach": "image", "channelwise": True}, "channelwise"),
    ({"reach": "window", "halo": lambda **_: 1, "channelwise": True}, "channelwise"),
])
def test_a_wrong_reach_is_refused(how: dict[str, Any], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        declare(plain, **how)


def test_wrong_signatures_are_refused() -> None:
    def no_image(picture: Image, *, amount: Amount = 0.5) -> Tensor: ...
    def not_a_picture(image: Image, other: Tensor, *, amount: Amount = 0.5) -> Tensor: ...
    def no_default(image: Image, *, amount: Amount) -> Tensor: ...
    def any_number(image: Image, *more: Image, amount: Amount = 0.5) -> Tensor: ...
    def any_control(image: Image, **more: float) -> Tensor: ...
    def no_range(image: Image, *, amount: float = 0.5) -> Tensor: ...
    def strange(image: Image, *, amount: dict = {}) -> Tensor: ...   # noqa: B006
    def nothing() -> Tensor: ...

    more = PARTS["Args"] + "    other: another.\n    more: others.\n    picture: it.\n"
    for function, words in ((not_a_picture, "'other' stands before"), (no_default, "'amount' must be"),
                            (any_number, "'more' must be"), (any_control, "'more' must be"),
                            (no_range, "amount is a number without a Range"), (strange, "amount has type")):
        with pytest.raises(DeclarationError, match=words):
            declare(function, text(Args=more))
    with pytest.raises(DeclarationError, match="must be called image"):
        declare(no_image, text(Args="Args:\n    picture: it.\n    amount: how much.\n"))
    with pytest.raises(DeclarationError, match=r"nothing: "):
        declare(nothing)


def test_a_default_outside_the_range_is_refused() -> None:
    def wrong(image: Image, *, amount: Amount = 2.0) -> Tensor: ...

    with pytest.raises(ControlError, match=r"amount must lie between 0 and 1, got 2\.0"):
        declare(wrong)


def test_what_belongs_to_the_step_is_refused() -> None:
    def strength_control(image: Image, *, strength: Amount = 0.5) -> Tensor: ...
    def strength_port(image: Image, strength: Reference) -> Tensor: ...
    def mask_control(image: Image, *, mask: Amount = 0.5) -> Tensor: ...

    for function in (strength_control, strength_port, mask_control):
        own = function.__name__.split("_")[0]
        with pytest.raises(DeclarationError, match=f"'{own}' belongs to the step"):
            declare(function, text(Args=f"Args:\n    image: (B, C, H, W).\n    {own}: it.\n"))


def test_a_name_is_given_once() -> None:
    registry = Registry()
    registry.declare("package", {"tone": ("one", "two")})
    assert registry.names() == ["one", "two"]
    with pytest.raises(DeclarationError, match="two operations are called two"):
        registry.declare("package", {"filter": ("two",)})


def test_names_are_looked_up_with_dashes_and_near_misses_are_named() -> None:
    from photochrom.core.registry import registry

    assert registry.get("unsharp-mask") is registry.get("unsharp_mask")
    with pytest.raises(ControlError, match="there is no operation 'gausian'; did you mean 'gaussian'"):
        registry.get("gausian")
    with pytest.raises(ControlError, match="there is no operation 'qqq'; known are "):
        registry.get("qqq")


def test_only_operations_are_operations() -> None:
    for thing in (plain, len, 3, "gaussian"):
        with pytest.raises(ControlError, match="is not an operation"):
            operation_of(thing)


def test_controls_come_from_annotations() -> None:
    limits = Range(0, 4)
    expected = [
        (Annotated[float, limits], 1.0, ("float", False)), (Annotated[int, limits], 1, ("int", False)),
        (Annotated[float | Tensor, limits], 1.0, ("float", True)), (bool, True, ("bool", False)),
        (Literal["a", "b"], "a", ("choice", False)), (Color, (0, 0, 0), ("color", False)),
        (Point, (0, 0), ("point", False)), (Points, (), ("points", False)),
        (Curve, ((0, 0), (1, 1)), ("curve", False)), (Size, (1, 2), ("size", False)),
    ]
    for annotation, default, (kind, tensor) in expected:
        control = control_from("it", annotation, default, "help")
        assert (control.kind, control.tensor, control.default, control.help) == (kind, tensor, default, "help")
        assert control.range == (limits if kind in ("float", "int") else None)
        assert control.choices == (("a", "b") if kind == "choice" else ())
        control.check(default, "op")


def test_the_parts_of_a_docstring_are_found() -> None:
    doc = parse_docstring(text(Args="Args:\n    image: it.\n    amount: how much,\n        on a second line: too.\n"))
    assert doc.summary == "Do something to a picture."
    assert doc.body == "It looks other than before."
    assert doc.args == {"image": "it.", "amount": "how much, on a second line: too."}
    assert doc.sections["Example"] == ">>> 1\n1"
    assert list(doc.sections) == ["Args", "Returns", "Raises", "Reference", "Example"]
