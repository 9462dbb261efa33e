"""A recipe: steps in order, as a module and as a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.core.controls import parse
from photochrom.core.door import enter
from photochrom.core.errors import ControlError, PhotochromError, RecipeError, nearest
from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.core.step import Step

VERSION = 1
_KEYS = ("version", "name", "about", "step")


class Recipe(nn.Module):
    """Steps applied one after the other.

    Args:
        steps: the steps in order.
        name: a title for people.
        about: what the recipe is for.

    Example:
        >>> import torch, photochrom
        >>> recipe = photochrom.Recipe([photochrom.Step(photochrom.negative),
        ...                             photochrom.Step(photochrom.brightness, amount=0.1)])
        >>> round(recipe(torch.full((1, 3, 2, 2), 0.25)).mean().item(), 3)
        0.85
    """

    def __init__(self, steps: Iterable[Step], *, name: str = "", about: str = "") -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self.name, self.about = name, about
        self.folder = Path()

    def forward(self, image: Any) -> Any:
        """Run all steps on a picture of any kind the door takes; the same kind comes back."""
        opened = enter(image, "recipe")
        return opened.back(*self.run(opened.image, opened.alpha))

    def run(self, image: Tensor, alpha: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Run all steps on a tensor (B, C, H, W) and its alpha, without tiles."""
        for step in self:
            image, alpha = step.run(image, alpha)
        return image, alpha

    def __iter__(self) -> Any:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def bind_files(self, load: Callable[[Path], Any]) -> Recipe:
        """Read the picture files that steps name, relative to the recipe's own folder; return the recipe."""
        for step in self:
            for port, file in list(step.files.items()):
                step.bind(port, load(self.folder / file))
        return self

    def dumps(self) -> str:
        """Return the recipe as TOML; scalar tensors are written as numbers, pictures by their file names."""
        lines = [f"version = {VERSION}"]
        lines += [f"{key} = {_toml(value)}" for key, value in (("name", self.name), ("about", self.about)) if value]
        for step in self:
            lines += ["", "[[step]]", f"op = {_toml(step.operation.name)}"]
            # Every control is written, so that a later change of a default does not change the recipe.
            for name, tensor in step.tensors.items().items():
                curve = name != "strength" and step.operation.controls[name].kind == "curve"
                channels = name != "strength" and tensor.ndim == 2 and len(tensor) == 1
                if tensor.numel() != 1 and not (channels or (curve and tensor.ndim == 2)):
                    raise RecipeError(f"{name} of step {step.operation.name} has {tensor.numel()} values; "
                                      "a recipe file holds one number for it, or one a channel")
            lines += [f"{name} = {_toml(value)}" for name, value in step.values().items() if value is not None]
            strength = {**step.controls, **step.tensors.items()}["strength"]
            lines += [] if strength == 1.0 else [f"strength = {_toml(strength)}"]
            unnamed = [name for name in step.pictures.items() if name not in step.files and name not in step.brought]
            if unnamed:
                raise RecipeError(f"the picture '{unnamed[0]}' of step {step.operation.name} has no file name to write")
            lines += [f"{port} = {_toml(file)}" for port, file in step.files.items()]
        return "\n".join(lines) + "\n"


def loads(text: str, source: str = "recipe", rows: Callable[[str], str] | None = None) -> Recipe:
    """Read a recipe from TOML text.

    Args:
        text: `version = 1`, then one `[[step]]` table for each step.
        source: the file's name, for messages.
        rows: turns the name of a file of numbers, given for a kernel or matrix, into its text.

    Returns:
        The recipe; picture files that its steps name are not read yet (`Recipe.bind_files`).

    Raises:
        RecipeError: one sentence with the line or the step that is wrong.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{source} is not valid TOML: {error}") from None
    version = table.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RecipeError(f"{source} must state 'version = {VERSION}' at its top, got {version!r}")
    if version > VERSION:
        raise RecipeError(f"{source} has version {version}; this photochrom reads recipes up to version {VERSION}")
    for key in table:
        if key not in _KEYS:
            raise RecipeError(f"{source} has an unknown entry '{key}'{nearest(key, list(_KEYS))}")
    tables = table.get("step", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(entry, dict) for entry in tables):
        raise RecipeError(f"{source} must hold at least one [[step]] table")
    for key in ("name", "about"):
        if not isinstance(table.get(key, ""), str):
            raise RecipeError(f"{source}: {key} must be a text, got {table[key]!r}")
    steps = [_step(entry, f"{source}, step {number}", rows) for number, entry in enumerate(tables, 1)]
    return Recipe(steps, name=table.get("name", ""), about=table.get("about", ""))


def load(path: str | Path, rows: Callable[[str, Path], str] | None = None) -> Recipe:
    """Read a recipe file. See `loads`; `rows` turns the name of a file of numbers and its folder into its text."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"there is no recipe {path}") from None
    except IsADirectoryError:
        raise RecipeError(f"{path} is a folder, not a recipe") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}") from None
    recipe = loads(text, path.name, (lambda name: rows(name, path.parent)) if rows else None)
    recipe.folder = path.parent
    if not recipe.name:
        recipe.name = path.stem
    return recipe


def _step(entry: dict[str, Any], where: str, rows: Callable[[str], str] | None) -> Step:
    arguments = dict(entry)
    name = arguments.pop("op", None)
    if not isinstance(name, str):
        raise RecipeError(f"{where} must name its operation, such as op = \"gaussian\"")
    try:
        operation = registry.get(name)
        for port in (*operation.ports, "mask"):
            if port in arguments and not isinstance(arguments[port], str):
                raise ControlError(f"{name}: {port} must be a file name, got {arguments[port]!r}")
        for control in operation.controls.values():
            typed = arguments.get(control.name)
            if control.kind in ("kernel", "matrix") and isinstance(typed, str):
                arguments[control.name] = parse(control.kind, rows(typed) if rows else typed)
        step = Step(operation, **{key: _channels(operation, key, value) for key, value in arguments.items()})
    except PhotochromError as error:
        raise RecipeError(f"{where}: {error}") from None
    for port, declared in operation.ports.items():
        if port != "image" and port not in step.files and not declared.optional:
            raise RecipeError(f"{where}: {name} needs the picture '{port}' = \"FILE\"")
    return step


def _channels(operation: Operation, name: str, value: Any) -> Any:
    """Return a list of numbers, one a channel, as the tensor (1, C) an operation takes; all else as it is."""
    control = operation.controls.get(name)
    if control is None or control.kind != "float" or not control.tensor or not isinstance(value, list):
        return value
    if not 1 < len(value) <= 4:
        raise ControlError(f"{operation.name}: {name} must be a number, or a list of one a channel, got {value!r}")
    return torch.tensor([[control.check(number, operation.name) for number in value]], dtype=torch.float64)


def _toml(value: Any) -> str:
    if isinstance(value, Tensor):
        value = value.detach()[0] if value.ndim == 2 and len(value) == 1 and value.numel() > 1 else value.detach()
        return _toml(value.item() if value.numel() == 1 else value.tolist())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)
    return "[" + ", ".join(_toml(part) for part in value) + "]"
