"""Pictures of a recipe that differ from photograph to photograph: a folder of them, matched by name."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from photochrom.core import recipe as recipes
from photochrom.core.errors import ControlError, FileError
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.folders import Job
from photochrom.engine.recipes import read_picture, read_rows
from photochrom.io import READABLE
from photochrom.io.formats import show


@dataclass(frozen=True)
class Matched:
    """Folders of pictures for ports: `1.mask` is the mask of the first step.

    Attributes:
        folders: The folder for each step and port.
        inputs: The input folders, so that trees below them are matched.
    """

    folders: Mapping[str, Path]
    inputs: tuple[Path, ...] = ()

    def __call__(self, job: Job) -> dict[str, Path]:
        """Return the pictures that belong to a photograph, by step and port.

        Raises:
            FileError: a folder holds none of this name.
        """
        return {port: self._find(job.source, folder) for port, folder in self.folders.items()}

    def _find(self, source: Path, folder: Path) -> Path:
        tree = next((base for base in self.inputs if base in source.parents), source.parent)
        relative = source.relative_to(tree)
        for place in dict.fromkeys((folder / relative.parent, folder)):
            named = [place / f"{name}{ending}" for name in (source.stem, source.name)
                     for ending in (source.suffix, *READABLE)] + [place / source.name]
            for path in named:
                if os.path.isfile(path):
                    return path
        raise FileError(f"{show(folder)} holds no picture named {show(source.stem)}, for {show(source)}")


def load_matched(path: str | Path, given: Mapping[str, Path] | None = None,
                 inputs: tuple[Path, ...] = ()) -> tuple[Recipe, Matched | None]:
    """Read a recipe file, and the pictures it names but for those that are matched by name.

    Args:
        path: a TOML file; where it names a folder for a picture, pictures in it are matched by name.
        given: pictures or folders in place of those the recipe names, see `split_folders`.
        inputs: the input folders.

    Raises:
        RecipeError: the recipe cannot be understood.
        FileError: a picture it names cannot be read.
    """
    recipe = recipes.load(path, read_rows)
    matched = split_folders(recipe, given or {}, inputs)
    return recipe.bind_files(read_picture), matched


def split_folders(recipe: Recipe, given: Mapping[str, Path], inputs: tuple[Path, ...] = ()) -> Matched | None:
    """Set the pictures given for ports of a recipe, and take out of it the ports whose picture is a folder.

    Args:
        recipe: as it was read, its files not bound yet; it is changed.
        given: files or folders by port, `mask`, or by step and port, `2.mask`; a port alone means every step that
            has it.
        inputs: the input folders.

    Returns:
        The folders, None if there are none.

    Raises:
        ControlError: no step has such a port.
    """
    folders: dict[str, Path] = {}
    for wanted, path in given.items():
        number, _, port = wanted.rpartition(".")
        steps = [(index, step) for index, step in enumerate(recipe, 1)
                 if number in ("", str(index)) and _takes(step, port, bool(number))]
        if not steps:
            raise ControlError(f"--picture {wanted}: no step of the recipe takes a picture '{port}'")
        for _, step in steps:
            step.bind(port, path.absolute())
    for index, step in enumerate(recipe, 1):
        for port, file in list(step.files.items()):
            if (recipe.folder / file).is_dir():
                folders[f"{index}.{port}"] = (recipe.folder / file).absolute()
                del step.files[port]
    return Matched(folders, inputs) if folders else None


def _takes(step: Step, port: str, named: bool) -> bool:
    """Tell whether a step takes a picture; a mask, every step but those that change the size."""
    if port == "mask" and port not in step.operation.ports:
        return named or not step.operation.changes_size(step.values())
    return port in step.operation.others


def bind_matched(recipe: Recipe | Step, pictures: Mapping[str, Path]) -> Recipe | Step:
    """Return a copy of a recipe with pictures bound to steps and ports; what is not changed is shared."""
    steps = list(recipe) if isinstance(recipe, Recipe) else [recipe]
    for name, path in pictures.items():
        number, _, port = name.partition(".")
        step = copy.copy(steps[int(number) - 1])
        step._modules = dict(step._modules)
        old, step.pictures = step.pictures, type(step.pictures)()
        for known, tensor in old.items().items():
            step.pictures[known] = tensor
        step.bind(port, read_picture(path))
        steps[int(number) - 1] = step
    return Recipe(steps) if isinstance(recipe, Recipe) else steps[0]
