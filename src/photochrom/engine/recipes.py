"""Recipes and operations by name, with the pictures they need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.core import recipe as recipes
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe
from photochrom.core.registry import registry

if TYPE_CHECKING:
    from photochrom.io import Lut, Photo


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe file and the pictures it names.

    Args:
        path: a TOML file; picture files in it are relative to its folder.

    Returns:
        The recipe, ready to run.

    Raises:
        RecipeError: the recipe cannot be understood.
        FileError: a picture it names cannot be read.
    """
    return recipes.load(path).bind_files(read_picture)


def read_picture(path: Path) -> Photo | Lut:
    """Read a picture, or a colour table by its ending `.cube`, for a port of a step."""
    from photochrom.io import read, read_lut

    return read_lut(path) if path.suffix.lower() == ".cube" else read(path)


def operations() -> list[Operation]:
    """Return the declarations of all operations, chapter by chapter."""
    return [registry.get(name) for name in registry.names()]
