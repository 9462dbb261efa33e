"""Which files of a folder are taken, and where their results go: the tree is mirrored."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from photochrom.core.errors import ControlError, FileError
from photochrom.io import READABLE, WRITABLE
from photochrom.io.formats import show
from photochrom.io.stores import Address, listing, locate

MIRRORED = "{folder}/{stem}.{ext}"
_FIELDS = ("folder", "parent", "stem", "ext", "recipe")


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Selection:
    """Which files are taken and how results are called.

    Attributes:
        include: Patterns of which a file must match one; all files if there are none.
        exclude: Patterns of files and folders to leave out.
        name: The result's name within the output folder; {folder} is the file's folder within the input, {parent} the
            last part of it, {stem} its name without the ending, {ext} the ending of the result, {recipe} the recipe's
            name.
        format: The ending of all results, such as "jpg"; None to keep each file's own where it can be written.
        recipe: What {recipe} stands for.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    name: str = MIRRORED
    format: str | None = None
    recipe: str = ""

    def __post_init__(self) -> None:
        """Raise ControlError for a name or format that cannot be."""
        for field in re.findall(r"\{([^{}]*)\}", self.name):
            if field not in _FIELDS:
                known = ", ".join(f"{{{name}}}" for name in _FIELDS)
                raise ControlError(f"--name: {{{field}}} is not known; known are {known}")
        if self.format is not None and f".{self.format}" not in WRITABLE:
            endings = ", ".join(ending[1:] for ending in WRITABLE)
            raise ControlError(f"--format must be one of {endings}, got {self.format!r}")

    def takes(self, relative: PurePosixPath) -> bool:
        """Tell whether a file is taken."""
        wanted = not self.include or any(matches(relative, pattern) for pattern in self.include)
        return wanted and not self.leaves(relative)

    def leaves(self, relative: PurePosixPath) -> bool:
        """Tell whether a file, or a folder with all in it, is left out."""
        return any(matches(relative, pattern) for pattern in self.exclude)

    def target(self, relative: Path, always: bool = False) -> Path:
        """Return the result's name within the output folder.

        Args:
            relative: the source within its input folder.
            always: keep the source's ending before the result's, as in a.gif.png.
        """
        ending = relative.suffix.lower()
        ext = self.format or (relative.suffix[1:] if ending in WRITABLE else "png")
        stem = relative.name if always else relative.stem
        values = {"folder": relative.parent.as_posix(), "parent": relative.parent.name, "stem": stem, "ext": ext,
                  "recipe": self.recipe}
        text = re.sub(r"\{(\w+)\}", lambda field: values[field[1]], self.name)
        path = Path(text if self.name.startswith("/") else text.lstrip("/"))   # at the top {parent} is empty
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise ControlError(f"--name must stay inside the output folder, got {show(text)}")
        return path


def matches(relative: PurePosixPath, pattern: str) -> bool:
    """Tell whether a path matches a pattern, whatever the case of its letters.

    A pattern with a slash is held against the whole path, where * crosses slashes; one without, against each of its
    parts.

    Example:
        >>> matches(PurePosixPath("2024/raw/a.JPG"), "*.jpg"), matches(PurePosixPath("2024/raw/a.JPG"), "raw")
        (True, True)
        >>> matches(PurePosixPath("2024/raw/a.JPG"), "2024/*.jpg"), matches(PurePosixPath("raw/a.JPG"), "2024/*")
        (True, False)
    """
    pattern = pattern.lower().rstrip("/")
    if "/" in pattern:
        return fnmatch.fnmatchcase(relative.as_posix().lower(), pattern)
    return any(fnmatch.fnmatchcase(part.lower(), pattern) for part in relative.parts)


def single(inputs: Sequence[str | Path], out: str | Path) -> bool:
    """Tell whether one file is to be made under the very name `out`."""
    path, out = locate(inputs[0]), locate(out)
    if isinstance(path, Address) or isinstance(out, Address):
        return False
    return len(inputs) == 1 and not path.is_dir() and not out.is_dir() and bool(out.suffix)


def plan_jobs(inputs: Iterable[str | Path], out: str | Path, selection: Selection | None = None) -> list[Job]:
    """List the pictures to make.

    Args:
        inputs: files, or folders that are searched through all their levels for picture files. Links to files are
            followed, links to folders are not, so that no circle is entered; hidden files are left out.
        out: a file if there is one input file and this names a picture format, else a folder. The tree below each input
            folder is mirrored in it. Formats that can only be read are written as PNG.
        selection: which files are taken and how results are called.

    Returns:
        The jobs in the order of the inputs, folders by name.

    Raises:
        FileError: a folder holds no pictures, or two inputs would be written to one file.
        ControlError: a name would leave the output folder.
    """
    paths, out, selection = [locate(path) for path in inputs], locate(out), selection or Selection()
    if single(paths, out):
        return [Job(paths[0], out)]
    jobs: dict[Path, Job] = {}
    for path in paths:
        found = [(path, Path(path.name))]
        if path.is_dir():
            found = [(path / relative, relative) for relative in sorted(_pictures(path, out, selection))]
            if not found:
                chosen = " that --include and --exclude leave" if selection.include or selection.exclude else ""
                raise FileError(f"the folder {show(path)} holds no picture files{chosen}")
        for file, relative in found:
            target = out / selection.target(relative)
            if target in jobs and target.suffix.lower() != relative.suffix.lower():   # a.gif beside a.png
                target = out / selection.target(relative, always=True)
            if target in jobs:
                both = f"{show(jobs[target].source)} and {show(file)}"
                raise FileError(f"{both} would both be written to {show(target)}; run them into different folders")
            jobs[target] = Job(file, target)
    return list(jobs.values())


def _pictures(folder: Path, out: Path, selection: Selection) -> Iterator[Path]:
    """Yield picture files below a folder, relative to it; hidden ones, and the output inside it, are left out."""
    if isinstance(folder, Address):
        yield from _listed(folder, out, selection)
        return
    left = os.path.realpath(out)
    waiting = [Path()]
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(folder / here))
        except OSError as error:
            raise FileError(f"the folder {show(folder / here)} cannot be read: {error.strerror or error}") from None
        for entry in entries:
            if entry.name.startswith("."):
                continue
            relative = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                if os.path.realpath(entry.path) != left and not selection.leaves(PurePosixPath(relative)):
                    waiting.append(relative)
            elif (relative.suffix.lower() in READABLE and selection.takes(PurePosixPath(relative))
                  and not entry.is_dir()):
                yield relative


def _listed(folder: Address, out: Path, selection: Selection) -> Iterator[Path]:
    """Yield picture files below a folder of a store."""
    for relative in listing(folder):
        hidden = any(part.startswith(".") for part in relative.parts)
        inside = isinstance(out, Address) and out != folder and out in (folder / relative).parents
        if relative.suffix.lower() in READABLE and not hidden and not inside and selection.takes(
                PurePosixPath(relative)):
            yield relative
