"""The one path by which every command makes pictures, whether one or a folder full."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import typer

from photochrom.cli.report import SOME_FAILED, complain, emit, progress_bar

PROFILES: dict[str, Literal["keep", "srgb"]] = {"keep": "keep", "srgb": "srgb"}
DEPTHS: dict[str, Literal["uint8", "uint16", "float16", "float32"] | None] = {
    "keep": None, "8": "uint8", "16": "uint16", "half": "float16", "float": "float32"}


def make_pictures(recipe: Any, inputs: list[Path], output: Path, *, memory: str | None, device: str,
                  workers: int | None, profile: str, quality: int | None, overwrite: bool, as_json: bool,
                  quiet: bool, depth: str = "keep") -> None:
    """Run a recipe over files and folders, report each, and exit with 1 if any failed."""
    from photochrom.core.errors import ControlError, FileError
    from photochrom.engine.files import Done, Options
    from photochrom.engine.folders import plan_jobs, run_jobs
    from photochrom.engine.plan import parse_size
    from photochrom.io import describe

    if profile not in PROFILES:
        raise ControlError(f"--profile must be keep or srgb, got {profile!r}")
    if depth not in DEPTHS:
        raise ControlError(f"--depth must be {', '.join(DEPTHS)}, got {depth!r}")
    if workers is not None and workers < 1:
        raise ControlError(f"--jobs must be at least 1, got {workers}")
    check_device(device)
    options = Options(parse_size(memory) if memory else None, device, PROFILES[profile], quality, overwrite,
                      DEPTHS[depth])
    jobs = plan_jobs(inputs, output)
    failures = 0
    with progress_bar(quiet or as_json, len(jobs)) as (expect, done):
        for job in jobs:   # headers only; a file that cannot be opened is reported when its turn comes
            try:
                facts = describe(job.source)
                expect(facts["width"] * facts["height"])
            except FileError:
                continue
            if len(jobs) > 1000:
                break
        for result in run_jobs(recipe, jobs, options, workers=workers, progress=done):
            if isinstance(result, Done):
                if as_json:
                    emit({"input": str(result.source), "output": str(result.target), "width": result.width,
                          "height": result.height, "seconds": round(result.seconds, 4), "notes": result.notes})
                elif not quiet:
                    print(result.target, flush=True)
                if not quiet and not as_json:
                    for note in result.notes:
                        complain(f"{result.source}: {note}")
            else:
                failures += 1
                if as_json:
                    emit({"input": str(result.source), "error": str(result.error)})
                complain(str(result.error))
    if failures:
        if len(jobs) > 1:
            complain(f"{failures} of {len(jobs)} pictures failed")
        raise typer.Exit(SOME_FAILED)


def check_device(device: str) -> None:
    """Raise unless torch knows the device and it is there."""
    import torch

    from photochrom.core.errors import ControlError

    try:
        torch.empty(0, device=device)
    except Exception:
        raise ControlError(f"--device {device!r} is not available here; cpu always is") from None
