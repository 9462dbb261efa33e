"""The form of an operation: components derived from its declaration, and what was entered read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from photochrom.core.controls import Control, parse
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.step import MASK_HELP, STRENGTH
from photochrom.core.types import Port
from photochrom.nets.weights import shipped
from photochrom.studio import parts
from photochrom.studio.history import Entry, by_channel, checked, show
from photochrom.studio.previews import in_pixels
from photochrom.studio.words import plainly

FEW = 4
"""So many choices are shown all at once."""
_SHAPES = {"point": "x,y", "points": "x,y x,y …", "box": "x0,y0,x1,y1", "size": "width x height",
           "kernel": "a name, or rows such as 1,2,1; 2,4,2; 1,2,1", "matrix": "rows such as 1,0,20; 0,1,0"}
PICKED = ("point", "points", "box")
"""Kinds of controls that are chosen on the picture itself."""
UPLOADS = [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic", ".gif", ".ppm", ".pgm", ".pnm", ".exr",
           ".hdr"]


@dataclass(frozen=True)
class Field:
    """One component of a form and what it stands for."""

    name: str
    part: Any
    event: str
    """The event on which the picture is to be made anew."""


def label(name: str) -> str:
    """Return a name as people read it."""
    return name.replace("_", " ")


def controls_of(entry: Entry, histogram: Mapping[str, list[float]] | None = None,
                drawn: Callable[[Entry], list[list[float]]] = lambda entry: []) -> list[Field]:
    """Make the components of an entry's controls, for a step its strength last, where Gradio is building a page.

    Args:
        entry: the operation and its values.
        histogram: what is drawn behind a curve.
        drawn: gives the line drawn through a curve's points; straight lines if it gives none.
    """
    operation, found = entry.operation, []
    values = checked(operation, entry.values)
    for name, control in operation.controls.items():
        if control.kind == "curve":
            part = parts.curve([list(point) for point in values[name]], name=label(name), help=plainly(control.help),
                               elem_id=_id(control), start=[list(point) for point in control.default],
                               histogram=histogram or {}, drawn=drawn(entry))
            found.append(Field(name, part, "input"))
        else:
            found.append(_control(operation, control, values[name]))
    # Of those that may resize by their controls, the strength has no effect where they do.
    if operation.chains and (not operation.resizes or callable(operation.resizes)):
        found.append(_dial(STRENGTH, entry.strength))
    return found


def _control(operation: Operation, control: Control, value: Any) -> Field:
    name, help = label(control.name), plainly(control.help)
    # Said outright: where it is left open, Gradio switches choices off in forms that are made anew.
    words: dict[str, Any] = {"label": name, "info": help, "elem_id": _id(control), "interactive": True}
    if by_channel(operation, control.name, value):
        words["info"] = f"{help} (a number for each channel, separated by commas)"
        return Field(control.name, gr.Textbox(show("float", value), **words), "input")
    if control.kind in ("float", "int"):
        return _dial(control, value)
    if control.kind == "bool":
        return Field(control.name, gr.Checkbox(value, **words), "input")
    if control.kind == "choice":
        choices = [(label(choice), choice) for choice in control.choices]
        if len(choices) <= FEW:
            return Field(control.name, gr.Radio(choices, value=value, **words), "input")
        return Field(control.name, gr.Dropdown(choices, value=value, **words), "input")
    if control.kind == "model":
        names = dict.fromkeys([control.default, *(known.name for known in shipped() if known.task == operation.name)])
        return Field(control.name, gr.Dropdown(list(names), value=value, allow_custom_value=True, **words), "input")
    if control.kind == "color":
        return Field(control.name, gr.ColorPicker(show("color", value), **words), "input")
    unit = ", in pixels" if in_pixels(operation, control) else ""
    empty = "; may be empty" if value is None or control.optional else ""
    shape = _SHAPES.get(control.kind, "a name")
    text = gr.Textbox(show(control.kind, value), label=f"{name}{unit}", info=f"{help} ({shape}{empty})",
                      elem_id=_id(control), interactive=True,
                      max_lines=4 if control.kind in ("kernel", "matrix") else 1)
    return Field(control.name, text, "input")


def _id(control: Control) -> str:
    return f"control-{control.name}"


def _dial(control: Control, value: Any) -> Field:
    limits = control.range
    assert limits is not None
    low, high = limits.soft or (limits.low, limits.high)
    log = limits.scale == "log" and low > 0
    number = float(value.item()) if hasattr(value, "item") else value
    part = parts.dial(number, low=limits.low, high=limits.high, soft_low=low, soft_high=high, log=log,
                      integer=control.kind == "int", unit=limits.unit, start=control.default, name=label(control.name),
                      help=plainly(control.help), optional=control.optional, elem_id=_id(control))
    return Field(control.name, part, "input")


def read(operation: Operation, fields: Sequence[str], given: Sequence[Any]) -> tuple[dict[str, Any], float]:
    """Return controls and strength as they were entered, checked.

    Args:
        operation: whose form it is.
        fields: the names of its components in order.
        given: their values.

    Raises:
        ControlError: the first value that is wrong, in one sentence.
    """
    values: dict[str, Any] = {}
    for name, value in zip(fields, given, strict=True):
        control = STRENGTH if name == "strength" else operation.controls[name]
        values[name] = _entered(control, value)
    strength = float(STRENGTH.check(values.pop("strength", 1.0), operation.name))
    return checked(operation, values), strength


def _entered(control: Control, value: Any) -> Any:
    if control.kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    if control.kind == "curve":
        if isinstance(value, str):
            value = json.loads(value)
        return tuple(tuple(point) for point in value)
    if control.kind == "color":
        return _color(value)
    if isinstance(value, str) and control.kind not in ("choice",):
        text = value.strip()
        if not text and (control.optional or control.default is None):
            return None
        if control.kind == "float" and "," in text:
            return tuple(parse("float", part.strip()) for part in text.split(","))
        return parse(control.kind, text)
    return value


def _color(value: Any) -> Any:
    """Browsers write colours as #rrggbb or as rgb(12, 34.5, 56)."""
    if isinstance(value, str) and value.startswith("rgb"):
        try:
            parts = [float(part) for part in value[value.index("(") + 1:value.index(")")].split(",")[:3]]
        except ValueError:
            raise ControlError(f"a colour must be written as #rrggbb, got {value!r}") from None
        return tuple(part / 255 for part in parts)
    return value


def lies_over(operation: Operation, port: str) -> str | None:
    """Return the port over whose picture a mask lies: that of its name, the source, or None for the picture itself."""
    if port not in operation.ports or operation.ports[port].aligned:
        return None
    named = port.removesuffix("_mask")
    return named if named != port and named in operation.ports else "source" if "source" in operation.ports else None


def painted_beside(operation: Operation, port: str) -> str | None:
    """Return the mask that is painted over the picture of a port, if there is one."""
    masks = [name for name in operation.ports if name.endswith("mask") and lies_over(operation, name) == port]
    return min(masks, key=len) if masks and port != "scribbles" else None   # `mask` before `source_mask`


def painted_ports(entry: Entry) -> list[tuple[str, str, bool]]:
    """Return what can be painted over the picture for a step: (port, help, whether in colour)."""
    found = []
    for name, port in entry.operation.ports.items():
        if name == entry.operation.main or port.kind != "picture":
            continue
        if name == "scribbles":
            found.append((name, entry.operation.doc.args[name], True))
        elif name in ("mask", "image_mask") and port.aligned:
            found.append((name, entry.operation.doc.args[name], False))
    if "mask" not in entry.operation.ports and entry.takes_mask:
        found.append(("mask", MASK_HELP, False))
    return found


def file_ports(operation: Operation) -> list[tuple[str, Port]]:
    """Return the ports a file can be chosen for, the first left out."""
    return [(name, port) for name, port in operation.ports.items()
            if name != operation.main and port.kind in ("picture", "table") and name != "scribbles_mask"]
