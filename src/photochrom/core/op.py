"""The decorator that turns one annotated function into an operation."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from torch import Tensor

from photochrom.core.controls import Control, control_from
from photochrom.core.docs import Doc, check_docstring, parse_docstring
from photochrom.core.errors import ControlError, DeclarationError, nearest
from photochrom.core.types import Port, Reach

F = TypeVar("F", bound=Callable[..., Any])


class Statistics(Protocol):
    """What `measure` returns: it can be merged with that of another part of the same picture."""

    def merge(self, other: Any) -> Any:
        """Return the statistics of both parts together."""


@dataclass(frozen=True)
class Measured:
    """An operation over the whole picture that needs of it only statistics, so that it streams."""

    measure: Callable[..., Statistics]
    """`measure(picture, weights=None, **controls)`: the statistics of one part of a picture."""
    apply: Callable[..., Tensor]
    """`apply(image, statistics, **controls)`: the pixel part; `statistics` by port name."""
    placed: bool = False
    """`measure` is also told `first_row`: at which row of the whole picture the part begins."""


@dataclass(frozen=True, eq=False)
class Operation:
    """The declaration behind a function: everything that library, command line, recipes and studio derive from."""

    name: str
    function: Callable[..., Tensor]
    reach: Reach
    ports: Mapping[str, Port]
    controls: Mapping[str, Control]
    doc: Doc
    channelwise: bool = False
    channels: int | None = None
    halo: Callable[..., int | None] | None = None
    measured: Measured | None = None
    gives: int | None = None
    resizes: bool | Callable[..., bool] = False
    spreads: int = 0
    """How far, in pixels, colour is spread into what is transparent before the operation, where it is not linear."""
    enlarges: Callable[..., int] | None = None
    """From the controls, how many times higher and wider the result is, where it still comes from a neighbourhood."""
    steady: bool = False
    """Whether it means to leave the mean colour as it is, so that runs tell how far it moved."""
    light: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] | None = None
    """How it decodes to linear light and back where its control `space` says so."""
    moves: Callable[..., bool] | None = None
    """From the controls, whether pixels only change place, so that alpha goes with them as it is."""
    result: Literal["picture", "data"] = "picture"
    framed: Callable[..., bool] | None = None
    on_samples: Callable[..., Any] | None = None
    on_alpha: Callable[..., dict[str, Any] | None] | None = None
    copies: int | Callable[..., int] = 8
    """Float32 copies of its picture that are alive at once while it runs, what goes in and comes out included."""

    @property
    def main(self) -> str:
        """The name of the first port: `image`, or `images` where several are merged."""
        return next(iter(self.ports))

    @property
    def others(self) -> list[str]:
        """The names of the ports after the first."""
        return list(self.ports)[1:]

    @property
    def chains(self) -> bool:
        """Whether it takes one picture and gives one, so that it can be a step of a recipe."""
        return self.main == "image" and self.result == "picture"

    def __reduce__(self) -> tuple[Any, ...]:   # pickled by name: the declaration stays in its module
        return _restore, (self.function.__module__, self.name)

    def check(self, controls: Mapping[str, Any]) -> dict[str, Any]:
        """Return all controls in canonical form, defaults filled in; raise `ControlError` on the first bad one."""
        for name in controls:
            if name not in self.controls:
                raise ControlError(f"{self.name} has no control '{name}'{nearest(name, list(self.controls))}")
        return {name: control.check(controls.get(name, control.default), self.name)
                for name, control in self.controls.items()}

    def check_weights(self, image: Tensor, others: Mapping[str, Any]) -> None:
        """Raise unless every `NAME_mask`, and a `mask` over the image, has the size of its picture."""
        for name, mask in others.items():
            over = name in ("image_mask", "mask") and self.ports[name].aligned
            picture = image if over else others.get(name.removesuffix("_mask"), mask)
            if (over or name.endswith("_mask")) and mask.shape[-2:] != picture.shape[-2:]:
                raise ControlError(f"{self.name}: {name} must have the size of its picture, got {mask.shape[-1]} x "
                                   f"{mask.shape[-2]} pixels for {picture.shape[-1]} x {picture.shape[-2]}")

    def statistics(self, image: Tensor, weights: Tensor | None, others: Mapping[str, Any],
                   controls: Mapping[str, Any], first_row: int = 0) -> dict[str, Statistics]:
        """Measure every picture of a measured operation.

        Args:
            image: (B, C, H, W).
            weights: how much each of its pixels counts, (B or 1, 1, H, W), such as its alpha; None for all alike.
            others: the pictures of the other ports; `NAME_mask` weights the port NAME.
            controls: the operation's controls.
            first_row: the row of the whole picture at which `image` begins.

        Returns:
            Statistics by port.
        """
        assert self.measured is not None
        self.check_weights(image, others)
        own = others.get("image_mask")
        weights = own if weights is None else weights if own is None else weights * own
        place = {"first_row": first_row} if self.measured.placed else {}
        known = {"image": self.measured.measure(image, weights, **controls, **place)}
        for name, picture in others.items():
            if not name.endswith("_mask"):
                known[name] = self.measured.measure(picture, others.get(f"{name}_mask"), **controls)
        return known

    def direct(self, picture: Any, ports: Mapping[str, Any], controls: Mapping[str, Any]) -> Any:
        """Run on integer samples as they are, where the operation can; None sends the caller the usual way.

        Args:
            picture: what was given for the first port.
            ports: what was given for the others.
            controls: all of them, checked.
        """
        if self.on_samples is None or not hasattr(picture, "__array_interface__") or not hasattr(picture, "dtype"):
            return None
        if picture.dtype.str[1:] not in ("u1", "u2") or not picture.dtype.isnative or picture.size == 0:
            return None
        shape = picture.shape if picture.ndim == 3 else (*picture.shape, 1)
        if len(shape) != 3 or shape[2] not in (1, 3) or self.channels not in (None, shape[2]):
            return None
        tables: dict[str, Any] = {}
        for name, given in ports.items():
            if given is None:
                continue
            if name not in self.ports or self.ports[name].kind != "table" or isinstance(given, str):
                return None   # what is transparent or masked is weighed, which takes floats
            from photochrom.core.door import enter_port

            tables |= enter_port(self, name, given)
        found = self.on_samples(picture.reshape(shape), **tables, **controls)
        return found.reshape(picture.shape) if found is not None and self.result == "picture" else found

    def changes_size(self, controls: Mapping[str, Any]) -> bool:
        """Tell whether, by its controls, the result has another size than the picture."""
        return self.resizes(**controls) if callable(self.resizes) else self.resizes

    def factor(self, controls: Mapping[str, Any]) -> int:
        """Return how many rows of the result come from one of the picture, where it can be made in tiles."""
        return self.enlarges(**controls) if self.enlarges is not None else 1

    def takes(self, height: int, width: int, controls: Mapping[str, Any]) -> int:
        """Return how many float32 copies of a picture are alive at once while the operation runs on it."""
        return self.copies(height, width, **controls) if callable(self.copies) else self.copies

    def reaches(self, controls: Mapping[str, Any]) -> int | None:
        """Return how many pixels beyond a pixel are looked at, or None if the whole picture is needed at once."""
        if self.framed is not None and self.framed(**controls):
            return None
        if self.reach == "pixel" or self.measured is not None:
            return 0
        return self.halo(**controls) if self.halo is not None else None

    def neutral(self) -> dict[str, float]:
        """Return the neutral values of the controls that have one."""
        return {name: control.range.neutral for name, control in self.controls.items()
                if control.range is not None and control.range.neutral is not None}

    def describe(self) -> dict[str, Any]:
        """Return the declaration as plain data."""
        return {
            "name": self.name, "chapter": self.function.__module__.split(".")[-2], "module": self.function.__module__,
            "result": self.result, "summary": self.doc.summary, "about": self.doc.body, "reach": self.reach,
            "reference": " ".join(self.doc.sections["Reference"].split()),
            "ports": [{"name": name, "help": re.sub(r"^\([^)]*\), ", "", self.doc.args[name]), "aligned": port.aligned,
                       "kind": port.kind, "optional": port.optional}
                      for name, port in self.ports.items()],
            "controls": [control.describe() for control in self.controls.values()],
        }


def _restore(module: str, name: str) -> Operation:
    return operation_of(getattr(importlib.import_module(module), name))


def op(*, reach: Reach, channelwise: bool = False, channels: int | None = None,
       halo: Callable[..., int | None] | None = None, measured: Measured | None = None,
       gives: int | None = None, resizes: bool | Callable[..., bool] = False,
       framed: Callable[..., bool] | None = None, on_samples: Callable[..., Any] | None = None,
       on_alpha: Callable[..., dict[str, Any] | None] | None = None, moves: Callable[..., bool] | None = None,
       enlarges: Callable[..., int] | None = None, spreads: int = 0, steady: bool = False,
       copies: int | Callable[..., int] = 8,
       light: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] | None = None) -> Callable[[F], F]:
    """Declare an operation. Arguments before `*` are ports, those after it are controls.

    Args:
        reach: what the operation looks at.
        channelwise: it treats each channel apart and alike, so that one table can replace it on 8 and 16 bits.
        channels: the number of colour channels it needs; None for any.
        halo: for `reach="window"`: from the controls, how many pixels beyond a pixel it reads; None means all.
        measured: for `reach="image"`: the split into statistics and a pixel part.
        gives: the number of colour channels of the result where it is not that of the image.
        resizes: the result may have another size, or, from the controls, whether it may; such a step takes neither
            strength nor mask.
        on_alpha: for an operation that mixes neighbours: from the controls, those that differ for alpha, where the same
            ones would not make a coverage of it (weights whose sum is not 1); None leaves alpha as it is.
        light: for an operation with a control `space`: how it decodes to linear light, and back.
        framed: for `reach="pixel"`: from the controls, whether a pattern over the whole frame is laid on the pixels.
        on_samples: `on_samples(samples, **controls)`: the operation on an array (H, W, 1 or 3) of uint8 or uint16
            without any conversion to floats, or None where these controls need floats.
        enlarges: for `reach="window"` and `resizes`: from the controls, the whole factor by which the result is larger.
        spreads: for an operation that is not linear: how many pixels far colour is spread into what is transparent.
        moves: from the controls, whether pixels only change place and none are mixed.
        steady: it means to leave the mean colour as it is; runs tell how far it moved.
        copies: for an operation on tiles or frames: float32 copies of its picture that are alive at once, as measured,
            or, where the size of the result tells, a function of height, width and the controls.

    Returns:
        A decorator. The decorated function takes tensors, NumPy arrays and PIL pictures and returns the kind
        it was given; its declaration is `function.operation`.

    Raises:
        DeclarationError: the signature, the docstring or the declaration is incomplete.
    """
    def declare(function: F) -> F:
        operation = _declaration(function, reach, channelwise, channels, halo, measured, gives, resizes, framed)
        operation = replace(operation, on_samples=on_samples, on_alpha=on_alpha, light=light, moves=moves,
                            enlarges=enlarges, spreads=spreads, steady=steady, copies=copies)
        names = list(operation.ports)

        @functools.wraps(function)
        def call(*pictures: Any, **arguments: Any) -> Any:
            from photochrom.core.door import through_the_door

            if len(pictures) > len(names):
                raise ControlError(f"{operation.name} takes {len(names)} picture(s) by position, got {len(pictures)}; "
                                   "controls are given by name")
            ports = dict(zip(names, pictures, strict=False))
            for name, port in operation.ports.items():
                if name in arguments:
                    if name in ports:
                        raise ControlError(f"{operation.name}: '{name}' is given twice")
                    ports[name] = arguments.pop(name)
                elif name not in ports and not port.optional:
                    raise ControlError(f"{operation.name} needs the picture '{name}'")
            return through_the_door(operation, ports, operation.check(arguments))

        call.operation = operation  # type: ignore[attr-defined]
        return cast(F, call)

    return declare


def operation_of(function: Any) -> Operation:
    """Return the declaration behind a decorated function."""
    if isinstance(function, Operation):
        return function
    found = getattr(function, "operation", None)
    if not isinstance(found, Operation):
        raise ControlError(f"{getattr(function, '__name__', function)!r} is not an operation of photochrom")
    return found


def _declaration(function: Callable[..., Any], reach: Reach, channelwise: bool, channels: int | None,
                 halo: Callable[..., int | None] | None, measured: Measured | None, gives: int | None,
                 resizes: bool | Callable[..., bool], framed: Callable[..., bool] | None) -> Operation:
    name = function.__name__
    doc = parse_docstring(function.__doc__ or "")
    hints = get_type_hints(function, include_extras=True)
    ports: dict[str, Port] = {}
    controls: dict[str, Control] = {}
    for argument in inspect.signature(function).parameters.values():
        annotation = hints.get(argument.name)
        if argument.kind is argument.POSITIONAL_OR_KEYWORD:
            marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
            port = next((mark for mark in marks if isinstance(mark, Port)), None)
            if port is not None and (argument.default is None) != port.optional:
                raise DeclarationError(f"{name}: port '{argument.name}' must default to None if, and only if, optional")
            if port is None:
                raise DeclarationError(f"{name}: '{argument.name}' stands before * but is not annotated as a picture")
            ports[argument.name] = port
        elif argument.kind is argument.KEYWORD_ONLY and argument.default is not argument.empty:
            control = control_from(argument.name, annotation, argument.default, doc.args.get(argument.name, ""))
            control.check(argument.default, name)
            controls[argument.name] = control
        else:
            raise DeclarationError(f"{name}: '{argument.name}' must be a picture before * or a control with a default")
    check_docstring(name, doc, [*ports, *controls])
    for own, place in (("strength", {**ports, **controls}), ("mask", controls)):
        if own in place:
            raise DeclarationError(f"{name}: '{own}' belongs to the step; no operation takes it as a control")
    if next(iter(ports), None) not in ("image", "images"):
        raise DeclarationError(f"{name}: the first argument must be called image, or images where several are merged")
    if (reach == "window") != (halo is not None):
        raise DeclarationError(f"{name}: an operation that reaches a window declares its halo, and no other does")
    if measured is not None and reach != "image":
        raise DeclarationError(f"{name}: only an operation over the whole image is measured")
    if (channelwise or framed is not None) and reach != "pixel":
        raise DeclarationError(f"{name}: only a pixel operation can be channelwise or framed")
    result: Literal["picture", "data"] = "picture" if hints.get("return") is Tensor else "data"
    return Operation(name, function, reach, ports, controls, doc, channelwise, channels, halo, measured, gives,
                     resizes, result=result, framed=framed)
