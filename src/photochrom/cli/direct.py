"""Commands of operations that are not steps: those that merge several pictures, and those that give data."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from torch import Tensor

from photochrom.cli.series import exposure_times, read_numbers
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.values import plain

_MANY = 0.01
"""Share of samples above white that is more than the overshoot of a blend."""


def call_directly(operation: Operation, source: Path | list[Path], output: Path | None,
                  pictures: dict[str, Path | None], values: dict[str, Any], common: dict[str, Any]) -> None:
    """Read the pictures, call the operation, and write a picture or print data as JSON.

    Args:
        operation: whose result is data, or whose first port takes several pictures.
        source: the picture file or files.
        output: the file to write, None for data.
        pictures: files of the further ports; those that hold a series of numbers may be text files.
        values: controls as parsed.
        common: the common options that were given.
    """
    from photochrom.cli.jobs import PROFILES
    from photochrom.io import read, write

    paths = source if isinstance(source, list) else [source]
    photos = [read(path) for path in paths]
    subject = [photo.image for photo in photos] if isinstance(source, list) else photos[0]
    ports: dict[str, Any] = {}
    for name, path in pictures.items():
        if path is not None and name in operation.ports and name != "times":
            ports[name] = read_numbers(str(path)) if operation.ports[name].kind == "numbers" else read(path)
    if "times" in operation.ports:
        given = pictures.get("times")
        ports["times"] = exposure_times(None if given is None else str(given), paths,
                                        [photo.about.exif for photo in photos], operation.name)
    result = public(operation)(subject, **ports, **values)
    if output is None:
        print(json.dumps(plain(result), ensure_ascii=False))
        return
    if common.get("profile", "keep") not in PROFILES:
        raise ControlError(f"--profile must be keep or srgb, got {common['profile']!r}")
    image = result if isinstance(result, Tensor) else result.image
    light = _holds_light(output)
    depth = "float32" if light else photos[0].about.depth   # 16-bit floats end at 65504, a radiance need not
    about = dataclasses.replace(photos[0].about, channels=image.shape[1], alpha=False, depth=depth)
    notes = write(dataclasses.replace(photos[0], image=image, alpha=None, about=about), output,
                  profile=PROFILES[common.get("profile", "keep")], quality=common.get("quality"),
                  overwrite=common.get("overwrite", False), protect=paths)
    if depth[0] == "u" and float((image > 1).float().mean()) > _MANY:
        notes = (*notes, "much of the picture is lighter than white and is clipped; name the output .exr to keep it")
    if not common.get("quiet"):
        print(output)
        for note in notes:
            from photochrom.cli.report import complain

            complain(f"{output}: {note}")


def _holds_light(output: Path) -> bool:
    """Tell whether a file of this name holds light of any range."""
    from photochrom.io.formats import format_for_output

    return "uint8" not in format_for_output(output).depths


def public(operation: Operation) -> Any:
    """Return the function a library user calls."""
    import importlib

    return getattr(importlib.import_module(operation.function.__module__), operation.name)
