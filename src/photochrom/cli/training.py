"""The command `train`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.cli.report import emit
from photochrom.core.errors import ControlError, FileError

if TYPE_CHECKING:
    from photochrom.learn.loop import Told


def train_network(config: Path, data: list[Path], validation: list[Path], output: Path | None, steps: int | None,
                  resume: Path | None, start: str | None, device: str, devices: int, nodes: int, as_json: bool,
                  quiet: bool, overwrite: bool = False) -> None:
    """Train a network by a configuration and tell how good it became.

    Args:
        config: the configuration, TOML.
        data: folders of training pictures.
        validation: folders of pictures to judge by; none to hold some of the others out.
        output: the folder to write; None for out/train and the name of the configuration.
        steps: instead of the configuration's number.
        resume: a checkpoint, or the folder of a training, to go on from.
        start: weights to begin with instead of the configuration's.
        device: cpu, cuda, mps or auto.
        devices: processes on this machine.
        nodes: machines.
        as_json: print JSON objects.
        quiet: print nothing but errors.
        overwrite: begin anew in a folder that holds a training.
    """
    from photochrom.io.formats import show
    from photochrom.learn.config import load_config
    from photochrom.learn.loop import train
    from photochrom.learn.rules import fabric_for

    for name, count in (("devices", devices), ("nodes", nodes)):
        if count < 1:
            raise ControlError(f"train: {name} must be at least 1, got {count}")
    told = load_config(config)
    if start is not None:
        told = dataclasses.replace(told, network=dataclasses.replace(told.network, start=start))
    if resume is not None and resume.is_dir():
        resume = resume / "last.ckpt"
    folder = output or Path("out/train") / told.name
    if resume is None and not overwrite and any((folder / name).exists() for name in ("last.ckpt", "best.safetensors")):
        raise FileError(f"train: {show(folder)} holds a training already; go on with --resume {show(folder)}, choose "
                        "another folder by -o, or allow overwriting")
    fabric = fabric_for(told.run.precision, device, devices, nodes)
    with _progress(told.name, as_json, quiet or not fabric.is_global_zero) as tell:
        found = train(told, data, folder, validation=validation, steps=steps, resume=resume, fabric=fabric, tell=tell)
    if not fabric.is_global_zero:
        return
    figures = {f"x{scale}": round(value, 3) for scale, value in found.psnr.items()}
    if as_json:
        emit({"name": told.name, "steps": found.steps, "psnr": figures, "best": round(found.best, 3),
              "loading": round(found.loading, 4), "folder": str(folder)})
    elif not quiet:
        print(folder / "best.safetensors")
        print(f"PSNR {', '.join(f'{value:.2f} dB ({scale})' for scale, value in figures.items())}, best "
              f"{found.best:.2f} dB; patches took {found.loading:.1%} of the time of a step")


@contextmanager
def _progress(name: str, as_json: bool, quiet: bool) -> Iterator[Callable[[Told], None]]:
    """Show a bar with the time that is left on standard error, or, where nobody looks, a line for each validation."""
    if quiet:
        yield lambda told: None
        return
    if as_json or not sys.stderr.isatty():
        yield lambda told: _line(told, as_json)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
               TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        judged = ""

        def tell(told: Told) -> None:
            nonlocal judged
            if told.judged is not None:
                judged = f", {told.judged.mean:.2f} dB"
            bar.update(task, total=told.steps, completed=told.step,
                       description=f"loss {told.loss:.3g}{judged}, {1 / told.seconds:.1f} steps/s")

        yield tell


def _line(told: Told, as_json: bool) -> None:
    if told.judged is None:
        return
    if as_json:
        emit({"step": told.step, "of": told.steps, "loss": told.loss, "rate": told.rate, "seconds": told.seconds,
              "loading": told.loading, "psnr": {f"x{s}": value for s, value in told.judged.psnr.items()},
              "best": told.best})
        return
    psnr = ", ".join(f"{value:.2f} dB" + (f" (x{scale})" if len(told.judged.psnr) > 1 else "")
                     for scale, value in told.judged.psnr.items())
    left = (told.steps - told.step) * told.seconds
    print(f"step {told.step} of {told.steps}: loss {told.loss:.3g}, {psnr}{' (best)' if told.best else ''}, "
          f"{1 / told.seconds:.1f} steps/s, {left / 60:.0f} min left", file=sys.stderr, flush=True)
