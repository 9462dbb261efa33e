"""Running a recipe over many files: what is done is skipped, a bad file is reported, the rest is made."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from photochrom.core.errors import FileError, MemoryBudgetError, PhotochromError
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.core.version import VERSION
from photochrom.engine.files import Done, Options
from photochrom.engine.folders import Job
from photochrom.engine.identity import identify
from photochrom.engine.ledger import open_manifest
from photochrom.engine.making import Failed, Made, Maker, Same, Task
from photochrom.engine.manifest import Manifest, Record, stamp
from photochrom.engine.plan import default_memory
from photochrom.engine.pool import spread
from photochrom.engine.run import Progress
from photochrom.io.formats import show
from photochrom.io.guard import put_in_place
from photochrom.io.stores import Address, look, move
from photochrom.num.parallel import threads


@dataclass(frozen=True)
class Kept:
    """One picture that was made before, of the same source by the same recipe, and is still as it was."""

    source: Path
    target: Path


Matching = Callable[[Job], Mapping[str, Path]]
"""Tells which pictures belong to a job, by step and port."""


class Engine(Protocol):
    """Where pictures are made."""

    def __call__(self, task: Maker, items: Iterable[Task], workers: int, progress: Progress = ...
                 ) -> Iterator[Made | Done | Same | Failed]:
        """Do every task and yield each result as it comes."""


def run_jobs(recipe: Recipe | Step, jobs: list[Job], options: Options | None = None, *, workers: int | None = None,
             progress: Progress = lambda pixels: None, out: Path | None = None, redo: bool = False,
             matched: Matching | None = None, engine: Engine = spread,
             begun: Callable[[Survey], None] = lambda survey: None) -> Iterator[Done | Kept | Failed]:
    """Run a recipe over many pictures, several at a time, and yield each as it ends.

    Args:
        recipe: a recipe or a single step, its pictures bound.
        jobs: what to make.
        options: how files are read, run and written; the memory is for all workers together. In this process, what does
            not fit into the share of one worker comes last, one by one, with all of it.
        workers: pictures worked on at once; as many as there are cores if not given.
        progress: called with the number of pixels finished since the last call.
        out: the output folder of all jobs, where a manifest of what was made is kept; None to keep none.
        redo: make pictures anew that are made already.
        matched: which further pictures belong to a job, by step and port.
        engine: where pictures are made: in this process, or on a cluster.
        begun: told what is to be done before anything is.

    Yields:
        `Done`, `Kept` or `Failed` for every job, those that need no work first, then in the order in which they end.

    Raises:
        FileError: the output folder cannot be written, or another run is writing into it.
    """
    options = options or Options()
    count = workers or threads()
    # A cluster's workers do not share this machine's memory.
    shares = max(1, min(count, len(jobs))) if options.memory else min(count, threads())
    memory = (options.memory or default_memory()) // shares
    each = dataclasses.replace(options, memory=memory)
    if out is None:
        work = [Task(job, options.overwrite, others=matched(job) if matched else {}) for job in jobs]
        begun(Survey(tasks=work))
        sources = frozenset(job.source.resolve() for job in jobs)
        for result in _work(engine, Maker(recipe, each, sources), work, count, shares, progress):
            assert isinstance(result, (Done, Failed))
            yield result
        return
    with open_manifest(out) as manifest:
        if options.memory is None:
            each = dataclasses.replace(options, memory=manifest.keep_memory(memory))
        identity = identify(recipe, options)
        found = survey(manifest, jobs, identity, options.overwrite, redo, matched)
        begun(found)
        yield from found.kept
        yield from found.failed
        if not found.tasks:
            return
        maker = Maker(recipe, each, frozenset(), manifest.parts, identity)
        for result in _work(engine, maker, found.tasks, count, shares, progress):
            yield _settle(manifest, result, identity)


def _work(engine: Engine, maker: Maker, tasks: list[Task], workers: int, shares: int, progress: Progress
          ) -> Iterator[Made | Done | Same | Failed]:
    """Do every task; in this process first those whose pictures fit into a share of the memory."""
    named = {task.job: task for task in tasks}
    left = []
    for result in engine(maker, tasks, min(workers, len(tasks)), progress):
        if (engine is spread and shares > 1 and isinstance(result, Failed) and result.target is not None
                and isinstance(result.error, MemoryBudgetError)):
            left.append(named[Job(result.source, result.target)])
        else:
            yield result
    if left:
        assert maker.options.memory is not None
        whole = dataclasses.replace(maker.options, memory=maker.options.memory * shares)
        yield from engine(dataclasses.replace(maker, options=whole), left, 1, progress)


@dataclass
class Survey:
    """What there is to do."""

    tasks: list[Task] = dataclasses.field(default_factory=list)
    kept: list[Kept] = dataclasses.field(default_factory=list)
    failed: list[Failed] = dataclasses.field(default_factory=list)


def survey(manifest: Manifest, jobs: list[Job], identity: str, overwrite: bool = False, redo: bool = False,
           matched: Matching | None = None) -> Survey:
    """Compare what is wanted with what the manifest says was made.

    A picture is up to date if recipe and version are those recorded and source, result and further pictures have the
    sizes and times recorded. Where only these differ, the hashes decide, when its turn comes.
    """
    found = Survey()
    sources = {job.source: _seen(job.source) for job in jobs}
    inputs = {seen.file for seen in sources.values() if seen is not None}
    for job in jobs:
        name, source, there = key(manifest, job.target), sources[job.source], _seen(job.target)
        if there is not None and there.file in inputs:
            sentence = f"{show(job.target)} is one of the inputs; a source is never overwritten"
            found.failed.append(Failed(job.source, FileError(sentence), job.target))
            continue
        record = manifest.records.get(name)
        if record is not None and (redo or (record.recipe, record.version) != (identity, VERSION)):
            record = None
        try:
            others = dict(matched(job)) if matched is not None else {}
        except FileError as error:
            found.failed.append(Failed(job.source, error, job.target))
            continue
        if record is not None and _unchanged(record, source, there, others):
            found.kept.append(Kept(job.source, job.target))
            continue
        found.tasks.append(Task(job, overwrite, record, frozenset(manifest.made.get(name, ())), others))
    return found


def _unchanged(record: Record, source: _Seen | None, there: _Seen | None,
               others: Mapping[str, Path]) -> bool:
    """Tell by sizes and times alone whether a picture and all it was made of are as recorded."""
    if record.source_print is None or record.output_print is None or source is None or there is None:
        return False
    if {port: name for port, (name, _) in record.others.items()} != {port: str(path) for port, path in others.items()}:
        return False
    return (record.source_print.stamp == source.stamp
            and record.output_print.stamp == there.stamp
            and all(known.stamp == stamp(Path(name)) for name, known in record.others.values()))


def key(manifest: Manifest, target: Path) -> str:
    """Return the name of a result within its output folder, as the manifest has it."""
    return target.relative_to(manifest.out).as_posix()


@dataclass(frozen=True)
class _Seen:
    """A file that is there: size and time of change, and by what two names of one file are found out."""

    stamp: tuple[int, int]
    file: object


def _seen(path: Path) -> _Seen | None:
    if isinstance(path, Address):
        found = look(path)
        return None if found is None else _Seen(found, str(path))
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return _Seen((facts.st_size, facts.st_mtime_ns), (facts.st_dev, facts.st_ino))


def _settle(manifest: Manifest, result: Made | Done | Same | Failed, identity: str) -> Done | Kept | Failed:
    """Record what came of a task, and only then give a finished picture its name."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if isinstance(result, Same):
        if result.record != manifest.records.get(result.record.output):
            manifest.add(result.record)
        return Kept(result.job.source, result.job.target)
    if isinstance(result, Failed):
        job_key = key(manifest, result.target) if result.target is not None else ""
        record = Record(job_key, str(result.source), result.source_print, identity, VERSION, time=now,
                        error=str(result.error))
        old = manifest.records.get(job_key)
        if old is None or (old.error, old.source_print, old.recipe) != (record.error, record.source_print, identity):
            with suppress(FileError):   # on a full disk the failure is told, if not recorded
                manifest.add(record)
        return result
    assert isinstance(result, Made)
    done = result.done
    record = Record(key(manifest, done.target), str(done.source), result.source_print, identity, VERSION,
                    result.output_print, result.others, done.width, done.height, round(done.seconds, 4), now,
                    done.notes)
    try:
        manifest.add(record)
    except PhotochromError as error:
        return Failed(done.source, error, done.target, result.source_print)
    try:
        if isinstance(done.target, Address) and isinstance(result.part, Address):
            move(result.part, done.target, result.overwrite)
            there = look(done.target)
            if there is not None:   # a store may give a file that is moved another version
                manifest.add(dataclasses.replace(record, output_print=dataclasses.replace(
                    result.output_print, mtime_ns=there[1])))
        else:
            put_in_place(result.part, done.target, result.overwrite)
    except PhotochromError as error:
        return _settle(manifest, Failed(done.source, error, done.target, result.source_print), identity)
    return done
