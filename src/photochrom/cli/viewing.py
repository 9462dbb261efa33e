"""The command `view`: pictures about pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from photochrom.core.errors import ControlError, nearest

KINDS: dict[str, tuple[str, int, int | None, tuple[str, ...]]] = {
    "histogram": ("one picture, or two: before and after", 1, 2, ("bins",)),
    "curves": ("an operation, or basic", 1, 1, ()),
    "surface": ("one picture", 1, 1, ("points",)),
    "cloud": ("one picture", 1, 1, ("points",)),
    "sheet": ("one picture or more, or folders", 1, None, ("columns", "title")),
    "difference": ("two pictures", 2, 2, ()),
    "gradient": ("one picture", 1, 1, ()),
    "direction": ("one picture", 1, 1, ()),
    "spectrum": ("one picture", 1, 1, ()),
    "pyramid": ("one picture", 1, 1, ("levels",)),
}
"""By kind: what it takes, how many at least and at most, its options."""


def split_words(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Part what was typed after KIND into inputs and options.

    Example:
        >>> split_words(["power", "--gamma", "-1,2"])
        (['power'], {'gamma': '-1,2'})
    """
    inputs: list[str] = []
    options: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("--"):
            inputs.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        found = value if equals else next(waiting, None)
        if found is None:
            raise ControlError(f"view: --{name} needs a value")
        options[name.replace("-", "_")] = found
    return inputs, options


def make_view(kind: str, words: list[str], output: Path, overwrite: bool) -> None:
    """Draw one view.

    Args:
        kind: one of `KINDS`.
        words: inputs and options, as typed.
        output: the file to write, .png or .svg.
        overwrite: replace a file that is there.
    """
    if kind not in KINDS:
        raise ControlError(f"view: there is no view '{kind}'{nearest(kind, list(KINDS))}")
    inputs, options = split_words(words)
    takes, least, most, known = KINDS[kind]
    if len(inputs) < least or (most is not None and len(inputs) > most):
        raise ControlError(f"view {kind} takes {takes}, got {len(inputs)} input(s)")
    if kind != "curves":
        for name in options:
            if name not in known:
                hint = nearest(name, list(known)) if known else "; it has none"
                raise ControlError(f"view {kind} has no option '{name}'{hint}")
    _DRAW[kind](inputs, options, output, overwrite)


def _histogram(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.histogram import view_histogram
    from photochrom.views.plot import whole_number

    view_histogram(inputs, output, bins=whole_number("bins", options.get("bins", 256), 2, 4096), overwrite=overwrite)


def _curves(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.curves import view_curves

    view_curves(inputs[0], output, options, overwrite=overwrite)


def _surface(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.plot import whole_number
    from photochrom.views.surface import MOST, view_surface

    view_surface(inputs[0], output, points=whole_number("points", options.get("points", MOST), 2, 1000),
                 overwrite=overwrite)


def _cloud(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.cloud import MOST, view_cloud
    from photochrom.views.plot import whole_number

    view_cloud(inputs[0], output, points=whole_number("points", options.get("points", MOST), 1, 200_000),
               overwrite=overwrite)


def _sheet(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.engine.folders import plan_jobs
    from photochrom.views.plot import whole_number
    from photochrom.views.sheet import picture_sheet

    files: list[Any] = []
    for path in map(Path, inputs):
        files += [job.source for job in plan_jobs([path], output.parent / "sheet")] if path.is_dir() else [path]
    columns = whole_number("columns", options["columns"], 1, 20) if "columns" in options else None
    picture_sheet(files, output, columns=columns, title=options.get("title", ""), overwrite=overwrite)


def _difference(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.difference import view_difference

    view_difference(inputs[0], inputs[1], output, overwrite=overwrite)


def _gradient(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.slopes import view_gradient

    view_gradient(inputs[0], output, overwrite=overwrite)


def _direction(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.slopes import view_direction

    view_direction(inputs[0], output, overwrite=overwrite)


def _spectrum(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.spectrum import view_spectrum

    view_spectrum(inputs[0], output, overwrite=overwrite)


def _pyramid(inputs: list[str], options: Mapping[str, str], output: Path, overwrite: bool) -> None:
    from photochrom.views.plot import whole_number
    from photochrom.views.pyramid import view_pyramid

    levels = whole_number("levels", options["levels"], 1, 16) if "levels" in options else None
    view_pyramid(inputs[0], output, levels=levels, overwrite=overwrite)


_DRAW: dict[str, Callable[[list[str], Mapping[str, str], Path, bool], None]] = {
    "histogram": _histogram, "curves": _curves, "surface": _surface, "cloud": _cloud, "sheet": _sheet,
    "difference": _difference, "gradient": _gradient, "direction": _direction, "spectrum": _spectrum,
    "pyramid": _pyramid,
}
