"""Controls: the closed vocabulary of values an operation takes, how each is checked, read and written."""

from __future__ import annotations

import itertools
import math
import types as pytypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from torch import Tensor

from photochrom.core.errors import ControlError, DeclarationError
from photochrom.core.types import Kind, Range


@dataclass(frozen=True)
class Control:
    """One control of an operation, derived from its annotation and default."""

    name: str
    kind: Literal["float", "int", "bool", "choice", "color", "point", "points", "curve", "size", "box", "kernel",
                  "matrix", "model"]
    default: Any
    range: Range | None = None
    choices: tuple[str, ...] = ()
    tensor: bool = False
    help: str = ""
    optional: bool = False
    """None is a value: nothing is asked for."""

    def check(self, value: Any, operation: str) -> Any:
        """Return `value` in its canonical type, or raise one sentence naming operation, control, expected and got.

        Tensors are passed on unlooked-at: reading their values would stall a GPU.
        """
        if value is None and self.optional:
            return None
        if isinstance(value, Tensor):
            if self.tensor and value.is_floating_point():
                return value
            wanted = "a floating tensor" if self.tensor else f"{_EXPECTED[self.kind]}, not a tensor"
            raise ControlError(f"{operation}: {self.name} must be {wanted}, got one of {value.dtype}")
        try:
            plain = _CANONICAL[self.kind](value)
        except (TypeError, ValueError, OverflowError):
            plain = None
        if plain is None or (self.kind == "choice" and plain not in self.choices):
            expected = " or ".join(self.choices) if self.choices else _EXPECTED[self.kind]
            raise ControlError(f"{operation}: {self.name} must be {expected}, got {value!r}")
        if self.range is not None and not self.range.low <= plain <= self.range.high:
            low, high = f"{self.range.low:g}", f"{self.range.high:g}"
            unit = f" {self.range.unit}" if self.range.unit else ""
            raise ControlError(f"{operation}: {self.name} must lie between {low} and {high}{unit}, got {value!r}")
        return plain

    def describe(self) -> dict[str, Any]:
        """Return the declaration as plain data, for the index, the documentation and the studio."""
        facts: dict[str, Any] = {"name": self.name, "kind": self.kind, "default": self.default, "help": self.help}
        if self.range is not None:
            facts |= {"low": self.range.low, "high": self.range.high, "soft": self.range.soft or None,
                      "scale": self.range.scale, "unit": self.range.unit, "neutral": self.range.neutral}
        if self.choices:
            facts["choices"] = list(self.choices)
        return facts | ({"tensor": True} if self.tensor else {})


def control_from(name: str, annotation: Any, default: Any, help: str) -> Control:
    """Derive a control from an annotation such as `Annotated[float | Tensor, Range(0, 20)]`."""
    marks: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        marks = tuple(rest)
    limits = next((mark for mark in marks if isinstance(mark, Range)), None)
    tensor = optional = False
    if get_origin(annotation) in (Union, pytypes.UnionType):
        offered = get_args(annotation)
        tensor, optional = Tensor in offered, type(None) in offered
        annotation = next(part for part in offered if part not in (Tensor, type(None)))
        marks += get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    named = next((mark.name for mark in marks if isinstance(mark, Kind)), None)
    if named:
        return Control(name, named, default, limits, (), tensor, help, optional)
    if get_origin(annotation) is Literal:
        return Control(name, "choice", default, None, get_args(annotation), False, help)
    if annotation is bool:
        return Control(name, "bool", default, None, (), False, help)
    if annotation in (float, int):
        if limits is None:
            raise DeclarationError(f"control {name} is a number without a Range")
        kind: Literal["float", "int"] = "float" if annotation is float else "int"
        return Control(name, kind, default, limits, (), tensor, help, optional)
    raise DeclarationError(f"control {name} has type {annotation}, which is not in the vocabulary of controls")


def _float(value: Any) -> float:
    if isinstance(value, (bool, str)) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _int(value: Any) -> int:
    if isinstance(value, (bool, str)) or int(value) != value:
        raise ValueError
    return int(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _choice(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _color(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):   # "#rrggbb", as browsers and stylesheets write it
        if len(value) != 7 or value[0] != "#":
            raise ValueError
        value = [part / 255 for part in bytes.fromhex(value[1:])]
    return _tuple_of(value, 3)


def _tuple_of(value: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(_float(part) for part in value)
    if len(numbers) != count:
        raise ValueError
    return numbers


def _points(value: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(_tuple_of(point, 2) for point in value)


def _curve(value: Any) -> tuple[tuple[float, ...], ...]:
    points = _points(value)
    if len(points) < 2 or any(a[0] >= b[0] for a, b in itertools.pairwise(points)):
        raise ValueError
    return points


def _box(value: Any) -> tuple[float, ...]:
    x0, y0, x1, y1 = _tuple_of(value, 4)
    if x1 <= x0 or y1 <= y0:
        raise ValueError
    return x0, y0, x1, y1


def _rows(value: Any) -> tuple[tuple[float, ...], ...]:
    rows = tuple(tuple(_float(part) for part in row) for row in value)
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError
    return rows


def _kernel(value: Any) -> tuple[tuple[float, ...], ...] | str:
    return value if isinstance(value, str) and value.isidentifier() else _rows(value)


def _model(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _size(value: Any) -> tuple[int, ...]:
    height, width = (_int(part) for part in value)
    if min(height, width) < 1:
        raise ValueError
    return height, width


_CANONICAL: dict[str, Callable[[Any], Any]] = {
    "float": _float, "int": _int, "bool": _bool, "choice": _choice, "color": _color,
    "point": lambda value: _tuple_of(value, 2), "points": _points, "curve": _curve, "size": _size,
    "box": _box, "kernel": _kernel, "matrix": _rows, "model": _model,
}
_EXPECTED = {
    "float": "a finite number", "int": "a whole number", "bool": "true or false", "choice": "a name",
    "color": "a colour (three numbers 0..1 or '#rrggbb')", "point": "a point (x, y)", "points": "points (x, y)",
    "curve": "two or more points (input, output) with rising inputs", "size": "a size (height, width) of at least 1",
    "box": "a box (x0, y0, x1, y1) with x0 < x1 and y0 < y1",
    "kernel": "a name or rows of finite numbers, all of one length",
    "matrix": "rows of finite numbers, all of one length", "model": "the name of weights, or a file of them",
}


def parse(kind: str, text: str) -> Any:
    """Read a control value as typed on a command line; `Control.check` judges the result.

    Points are `x,y`, lists of them are separated by blanks or semicolons, a curve is `in:out,in:out`, a size `WxH`, a
    box `x0,y0,x1,y1`. Rows of a kernel or matrix are separated by semicolons or lie on a line each. A number may be a
    fraction, `1/3`. `none` stands for no value, where a control may have none.

    Example:
        >>> parse("curve", "0:0,0.5:0.6,1:1"), parse("size", "640x480")
        (((0.0, 0.0), (0.5, 0.6), (1.0, 1.0)), (480, 640))
    """
    if text.strip().lower() == "none" and kind not in ("choice", "model", "kernel"):
        return None
    try:
        if kind == "float":
            return _number(text)
        if kind == "int":
            return int(text)
        if kind == "bool":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if kind == "color" and not text.startswith("#"):
            return tuple(float(part) for part in text.split(","))
        if kind == "point":
            return tuple(float(part) for part in text.split(","))
        if kind == "points":
            return tuple(tuple(float(p) for p in point.split(",")) for point in text.replace(";", " ").split())
        if kind == "curve":
            return tuple(tuple(float(p) for p in point.split(":")) for point in text.split(","))
        if kind == "box":
            return tuple(float(part) for part in text.split(","))
        if kind in ("kernel", "matrix") and not text.isidentifier():
            rows = text.replace("\n", ";").split(";")
            return tuple(tuple(_number(part) for part in row.replace(",", " ").split()) for row in rows if row.strip())
        if kind == "size":
            width, height = text.lower().split("x")
            return int(height), int(width)
    except (ValueError, KeyError):
        pass   # the text itself fails the check, which says what was expected
    return text


def _number(text: str) -> float:
    above, slash, below = text.partition("/")
    try:
        return float(above) / float(below) if slash else float(text)
    except ZeroDivisionError:
        raise ValueError from None
