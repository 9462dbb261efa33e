"""The commands `fit` and `fit-kernel`."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.cli.report import complain, emit
from photochrom.core.errors import ControlError, FileError

if TYPE_CHECKING:
    from photochrom.learn.fit import Fitted


def fit_recipe(recipe: Path, pictures: list[Path], output: Path, controls: str | None, options: dict[str, Any],
               curve: Path | None, as_json: bool, quiet: bool, overwrite: bool) -> None:
    """Fit a recipe file to pairs of files, write the result and tell how good it is.

    Args:
        recipe: the recipe to start from.
        pictures: before, after, before, after ... or two folders.
        output: the recipe to write.
        controls: names separated by commas, or None.
        options: further arguments of `fit`.
        curve: where to draw the loss, or None.
        as_json: print one JSON object.
        quiet: print nothing but errors.
        overwrite: replace files that are there.
    """
    from photochrom.engine.recipes import load_recipe
    from photochrom.io.guard import check_output
    from photochrom.learn.fit import fit
    from photochrom.views.loss import view_loss
    from photochrom.views.plot import check_target

    if output.suffix.lower() != ".toml":
        raise ControlError(f"fit: a recipe ends in .toml, got {output}")
    pairs = pairs_of_files(pictures)
    sources = [recipe, *(file for pair in pairs for file in pair)]
    check_output(output, overwrite, sources)
    if curve is not None:
        check_target(curve, overwrite, sources)
    start = load_recipe(recipe)
    names = None if controls is None else [name.strip() for name in controls.split(",") if name.strip()]
    with _steps(quiet or as_json) as progress:
        found = fit(start, [before for before, _ in pairs], [after for _, after in pairs], controls=names,
                    progress=progress, **options)
    learnt = found.recipe
    for step in learnt:   # its pictures are named from the folder the recipe lies in
        for port, file in step.files.items():
            step.files[port] = Path(os.path.relpath(learnt.folder / file, output.parent)).as_posix()
    learnt.name = f"{start.name}, fitted"
    learnt.about = f"Fitted to {len(pairs)} pair(s) of pictures, {pairs[0][1].name} first: {found.after}."
    _write(output, learnt.dumps(), overwrite, sources)
    if curve is not None:
        view_loss(found.history, curve, title=f"{start.name}: {found.loss} loss", overwrite=overwrite, protect=sources)
    if as_json:
        emit(_facts(found, output))
    elif not quiet:
        print(output)
        for line in _lines(found):
            print(line)
    if not quiet and not found.converged:
        complain("fit: the steps ran out while the loss was still falling; --steps allows more")


def fit_filter(pictures: list[Path], output: Path | None, options: dict[str, Any], curve: Path | None, as_json: bool,
               quiet: bool, overwrite: bool) -> None:
    """Fit kernels to pairs of files, write them as text and tell how good they are."""
    from photochrom.io.guard import check_output
    from photochrom.learn.kernels import fit_kernel, write_text
    from photochrom.views.loss import view_loss
    from photochrom.views.plot import check_target

    pairs = pairs_of_files(pictures)
    sources = [file for pair in pairs for file in pair]
    count = options["kernels"]
    files = [] if output is None else [output] if count == 1 else [
        output.with_name(f"{output.stem}-{number}{output.suffix}") for number in range(1, count + 1)]
    for file in files:
        check_output(file, overwrite, sources)
    if curve is not None:
        check_target(curve, overwrite, sources)
    with _steps(quiet or as_json) as progress:
        found = fit_kernel([before for before, _ in pairs], [after for _, after in pairs], progress=progress, **options)
    texts = [write_text(kernel) for kernel in found.kernels]
    for file, text in zip(files, texts, strict=False):
        _write(file, text, overwrite, sources)
    if curve is not None:
        view_loss(found.history, curve, title="fit-kernel: mean squared difference, halved", overwrite=overwrite,
                  protect=sources)
    if as_json:
        emit({"kernels": found.kernels.tolist(), "offset": found.offset, "point": found.point,
              "psnr": _finite(found.psnr), "rms_levels": found.rms, "samples": found.samples,
              "outputs": [str(file) for file in files]})
    elif not quiet:
        for file in files:
            print(file)
        print("\n".join(_table(kernel) for kernel in found.kernels.tolist()))
        if options["offset"]:
            print(f"offset {found.offset:.5g}")
        print(f"remaining difference: {found.psnr:.1f} dB, {found.rms:.3f} levels root mean square, "
              f"over {found.samples} windows")


def pairs_of_files(pictures: list[Path]) -> list[tuple[Path, Path]]:
    """Part the files that were named into before and after; of two folders, take the files of the same names."""
    if len(pictures) == 2 and all(path.is_dir() for path in pictures):
        from photochrom.engine.folders import plan_jobs

        before, after = ({job.source.relative_to(folder).with_suffix(""): job.source
                          for job in plan_jobs([folder], folder.parent / "fit")} for folder in pictures)
        pairs = [(before[name], after[name]) for name in sorted(before) if name in after]
        if not pairs:
            raise FileError(f"{pictures[0]} and {pictures[1]} hold no pictures of the same names")
        return pairs
    for path in pictures:
        if path.is_dir():
            raise ControlError(f"fit: {path} is a folder; give files, or two folders with files of the same names")
    if len(pictures) % 2 or not pictures:
        raise ControlError(f"fit: pictures come in pairs, before and after, got {len(pictures)}")
    return list(zip(pictures[::2], pictures[1::2], strict=True))


def _lines(found: Fitted) -> Iterator[str]:
    width = max(len(control.name) for control in found.controls)
    for control in found.controls:
        doubt = "" if control.sure else "   not determined by these pictures"
        yield f"{control.name:{width}}  {_show(control.start)} -> {_show(control.value, control.error)}{doubt}"
    yield f"unedited: {found.before}"
    yield f"fitted:   {found.after}"


def _show(value: Any, errors: tuple[float, ...] = ()) -> str:
    if isinstance(value, tuple):
        parts = value[0] if len(value) == 1 and isinstance(value[0], tuple) else value
        paired = all(isinstance(part, tuple) for part in parts)
        return ",".join(":".join(f"{number:.4g}" for number in part) for part in parts) if paired else (
            ", ".join(f"{number:.5g}" for number in parts))
    return f"{value:.5g}" + (f" ± {errors[0]:.1g}" if len(errors) == 1 and math.isfinite(errors[0]) else "")


def _facts(found: Fitted, output: Path) -> dict[str, Any]:
    def figures(distance: Any) -> dict[str, Any]:
        return {"psnr": _finite(distance.psnr), "mean_levels": distance.mean, "within_levels_99": distance.most,
                "largest_levels": distance.largest}

    return {"output": str(output), "method": found.method, "loss": found.loss, "steps": len(found.history) - 1,
            "converged": found.converged, "unedited": figures(found.before), "fitted": figures(found.after),
            "controls": [{"name": control.name, "start": control.start, "value": control.value, "sure": control.sure,
                          "error": [_finite(error) for error in control.error]} for control in found.controls],
            "history": list(found.history)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None   # JSON has no infinity


def _table(kernel: list[list[float]]) -> str:
    return "\n".join("  ".join(f"{value + 0.0:9.5f}" for value in row) for row in kernel) + "\n"


def _write(path: Path, text: str, overwrite: bool, protect: list[Path]) -> None:
    from photochrom.io.guard import check_output, whole_file

    check_output(path, overwrite, protect)
    with whole_file(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _steps(quiet: bool) -> Iterator[Any]:
    """Tell each step on standard error, on one line, where someone looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda step, value: None
        return

    def told(step: int, value: float) -> None:
        print(f"\rstep {step}, loss {value:.3g}   ", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
