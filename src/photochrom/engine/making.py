"""Making one picture of a run, wherever it runs: in a thread here or on another machine of a cluster."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from photochrom.core.errors import FileError, PhotochromError
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.files import Done, Options, run_file
from photochrom.engine.folders import Job
from photochrom.engine.manifest import Print, Record, stamp, take_print
from photochrom.engine.matched import bind_matched
from photochrom.engine.pool import StoppedError
from photochrom.engine.run import Progress
from photochrom.io.formats import show
from photochrom.io.stores import Address, fetch, look, send

Others = dict[str, tuple[str, Print]]
"""Further pictures of one task: by step and port, name and what it is known by."""


@dataclass(frozen=True)
class Task:
    """One picture to make.

    Attributes:
        job: From where to where.
        overwrite: Whether any file may be replaced.
        known: What was recorded of it by the same recipe: if the hashes are still these, nothing is made.
        made: Hashes of files that were made under this name before, which may be replaced.
        others: Pictures that belong to this one alone, such as its mask, by step and port.
    """

    job: Job
    overwrite: bool = False
    known: Record | None = None
    made: frozenset[str] = frozenset()
    others: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """One picture that could not be made, and the sentence that says why."""

    source: Path
    error: PhotochromError
    target: Path | None = None
    source_print: Print | None = None


@dataclass(frozen=True)
class Same:
    """One picture that need not be made: its files have other times, but are the same."""

    job: Job
    record: Record


@dataclass(frozen=True)
class Made:
    """One finished picture that has not its name yet."""

    done: Done
    part: Path
    source_print: Print
    output_print: Print
    others: Others
    overwrite: bool


@dataclass(frozen=True)
class Maker:
    """Makes pictures by a recipe.

    Attributes:
        recipe: What is run.
        options: How files are read, run and written; the memory is that of one picture.
        sources: Files that must never be written, where `parts` is not used.
        parts: A folder where finished pictures wait for their names; None to give each its name at once.
        identity: The hash of recipe and options.
    """

    recipe: Recipe | Step
    options: Options
    sources: frozenset[Path] = frozenset()
    parts: Path | None = None
    identity: str = ""

    def __call__(self, task: Task, progress: Progress = lambda pixels: None) -> Made | Done | Same | Failed:
        """Make one picture; whatever is wrong with it becomes a `Failed`."""
        job, found = task.job, None
        try:
            if self.parts is None:
                return self._plainly(task, progress)
            if isinstance(job.source, Address) or isinstance(job.target, Address):
                with tempfile.TemporaryDirectory(prefix="photochrom-") as folder:
                    return self._by_copies(task, Path(folder), progress)
            found = _print(job.source)
            others = _others(task)
            standing = _standing(task)
            if standing is not None and _same(task.known, standing, found, others):
                assert task.known is not None
                return Same(job, replace(task.known, source_print=found, output_print=standing, others=others))
            return self._stage(task, found, others, task.overwrite or standing is not None, progress)
        except StoppedError:
            raise
        except PhotochromError as error:
            return Failed(job.source, error, job.target, found)
        except OSError as error:
            sentence = f"{show(job.target)} cannot be written: {error.strerror or error}"
            return Failed(job.source, FileError(sentence), job.target, found)
        except Exception as error:   # a fault of ours must not cost the other pictures
            what = " ".join(f"{type(error).__name__}: {error}".split())
            sentence = f"{show(job.source)}: an unexpected fault ({what[:300]})"
            return Failed(job.source, FileError(sentence), job.target, found)

    def _by_copies(self, task: Task, folder: Path, progress: Progress) -> Made | Done | Same | Failed:
        """Make a picture of a store: from a local copy of the source into a local file that is then sent."""
        assert self.parts is not None
        job, source, target = task.job, task.job.source, task.job.target
        standing = _standing(task)
        seen = stamp(source)
        if isinstance(source, Address):
            address, source = source, Path(folder, "in", source.name)
            source.parent.mkdir()
            fetch(address, source)
        known = _print(source)
        if known is not None and seen is not None:
            known = replace(known, mtime_ns=seen[1])
        others = _others(task)
        if standing is not None and _same(task.known, standing, known, others):
            assert task.known is not None
            return Same(job, replace(task.known, source_print=known, output_print=standing, others=others))
        parts = self.parts
        if isinstance(target, Address):
            target, parts = folder / "out" / target.name, folder / "parts"
            parts.mkdir()
        near = replace(self, parts=parts)
        overwrite = task.overwrite or standing is not None
        try:
            made = near._stage(replace(task, job=Job(source, target)), _print(source), others, overwrite, progress)
        except FileError as error:
            sentence = str(error).replace(show(source), show(job.source)).replace(show(target), show(job.target))
            return Failed(job.source, FileError(sentence), job.target, known)
        if known is None or stamp(job.source) != known.stamp:
            os.unlink(made.part)
            raise FileError(f"{show(job.source)} was changed or taken away while it was read")
        part = made.part
        if isinstance(job.target, Address):
            name = hashlib.sha256(f"{self.identity} {known.sha256} {job.target}".encode("utf-8", "surrogateescape"))
            part = self.parts / f"{name.hexdigest()[:32]}{job.target.suffix.lower()}"
            assert isinstance(part, Address)
            send(made.part, part)
        return replace(made, done=replace(made.done, source=job.source, target=job.target), part=part,
                       source_print=known)

    def _plainly(self, task: Task, progress: Progress) -> Done:
        job = task.job
        if job.target.resolve() in self.sources:
            raise FileError(f"{show(job.target)} is one of the inputs; a source is never overwritten")
        job.target.parent.mkdir(parents=True, exist_ok=True)
        return run_file(self._recipe(task.others), job.source, job.target, self.options, progress=progress)

    def _stage(self, task: Task, source: Print | None, others: Others, overwrite: bool, progress: Progress) -> Made:
        assert self.parts is not None
        job = task.job
        # The name follows from what goes in: two attempts at one picture end in one file.
        hashes = [known.sha256 for _, known in others.values()]
        inside = f"{self.identity} {source and source.sha256} {hashes} {job.target}"
        name = hashlib.sha256(inside.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        part = self.parts / f"{name}{job.target.suffix.lower()}"
        job.target.parent.mkdir(parents=True, exist_ok=True)
        done = run_file(self._recipe(task.others), job.source, job.target, replace(self.options, overwrite=overwrite),
                        progress=progress, staged=part)
        read = [(job.source, source), *((path, others[port][1] if port in others else None)
                                        for port, path in task.others.items())]
        for path, known in read:
            if known is None or stamp(path) != known.stamp:
                os.unlink(part)
                raise FileError(f"{show(path)} was changed or taken away while it was read")
        assert source is not None
        return Made(done, part, source, take_print(part), others, overwrite)

    def _recipe(self, others: Mapping[str, Path]) -> Recipe | Step:
        return bind_matched(self.recipe, others) if others else self.recipe


def _others(task: Task) -> Others:
    return {port: (str(path), known) for port, path in task.others.items() if (known := _print(path))}


def _print(path: Path) -> Print | None:
    """Return what a file is known by, None where it cannot be read: opening it then says why."""
    try:
        return take_print(path)
    except (OSError, ValueError):
        return None


def _standing(task: Task) -> Print | None:
    """Return what stands under the target's name if it was made by an earlier run and so may be replaced, else None.

    Raises:
        FileError: it was made by an earlier run and changed by someone since.
    """
    target = task.job.target
    if not task.made or not (look(target) if isinstance(target, Address) else os.path.lexists(target)):
        return None
    there = _print(task.job.target)
    if there is not None and there.sha256 in task.made:
        return there
    if task.overwrite:
        return None
    raise FileError(f"{show(task.job.target)} was changed since it was made; allow overwriting, or move it away")


def _same(known: Record | None, standing: Print, source: Print | None, others: Others) -> bool:
    """Tell by hashes whether a picture and all it was made of are as recorded."""
    if known is None or known.output_print is None or known.source_print is None or source is None:
        return False
    pictures = {port: (name, found.sha256) for port, (name, found) in others.items()}
    return ((standing.sha256, source.sha256) == (known.output_print.sha256, known.source_print.sha256)
            and pictures == {port: (name, found.sha256) for port, (name, found) in known.others.items()})
