"""Every operation has a form, derived from its declaration, that gives back what is entered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from photochrom.core.errors import ControlError
from photochrom.core.registry import registry
from photochrom.nets.weights import shipped
from photochrom.studio import desk
from photochrom.studio.forms import Field, controls_of, lies_over, painted_beside, painted_ports, read
from photochrom.studio.history import Entry, checked

STEPS = [name for name in registry.names() if registry.get(name).chains]


@pytest.fixture
def page() -> Iterator[None]:
    with gr.Blocks(analytics_enabled=False):
        yield


def value_of(field: Field) -> Any:
    """What the browser would send back for an untouched component."""
    return field.part.value


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("name", registry.names())
def test_an_untouched_form_gives_the_defaults(name: str) -> None:
    operation = registry.get(name)
    fields = controls_of(Entry(name))
    names = [field.name for field in fields]
    assert [field for field in names if field != "strength"] == list(operation.controls)
    values, strength = read(operation, names, [value_of(field) for field in fields])
    assert strength == 1.0
    for control in operation.controls.values():
        wanted = control.check(control.default, name)
        if control.kind == "color":
            assert values[control.name] == pytest.approx(wanted, abs=0.5 / 255)
        else:
            assert values[control.name] == wanted


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("name", STEPS)
def test_sliders_cover_the_soft_range_and_fields_the_hard_one(name: str) -> None:
    operation = registry.get(name)
    for field in controls_of(Entry(name)):
        control = operation.controls.get(field.name)
        if control is None or control.range is None:
            continue
        props = field.part.props
        assert (props["low"], props["high"]) == (control.range.low, control.range.high)
        low, high = control.range.soft or (control.range.low, control.range.high)
        assert (props["soft_low"], props["soft_high"]) == (low, high)
        assert props["unit"] == control.range.unit
        assert props["log"] == (control.range.scale == "log" and props["soft_low"] > 0)


@pytest.mark.usefixtures("page")
def test_choices_and_curves_have_components_of_their_own() -> None:
    kinds = {field.name: type(field.part).__name__ for field in controls_of(Entry("unsharp_mask"))}
    assert kinds == {"sigma": "HTML", "amount": "HTML", "border": "Dropdown", "space": "Radio", "strength": "HTML"}
    curve = controls_of(Entry("curve"))[0].part
    assert curve.value[0] == [0.0, 0.0]
    assert isinstance(controls_of(Entry("white_balance"))[1].part, gr.ColorPicker)


def test_what_is_entered_wrongly_is_one_sentence() -> None:
    operation = registry.get("gaussian")
    names = [*operation.controls, "strength"]
    with pytest.raises(ControlError, match="sigma must lie between"):
        read(operation, names, [-3.0, "reflect", "encoded", 1.0])
    with pytest.raises(ControlError, match="strength must lie between 0 and 1"):
        read(operation, names, [2.0, "reflect", "encoded", 2.0])
    with pytest.raises(ControlError, match="a box"):
        read(registry.get("crop"), ["box"], ["1,2,3"])


def test_numbers_for_each_channel_are_read() -> None:
    values, _ = read(registry.get("exposure"), ["stops"], ["0.5, 1/4, -1"])
    assert values["stops"] == (0.5, 0.25, -1.0)
    step = Entry("exposure", checked(registry.get("exposure"), values)).step()
    assert step.tensors.items()["stops"].tolist() == [[0.5, 0.25, -1.0]]


def test_colours_come_as_browsers_write_them() -> None:
    for text in ("#ff8000", "rgb(255, 128, 0)", "rgba(255, 128, 0, 1)"):
        values, _ = read(registry.get("white_balance"), ["neutral"], [text])
        assert values["neutral"] == pytest.approx((1.0, 128 / 255, 0.0))


def test_what_is_painted_where() -> None:
    assert [port for port, _, _ in painted_ports(Entry("exposure"))] == ["mask"]
    assert painted_ports(Entry("colorize_scribbles"))[0][::2] == ("scribbles", True)
    assert painted_ports(Entry("resize")) == []   # it changes the size, so it takes no mask
    clone, transfer = registry.get("seamless_clone"), registry.get("transfer_statistics")
    assert lies_over(clone, "mask") == "source"
    assert painted_beside(clone, "source") == "mask"
    assert painted_beside(transfer, "reference") == "reference_mask"
    assert lies_over(registry.get("fill"), "mask") is None


def test_the_tool_in_hand_follows_the_declaration() -> None:
    assert desk.first_tool(Entry("crop")) == "box:box"
    assert desk.first_tool(Entry("fill")) == "paint:mask"
    assert desk.first_tool(Entry("colorize_scribbles")) == "paint:scribbles"
    assert desk.first_tool(Entry("seamless_clone")) == "move:offset"
    assert ("pick point", "point:point") in desk.tools_of(Entry("white_balance"))
    assert all(not tool.startswith("points") for _, tool in desk.tools_of(Entry("notch")))   # those lie in the spectrum


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(("name", "known"), [("upscale", "espcn-x2"), ("denoise", "dncnn-25"),
                                             ("deblock", "dncnn-deblock")])
def test_weights_are_offered_by_name(name: str, known: str) -> None:
    part = next(field.part for field in controls_of(Entry(name)) if field.name == "model")
    offered = [choice for _, choice in part.choices]
    assert offered[0] == "best"
    assert known in offered
    assert all(known.task == name for known in shipped() if known.name in offered)
    assert part.allow_custom_value   # a name of weights in a folder of PHOTOCHROM_WEIGHTS
