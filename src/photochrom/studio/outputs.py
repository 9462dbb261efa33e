"""What leaves the studio: pictures at full size, the recipe; and recipes that come in."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from photochrom.core import recipe as recipes
from photochrom.core.errors import ControlError, RecipeError
from photochrom.io.formats import FORMATS
from photochrom.studio.history import entries_of, recipe_of
from photochrom.studio.jobs import Workers
from photochrom.studio.look import detail_key
from photochrom.studio.sessions import Session, safe_name

KINDS: dict[str, tuple[str, str | None]] = {
    "as the original": ("", None),
    "PNG, 16 bits": (".png", "uint16"),
    "PNG, 8 bits": (".png", "uint8"),
    "TIFF, 16 bits": (".tif", "uint16"),
    "OpenEXR": (".exr", "float32"),
    "JPEG": (".jpg", None),
}
"""By its name on the page: the ending and the depth of a download."""
_MOST_TEXT = 1 << 20
_MOST_FILES = 64

Told = Callable[[dict[str, Any]], None]


def download(session: Session, workers: Workers, kind: str, told: Told) -> tuple[Path, list[str]]:
    """Make the picture at full size, as `photochrom run` makes it from the same files.

    Args:
        session: whose picture and steps.
        workers: who does the work.
        kind: one of `KINDS`.
        told: called with the progress.

    Returns:
        The file, named after the original, and notes on what it cannot hold.
    """
    original, _ = session.need()
    if kind not in KINDS:
        raise ControlError(f"the format must be one of {', '.join(KINDS)}, got {kind!r}")
    ending, depth = KINDS[kind]
    if not ending:
        own = Path(original.name).suffix.lower()
        format_ = FORMATS[original.facts["format"]]
        ending = own if own in format_.extensions else format_.extensions[0]
        ending = ending if format_.depths else ".png"
    folder = session.folder / "out"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    session.made.clear()
    target = folder / (safe_name(Path(original.name).stem + "-edited.png").removesuffix(".png") + ending)
    return target, workers.run(session, job(session, target) | {"depth": depth}, told)["notes"]


def detail(session: Session, workers: Workers, told: Told) -> None:
    """Make before and after at full size for the screen, so that both can be seen pixel by pixel."""
    original, _ = session.need()
    made = {}
    for role in ("before", "after"):
        name = f"{role}-{secrets.token_hex(8)}.png"
        target = session.folder / name
        work = job(session, target) if role == "after" else _copy(original.path, target)
        workers.run(session, work | {"depth": "uint8", "profile": "srgb"}, told)
        session.results[name] = target
        made[role] = f"shown/{session.token}/{name}"
    for name in [name for name in session.results if f"shown/{session.token}/{name}" not in made.values()]:
        session.results.pop(name).unlink(missing_ok=True)
    session.detail = made | {"of": detail_key(session)}


def job(session: Session, target: Path) -> dict[str, Any]:
    """Return the work of running the stack over the original."""
    original, _ = session.need()
    entries = session.history.steps
    if not any(entry.on for entry in entries):
        return _copy(original.path, target)
    path = session.folder / "recipe.toml"
    path.write_text(recipe_of(entries).dumps(), encoding="utf-8")
    return {"what": "run", "recipe": str(path), "source": str(original.path), "target": str(target)}


def _copy(source: Path, target: Path) -> dict[str, Any]:
    return {"what": "copy", "source": str(source), "target": str(target)}


def recipe_file(session: Session) -> Path:
    """Write the recipe for download: a TOML file, or a ZIP of it with the masks and pictures it names."""
    entries = session.history.steps
    name = safe_name(f"{session.original.name.rpartition('.')[0] if session.original else 'recipe'}.png")
    recipe = recipe_of(entries, name=name.removesuffix(".png"))
    folder = session.folder / "out"
    folder.mkdir(exist_ok=True)
    files = sorted({file for step in recipe for file in step.files.values()})
    text = recipe.dumps()
    if not files:
        target = folder / f"{name.removesuffix('.png')}.toml"
        target.write_text(text, encoding="utf-8")
        return target
    target = folder / f"{name.removesuffix('.png')}-recipe.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("recipe.toml", text)
        for file in files:
            packed.write(session.folder / file, file)
    return target


def load_recipe(session: Session, path: Path) -> None:
    """Take the steps of an uploaded recipe, a TOML file or a ZIP with the pictures it names, in place of the stack.

    Raises:
        RecipeError: it cannot be understood, is too large, or names files that did not come with it.
    """
    text, pictures = _unpacked(path)
    recipe = recipes.loads(text, "the recipe")
    entries = []
    for entry in entries_of(recipe):
        files = {}
        for port, file in entry.files.items():
            known = pictures.get(file)
            if known is None:
                raise RecipeError(f"the recipe's step {entry.op} names the file {file!r}; pack the recipe and its "
                                  "pictures into one ZIP file and open that")
            files[port] = session.keep(known, port, Path(safe_name(file)).suffix[1:])
        entries.append(replace(entry, files=files))
    session.draft = None
    session.history.become(tuple(entries))


def _unpacked(path: Path) -> tuple[str, dict[str, bytes]]:
    try:
        if path.read_bytes()[:2] != b"PK":
            if path.stat().st_size > _MOST_TEXT:
                raise RecipeError("the recipe is larger than 1 MB, which no recipe is")
            return path.read_text(encoding="utf-8"), {}
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as packed:
            entries = [info for info in packed.infolist() if not info.is_dir()]
            texts = [info for info in entries if info.filename.endswith(".toml")]
            if len(texts) != 1 or len(entries) > _MOST_FILES or texts[0].file_size > _MOST_TEXT:
                raise RecipeError("a recipe in a ZIP file must be one .toml file with the few pictures it names")
            if sum(info.file_size for info in entries) > 1 << 30:
                raise RecipeError("the files of the recipe are larger than 1 GB together")
            folder = PurePosixPath(texts[0].filename).parent
            pictures = {str(PurePosixPath(info.filename).relative_to(folder)): packed.read(info) for info in entries
                        if info is not texts[0] and PurePosixPath(info.filename).is_relative_to(folder)}
            return packed.read(texts[0]).decode("utf-8"), pictures
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError("the recipe cannot be read: expected a TOML text, or a ZIP file that holds one") from None
