"""The one path by which every command makes pictures, whether one or a folder full."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import typer

from photochrom.cli.report import SOME_FAILED, complain, emit, progress_bar

PROFILES: dict[str, Literal["keep", "srgb"]] = {"keep": "keep", "srgb": "srgb"}
DEPTHS: dict[str, Literal["uint8", "uint16", "float16", "float32"] | None] = {
    "keep": None, "8": "uint8", "16": "uint16", "half": "float16", "float": "float32"}
REPEATED = 50
"""Failures that are told again at the end, at most."""


@dataclass(frozen=True)
class Folder:
    """What belongs to a run over a folder alone."""

    selection: Any = None
    matched: Any = None
    redo: bool = False
    dry: bool = False
    cluster: tuple[str | None, float] | None = None
    """Address and GPUs of each worker; None to work here."""
    tiff: str | None = None


def make_pictures(recipe: Any, inputs: list[Path], output: Path, *, memory: str | None, device: str,
                  workers: int | None, profile: str, quality: int | None, overwrite: bool, as_json: bool,
                  quiet: bool, depth: str = "keep", folder: Folder | None = None) -> None:
    """Run a recipe over files and folders, report each, and exit with 1 if any failed."""
    from photochrom.core.errors import ControlError
    from photochrom.core.memory import keep_freed
    from photochrom.engine.files import Options
    from photochrom.engine.folders import plan_jobs, single
    from photochrom.engine.plan import for_pictures, parse_size
    from photochrom.engine.runs import run_jobs

    budget = parse_size(memory) if memory else None
    keep_freed(budget)
    if profile not in PROFILES:
        raise ControlError(f"--profile must be keep or srgb, got {profile!r}")
    if depth not in DEPTHS:
        raise ControlError(f"--depth must be {', '.join(DEPTHS)}, got {depth!r}")
    if workers is not None and workers < 1:
        raise ControlError(f"--jobs must be at least 1, got {workers}")
    check_device(device)
    one = folder is None   # an operation on one picture keeps no manifest
    folder = folder or Folder()
    if folder.cluster is not None:
        from photochrom.engine.cluster import absolute

        inputs, output = absolute(inputs), absolute([output])[0]
    options = Options(budget, device, PROFILES[profile], quality, overwrite,
                      tiff_layout(folder.tiff), DEPTHS[depth])
    alone = one or single(inputs, output)
    jobs = plan_jobs(inputs, output, folder.selection)
    if folder.dry:
        show_plan(recipe, jobs, options, None if alone else output, folder, as_json)
        return
    told = Telling(as_json, quiet, None if alone else len(jobs))
    with _engine(folder, workers) as (engine, workers), progress_bar(quiet or as_json, len(jobs)) as bar:
        if budget:
            programs = 1 if folder.cluster is None else workers or 1
            options = replace(options, memory=for_pictures(budget, programs))
        if alone:
            bar.expect(_pixels(jobs[0].source))
        try:
            for result in run_jobs(recipe, jobs, options, workers=workers, out=None if alone else output,
                                   redo=folder.redo, matched=folder.matched, engine=engine,
                                   progress=bar.done if alone else bar.pixels,
                                   begun=lambda survey: _begin(survey, told, None if alone else bar)):
                told.tell(result)
                if not alone:
                    bar.done(_weight(result.source))
        except KeyboardInterrupt:
            told.end(interrupted=True)
            raise
    told.end()
    if told.failures:
        raise typer.Exit(SOME_FAILED)


class Telling:
    """Says what becomes of each picture: results on standard output, notes and errors on standard error.

    Args:
        as_json: results as one JSON object a line.
        quiet: errors only.
        pictures: how many there are in a folder; None where one file is made under its own name.
    """

    def __init__(self, as_json: bool, quiet: bool, pictures: int | None) -> None:
        self.as_json, self.quiet, self.pictures = as_json, quiet, pictures
        self.made, self.kept, self.megapixels = 0, 0, 0.0
        self.failures: list[tuple[Path, str]] = []
        self.began = time.monotonic()

    def begin(self, todo: int) -> None:
        """Tell what there is to do."""
        if self.as_json and self.pictures is not None:
            emit({"event": "begin", "pictures": self.pictures, "to_make": todo})

    def tell(self, result: Any) -> None:
        """Tell what became of one picture."""
        from photochrom.engine.files import Done
        from photochrom.engine.making import Failed
        from photochrom.io.formats import show

        if isinstance(result, Failed):
            sentence = str(result.error) if self.pictures is None else _named(result)
            self.failures.append((result.source, sentence))
            if self.as_json:
                emit({"event": "failed", "input": str(result.source), "error": sentence})
            complain(sentence)
        elif isinstance(result, Done):
            self.made += 1
            self.megapixels += result.width * result.height / 1e6
            if self.as_json:
                emit({"event": "done", "input": str(result.source), "output": str(result.target),
                      "width": result.width, "height": result.height, "seconds": round(result.seconds, 4),
                      "notes": result.notes, **_drift_facts(result.drift)})
            elif not self.quiet:
                print(show(result.target), flush=True)
                for note in result.notes:
                    complain(f"{show(result.source)}: {note}")
                if self.pictures is None:   # of a folder JSON tells them
                    for name, levels in result.drift:
                        complain(f"{show(result.source)}: {_drift_sentence(name, levels)}")
        else:
            self.kept += 1
            if self.as_json:
                emit({"event": "kept", "input": str(result.source), "output": str(result.target)})

    def end(self, interrupted: bool = False) -> None:
        """Sum up a folder."""
        if self.pictures is None:
            return
        seconds = max(time.monotonic() - self.began, 1e-9)
        if self.as_json:
            emit({"event": "summary", "pictures": self.pictures, "made": self.made, "kept": self.kept,
                  "failed": len(self.failures), "megapixels": round(self.megapixels, 3), "seconds": round(seconds, 3),
                  "pictures_per_second": round(self.made / seconds, 3),
                  "megapixels_per_second": round(self.megapixels / seconds, 3), "interrupted": interrupted,
                  "failures": [{"input": str(source), "error": error} for source, error in self.failures]})
        elif not self.quiet:
            rate = f": {self.made / seconds:.1f} pictures/s, {self.megapixels / seconds:.1f} Mpx/s" if self.made else ""
            complain(f"{_count(self.made)} made ({self.megapixels:.1f} Mpx) in {seconds:.1f} s{rate}; "
                     f"{self.kept} were made before")
        if self.failures and self.pictures > 1:
            complain(f"{len(self.failures)} of {self.pictures} pictures failed")
            if not self.as_json and self.made + self.kept > 3:   # else they can still be seen
                for _, error in self.failures[:REPEATED]:
                    complain(f"  {error}")
                if len(self.failures) > REPEATED:
                    complain(f"  and {len(self.failures) - REPEATED} more; `photochrom verify` lists all")


def _named(failed: Any) -> str:
    """Return what was wrong with a picture, and which one it was: what a recipe says of a picture names none."""
    from photochrom.core.errors import FileError
    from photochrom.io.formats import show

    return f"{failed.error}" if isinstance(failed.error, FileError) else f"{show(failed.source)}: {failed.error}"


def _drift_facts(drift: Any) -> dict[str, Any]:
    found = [{"step": name, "levels": [round(value, 4) for value in levels]} for name, levels in drift]
    return {"mean_moved": found} if found else {}


def _drift_sentence(name: str, levels: tuple[float, ...]) -> str:
    """Tell by how much the mean colour moved.

    Example:
        >>> _drift_sentence("denoise", (0.021, -0.5, 0.0))
        'denoise moved the mean of red, green, blue by +0.02, -0.50, +0.00 of 255 levels; --keep-mean true holds it'
    """
    if max(map(abs, levels)) < 0.005:
        return f"{name} kept the mean of every channel within 0.005 of 255 levels"
    channels = {1: "grey", 3: "red, green, blue"}.get(len(levels), "the channels")
    moved = ", ".join(f"{value:+.2f}" for value in levels)
    return f"{name} moved the mean of {channels} by {moved} of 255 levels; --keep-mean true holds it"


def show_plan(recipe: Any, jobs: list[Any], options: Any, out: Path | None, folder: Folder, as_json: bool) -> None:
    """Tell what a run would do, and do none of it."""
    from photochrom.engine.identity import identify
    from photochrom.engine.ledger import read_manifest
    from photochrom.engine.making import Task
    from photochrom.engine.manifest import stamp
    from photochrom.engine.runs import Survey, survey
    from photochrom.io.formats import show

    found = Survey([Task(job, options.overwrite) for job in jobs])
    if out is not None:
        found = survey(read_manifest(out), jobs, identify(recipe, options), options.overwrite, folder.redo,
                       folder.matched)
    for failed in found.failed:
        complain(_named(failed))
    for task in found.tasks:
        taken = not task.overwrite and not task.made and stamp(task.job.target) is not None
        if as_json:
            emit({"event": "plan", "input": str(task.job.source), "output": str(task.job.target), "exists": taken})
        else:
            print(f"{show(task.job.source)} -> {show(task.job.target)}" + (" (exists already)" if taken else ""))
    if as_json:
        emit({"event": "summary", "pictures": len(jobs), "to_make": len(found.tasks), "kept": len(found.kept),
              "failed": len(found.failed), "dry_run": True})
    else:
        complain(f"{_count(len(found.tasks))} would be made; {len(found.kept)} were made before")


def check_device(device: str) -> None:
    """Raise unless torch knows the device and it is there."""
    import torch

    from photochrom.core.errors import ControlError

    try:
        torch.empty(0, device=device)
    except Exception:
        raise ControlError(f"--device {device!r} is not available here; cpu always is") from None


def parse_pictures(given: list[str]) -> Mapping[str, Path]:
    """Read `PORT=PATH` and `STEP.PORT=PATH`."""
    from photochrom.core.errors import ControlError

    found = {}
    for text in given:
        port, equals, path = text.partition("=")
        if not (port and equals and path):
            raise ControlError(f"--picture must be PORT=FILE or STEP.PORT=FILE, such as mask=masks/, got {text!r}")
        found[port.strip()] = Path(path)
    return found


def cluster(engine: str, address: str | None, gpus: float) -> tuple[str | None, float] | None:
    """Read the options of the engine."""
    from photochrom.core.errors import ControlError

    if engine not in ("local", "ray"):
        raise ControlError(f"--engine must be local or ray, got {engine!r}")
    if engine == "local" and (address or gpus):
        raise ControlError("--address and --gpus need --engine ray")
    if gpus < 0:
        raise ControlError(f"--gpus must not be negative, got {gpus:g}")
    return None if engine == "local" else (address, gpus)


def tiff_layout(text: str | None) -> Any:
    """Read `strips`, `tiles`, `pyramid`, `big-tiles` and so on."""
    from photochrom.core.errors import ControlError
    from photochrom.io.formats import TiffLayout

    big, _, layout = (text or "strips").rpartition("big")
    layout = layout.lstrip("-") or "strips"
    if big or layout not in ("strips", "tiles", "pyramid"):
        raise ControlError(f"--tiff must be strips, tiles or pyramid, or one of them after big-, got {text!r}")
    wanted = True if text and text.startswith("big") else None
    return TiffLayout(wanted, layout == "tiles", layout == "pyramid")


@contextmanager
def _engine(folder: Folder, workers: int | None) -> Iterator[tuple[Any, int | None]]:
    """Yield where pictures are made, and by how many workers."""
    if folder.cluster is None:
        from photochrom.engine.pool import spread

        yield spread, workers
        return
    from photochrom.engine.cluster import RayEngine

    ray = RayEngine(*folder.cluster, workers)
    try:
        yield ray, ray.workers
    except KeyboardInterrupt:   # the process ends at once, and a Ray that was started here with it
        raise
    except BaseException:
        ray.close()
        raise
    ray.close()


def _begin(survey: Any, told: Telling, bar: Any) -> None:
    told.begin(len(survey.tasks))
    if bar is not None:
        bar.expect(sum(_weight(task.job.source) for task in survey.tasks))


def _weight(source: Path) -> int:
    """Return what a picture counts in the progress of a folder: its bytes, which are known without opening it."""
    from photochrom.engine.manifest import stamp

    found = stamp(source)
    return 0 if found is None else found[0]


def _pixels(source: Path) -> int:
    from photochrom.core.errors import FileError
    from photochrom.io import describe

    try:
        facts = describe(source)
    except FileError:   # it is reported when its turn comes
        return 0
    return int(facts["width"]) * int(facts["height"])


def _count(pictures: int) -> str:
    return "1 picture" if pictures == 1 else f"{pictures} pictures"
