"""The stack of steps, what was done to it, and the recipe it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe
from photochrom.core.registry import registry
from photochrom.core.step import Step
from photochrom.engine.recipes import read_picture

MOST_STATES = 500
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Entry:
    """One step as the studio keeps it: plain values and the names of files in the session's folder."""

    op: str
    values: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 1.0
    files: Mapping[str, str] = field(default_factory=dict)
    """By port, `mask` included. A file is never changed once it is named here, so states can share it."""
    on: bool = True

    @property
    def operation(self) -> Operation:
        """The declaration behind the step."""
        return registry.get(self.op)

    @property
    def key(self) -> tuple[Any, ...]:
        """Two entries with the same key give the same picture."""
        return self.op, repr(sorted(self.values.items())), self.strength, tuple(sorted(self.files.items()))

    def step(self) -> Step:
        """Return the step with its files named but not read; raise if a picture it needs is not there."""
        if not self.operation.chains:
            raise ControlError(f"{self.op} does not turn one picture into one, so it cannot be a step")
        only_shipped(self.operation, self.values)
        for name in self.missing():
            way = "paint it, or choose a file" if name.endswith("mask") else "choose a file for it"
            what = "table" if self.operation.ports[name].kind == "table" else "picture"
            raise ControlError(f"{self.op} needs the {what} '{name}': {way}")
        files = {name: file for name, file in self.files.items() if name != "mask" or self.takes_mask}
        strength = self.strength if self.takes_strength else 1.0
        values = {name: torch.tensor([value], dtype=torch.float64) if by_channel(self.operation, name, value) else value
                  for name, value in self.values.items()}
        return Step(self.operation, strength=strength, **files, **values)

    def missing(self) -> list[str]:
        """Return the ports that need a picture and have none."""
        return [name for name, port in self.operation.ports.items()
                if name != self.operation.main and not port.optional and name not in self.files]

    @property
    def takes_strength(self) -> bool:
        """Whether the result can be blended with the picture."""
        return not self.operation.changes_size(checked(self.operation, self.values))

    @property
    def takes_mask(self) -> bool:
        """Whether a mask has a meaning: for the step, or for the operation itself."""
        return "mask" in self.operation.ports or self.takes_strength

    def told(self) -> str:
        """Return the values that are not the defaults, in a few words."""
        controls = self.operation.controls
        plain = self.operation.check({})
        changed = [f"{name} {show(controls[name].kind, value)}" for name, value in self.values.items()
                   if value != plain[name]]
        changed += [f"strength {self.strength:g}"] if self.strength != 1 and self.takes_strength else []
        changed += list(self.files)
        return ", ".join(changed)


def only_shipped(operation: Operation, values: Mapping[str, Any]) -> None:
    """Raise if a control names weights by a file or an address: a page reaches neither."""
    for name, value in values.items():
        control = operation.controls.get(name)
        if control is not None and control.kind == "model" and (
                not _NAME.fullmatch(str(value)) or Path(str(value)).exists()):
            raise ControlError(f"{operation.name}: {name} must be the name of shipped weights here, got {value!r}")


def by_channel(operation: Operation, name: str, value: Any) -> bool:
    """Tell whether a value is a number for each channel."""
    return isinstance(value, (tuple, list)) and operation.controls[name].kind == "float"


def checked(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all controls in canonical form, as `Operation.check`, but let a number be one for each channel."""
    several = {name: tuple(operation.controls[name].check(part, operation.name) for part in value)
               for name, value in values.items()
               if name in operation.controls and by_channel(operation, name, value) and operation.controls[name].tensor}
    return operation.check({name: value for name, value in values.items() if name not in several}) | several


def show(kind: str, value: Any) -> str:
    """Write a control value as it is typed; the inverse of `core.controls.parse`.

    Example:
        >>> show("curve", ((0.0, 0.0), (1.0, 1.0))), show("size", (480, 640))
        ('0:0,1:1', '640x480')
    """
    if value is None:
        return ""
    if kind == "float" and isinstance(value, (tuple, list)):
        return ", ".join(_number(part) for part in value)
    if kind == "size":
        return f"{value[1]}x{value[0]}"
    if kind == "color":
        return "#" + "".join(f"{round(255 * min(1, max(0, part))):02x}" for part in value)
    if kind in ("point", "box"):
        return ",".join(_number(part) for part in value)
    if kind == "points":
        return " ".join(",".join(_number(part) for part in point) for point in value)
    if kind == "curve":
        return ",".join(":".join(_number(part) for part in point) for point in value)
    if kind in ("kernel", "matrix") and not isinstance(value, str):
        return "; ".join(", ".join(_number(part) for part in row) for row in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return _number(value) if isinstance(value, (int, float)) else str(value)


def _number(value: float) -> str:
    short = f"{value:.6g}"
    return short if float(short) == value else repr(value)


class History:
    """The states of a stack of steps: undo goes back, redo forth, a new state forgets what was undone."""

    def __init__(self) -> None:
        self._states: list[tuple[Entry, ...]] = [()]
        self._at = 0

    @property
    def steps(self) -> tuple[Entry, ...]:
        """The stack as it is now."""
        return self._states[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later state."""
        return self._at + 1 < len(self._states)

    def become(self, steps: tuple[Entry, ...]) -> None:
        """Make `steps` the state after this one, unless nothing changes."""
        if steps == self.steps:
            return
        self._states = [*self._states[:self._at + 1], steps][-MOST_STATES:]
        self._at = len(self._states) - 1

    def undo(self) -> None:
        """Go one state back, if there is one."""
        self._at = max(0, self._at - 1)

    def redo(self) -> None:
        """Go one state forth, if there is one."""
        self._at = min(len(self._states) - 1, self._at + 1)

    def put(self, entry: Entry, at: int | None) -> None:
        """Add a step at the end, or replace the one at a place."""
        steps = list(self.steps)
        if at is None or not 0 <= at < len(steps):
            steps.append(entry)
        else:
            steps[at] = entry
        self.become(tuple(steps))

    def act(self, what: str, at: int, to: int = 0) -> None:
        """Change the stack: `remove`, `toggle`, or `move` the step at a place to another."""
        steps = list(self.steps)
        if not 0 <= at < len(steps):
            return
        if what == "remove":
            del steps[at]
        elif what == "toggle":
            steps[at] = replace(steps[at], on=not steps[at].on)
        elif what == "move" and 0 <= to < len(steps):
            steps.insert(to, steps.pop(at))
        self.become(tuple(steps))

    def files(self) -> set[str]:
        """Return the names of all files that any state still needs."""
        return {file for state in self._states for entry in state for file in entry.files.values()}


def recipe_of(entries: tuple[Entry, ...], name: str = "", folder: Path | None = None) -> Recipe:
    """Return the recipe of the steps that are on.

    Args:
        entries: the stack.
        name: the recipe's title.
        folder: where the pictures lie that steps name; read from there if given.

    Raises:
        ControlError: no step is on, or one lacks a picture.
        FileError: a picture cannot be read.
    """
    steps = [entry.step() for entry in entries if entry.on]
    if not steps:
        raise ControlError("the recipe has no step that is switched on; add one first")
    recipe = Recipe(steps, name=name)
    if folder is not None:
        recipe.folder = folder
        recipe.bind_files(read_picture)
    return recipe


def entries_of(recipe: Recipe) -> tuple[Entry, ...]:
    """Return the steps of a recipe."""
    found = []
    for step in recipe:
        values = {}
        for name, value in {**step.values(), "strength": step.strength()}.items():
            if hasattr(value, "detach"):
                value = value.item() if value.numel() == 1 else tuple(value.flatten().tolist())
            values[name] = value
        found.append(Entry(step.operation.name, values, float(values.pop("strength")), dict(step.files)))
    return tuple(found)
