"""Recipes and operations by name, with the pictures they need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.core import recipe as recipes
from photochrom.core.errors import FileError
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe
from photochrom.core.registry import registry

if TYPE_CHECKING:
    from photochrom.io import Lut, Photo

_MOST = 16 << 20


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
    return recipes.load(path, read_rows).bind_files(read_picture)


def read_picture(path: Path) -> Photo | Lut:
    """Read a picture, or a colour table by its ending `.cube`, for a port of a step."""
    from photochrom.io import read, read_lut

    return read_lut(path) if path.suffix.lower() == ".cube" else read(path)


def read_rows(text: str, folder: Path = Path()) -> str:
    """Return the rows of a kernel or matrix: those of the small text file `text` names, or else `text` itself.

    Args:
        text: a name, rows as they are typed, or a file.
        folder: where a file lies.

    Raises:
        FileError: a file that is too large or no text.
    """
    if text.isidentifier() or ";" in text or not _is_file(folder / text):
        return text
    path = folder / text
    if path.stat().st_size > _MOST:
        raise FileError(f"{path} is too large for a file of numbers ({_MOST >> 20} MiB at most)")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FileError(f"{path} cannot be read as a text of numbers") from None
    return ";".join(line.partition("#")[0] for line in lines)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):   # rows that are no file's name
        return False


def operations() -> list[Operation]:
    """Return the declarations of all operations, chapter by chapter."""
    return [registry.get(name) for name in registry.names()]
