"""Running a recipe over many files: the tree is mirrored, a bad file is reported and the rest is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from photochrom.core.errors import FileError, PhotochromError
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.files import Done, Options, run_file
from photochrom.engine.plan import default_memory
from photochrom.engine.run import Progress
from photochrom.io import READABLE, WRITABLE
from photochrom.num.parallel import limit_threads, threads


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Failed:
    """One picture that could not be made, and the sentence that says why."""

    source: Path
    error: PhotochromError


class _StoppedError(Exception):
    """The run was given up; the picture at work is left out."""


def plan_jobs(inputs: Iterable[str | Path], out: str | Path) -> list[Job]:
    """List the pictures to make.

    Args:
        inputs: files, or folders that are searched through all their levels for picture files.
        out: a file if there is one input file and this names a picture format, else a folder. The tree below each input
            folder is mirrored in it. Formats that can only be read are written as PNG.

    Returns:
        The jobs in the order of the inputs, folders by name.

    Raises:
        FileError: a folder holds no pictures, or two inputs would be written to one file.
    """
    paths, out = [Path(path) for path in inputs], Path(out)
    if len(paths) == 1 and not paths[0].is_dir() and not out.is_dir() and out.suffix:
        return [Job(paths[0], out)]
    jobs: dict[Path, Job] = {}
    for path in paths:
        found = [(path, Path(path.name))]
        if path.is_dir():
            found = [(file, file.relative_to(path)) for file in sorted(_pictures(path, out))]
            if not found:
                raise FileError(f"the folder {path} holds no picture files")
        for file, relative in found:
            target = out / _target(relative)
            if target in jobs and target.name != relative.name:   # a.gif beside a.png
                target = out / relative.with_name(relative.name + ".png")
            if target in jobs:
                raise FileError(f"{jobs[target].source} and {file} would both be written to {target}; "
                                "run them into different folders")
            jobs[target] = Job(file, target)
    return list(jobs.values())


def run_jobs(recipe: Recipe | Step, jobs: list[Job], options: Options | None = None, *, workers: int | None = None,
             progress: Progress = lambda pixels: None, started: Callable[[Job], None] = lambda job: None
             ) -> Iterator[Done | Failed]:
    """Run a recipe over many pictures, several at a time, and yield each as it ends.

    Args:
        recipe: a recipe or a single step, its pictures bound.
        jobs: what to make.
        options: how files are read, run and written; the memory is for all workers together.
        workers: pictures worked on at once; as many as there are cores if not given.
        progress: called with the number of pixels finished since the last call.
        started: called as each picture is begun.

    Yields:
        `Done` or `Failed` for every job, in the order in which they end.
    """
    options = options or Options()
    count = min(workers or threads(), len(jobs))
    memory = (options.memory or default_memory()) // max(1, count)
    each = Options(memory, options.device, options.profile, options.quality, options.overwrite,
                   options.depth)
    sources = {job.source.resolve() for job in jobs}

    stop = threading.Event()

    def report(pixels: int) -> None:
        if stop.is_set():
            raise _StoppedError
        progress(pixels)

    def work(job: Job) -> Done | Failed:
        with limit_threads(max(1, threads() // count)):
            started(job)
            try:
                if job.target.resolve() in sources:
                    raise FileError(f"{job.target} is one of the inputs; a source is never overwritten")
                job.target.parent.mkdir(parents=True, exist_ok=True)
                return run_file(recipe, job.source, job.target, each, progress=report)
            except PhotochromError as error:
                return Failed(job.source, error)
            except OSError as error:
                return Failed(job.source, FileError(f"{job.target} cannot be written: {error.strerror or error}"))

    if count <= 1:
        for job in jobs:
            yield work(job)
        return
    with ThreadPoolExecutor(count) as pool:
        waiting = iter(jobs)
        running = {pool.submit(work, job) for job in (next(waiting, None) for _ in range(count)) if job}
        try:
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(work, job) for job in (next(waiting, None) for _ in ended) if job}
                for future in ended:
                    yield future.result()
        finally:
            stop.set()   # those at work end at their next tile, and their unfinished files are removed
            for future in running:
                future.cancel()


def _pictures(folder: Path, out: Path) -> Iterator[Path]:
    """Yield picture files below a folder; hidden ones, and the output if it lies inside the folder, are left out."""
    inside = folder.resolve() in out.resolve().parents
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in READABLE and not hidden and path.is_file() and not (
                inside and out.resolve() in path.resolve().parents):
            yield path


def _target(relative: Path) -> Path:
    return relative if relative.suffix.lower() in WRITABLE else relative.with_suffix(".png")
