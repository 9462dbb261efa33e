"""The process that makes pictures at full size: it can be ended at any moment without harm to the studio.

It reads one job a line on standard input and tells what becomes of it on standard output, both as JSON. Jobs run on
the very functions that the command line uses.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from photochrom.core.errors import PhotochromError

_WHITE = 1.01
"""What is lighter than this is more than the overshoot of a blend."""


def _run(job: dict[str, Any], tell: Any) -> dict[str, Any]:
    """Run a recipe file over a picture file."""
    from photochrom.engine.files import Options, run_file
    from photochrom.engine.recipes import load_recipe

    options = Options(depth=job.get("depth"), quality=job.get("quality"), overwrite=True,
                      profile=job.get("profile", "keep"))
    done = run_file(load_recipe(job["recipe"]), job["source"], job["target"], options,
                    progress=lambda pixels: tell({"pixels": pixels}))
    return {"width": done.width, "height": done.height, "seconds": done.seconds, "notes": list(done.notes)}


def _copy(job: dict[str, Any], tell: Any) -> dict[str, Any]:
    """Write a picture in another format, or for the screen, without any step."""
    from photochrom.io.photo import read, write

    photo = read(job["source"])
    notes = write(photo, job["target"], depth=job.get("depth"), quality=job.get("quality"), overwrite=True,
                  profile=job.get("profile", "keep"))
    return {"width": int(photo.image.shape[-1]), "height": int(photo.image.shape[-2]), "notes": list(notes)}


def _merge(job: dict[str, Any], tell: Any) -> dict[str, Any]:
    """Call an operation on several pictures and write what it gives."""
    import dataclasses

    from torch import Tensor

    from photochrom.core.door import through_the_door
    from photochrom.core.registry import registry
    from photochrom.core.values import plain
    from photochrom.io.exposure import exposure_time
    from photochrom.io.photo import read, write

    operation = registry.get(job["op"])
    photos = [read(path) for path in job["sources"]]
    ports: dict[str, Any] = {operation.main: [photo.image for photo in photos]}
    if "times" in operation.ports:
        known = job.get("times") or [exposure_time(photo.about.exif) for photo in photos]
        silent = [Path(path).name for path, seconds in zip(job["names"], known, strict=False) if seconds is None]
        if silent and not operation.ports["times"].optional:
            raise PhotochromError(f"{operation.name} needs exposure times, but {silent[0]} does not tell its own; "
                                  "type them in")
        ports["times"] = None if silent else known
    controls = operation.check({name: _tuples(value) for name, value in job["values"].items()})
    result = through_the_door(operation, ports, controls)
    if operation.result == "data":
        return {"data": plain(result), "notes": []}
    assert isinstance(result, Tensor)
    # OpenEXR holds light of any range, TIFF keeps the profile and the camera's data.
    target = job["target"] + (".exr" if float(result.max()) > _WHITE else ".tif")
    about = dataclasses.replace(photos[0].about, channels=result.shape[1], alpha=False, depth="float32")
    notes = write(dataclasses.replace(photos[0], image=result, alpha=None, about=about), target, overwrite=True)
    return {"target": target, "notes": list(notes)}


def _measure(job: dict[str, Any], tell: Any) -> dict[str, Any]:
    """Tell something of a picture, after a recipe if there is one."""
    from photochrom.core.door import through_the_door
    from photochrom.core.registry import registry
    from photochrom.core.values import plain
    from photochrom.engine.pictures import run
    from photochrom.engine.recipes import load_recipe
    from photochrom.io.photo import read

    photo = read(job["source"])
    if "recipe" in job:
        photo = run(load_recipe(job["recipe"]), photo)
    operation = registry.get(job["op"])
    controls = operation.check({name: _tuples(value) for name, value in job["values"].items()})
    return {"data": plain(through_the_door(operation, {operation.main: photo}, controls)), "notes": []}


def _fit(job: dict[str, Any], tell: Any) -> dict[str, Any]:
    """Fit a recipe to a picture and its edited copy."""
    from photochrom.core.recipe import loads
    from photochrom.learn.fit import fit

    found = fit(loads(job["text"]), job["before"], job["after"], progress=lambda step, loss: tell({"step": step}))
    lines = [f"{control.name}: {_short(control.start)} → {_short(control.value)}"
             + ("" if control.sure else " (not determined by these pictures)") for control in found.controls]
    return {"text": found.recipe.dumps(), "lines": [*lines, f"unedited: {found.before}", f"fitted: {found.after}"],
            "notes": []}


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return _short(value[0])
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(_short(part) for part in value) + ")"
    return f"{value:.4g}"


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


JOBS = {"run": _run, "copy": _copy, "measure": _measure, "merge": _merge, "fit": _fit}


def main() -> None:
    """Work until standard input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)   # what a library prints must not be taken for an answer

    def tell(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    for module in ("photochrom.engine.files", "photochrom.engine.recipes"):   # loaded before the first job comes
        importlib.import_module(module)
    tell({"ready": True})
    for line in sys.stdin:
        job = json.loads(line)
        try:
            tell({"done": JOBS[job["what"]](job, tell)})
        except PhotochromError as error:
            tell({"failed": str(error)})
        except MemoryError:
            tell({"failed": "there is not enough memory for this picture at full size"})
        except Exception as error:
            import traceback

            traceback.print_exc()
            tell({"failed": f"this step failed unexpectedly ({type(error).__name__}); the server's log tells more"})


if __name__ == "__main__":
    main()
