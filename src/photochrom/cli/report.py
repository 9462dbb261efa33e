"""What the command line says: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from photochrom.core.errors import FileError, PhotochromError

SOME_FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def complain(sentence: str) -> None:
    """Print one sentence on standard error."""
    print(f"photochrom: {sentence}", file=sys.stderr, flush=True)


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what goes wrong in a command into one sentence and an exit code."""
    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except FileError as error:
            complain(str(error))
            raise typer.Exit(SOME_FAILED) from None
        except PhotochromError as error:
            complain(str(error))
            raise typer.Exit(WRONG_USAGE) from None
        except KeyboardInterrupt:
            complain("interrupted; finished pictures are kept, nothing is half-written")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(SOME_FAILED) from None

    return run


@contextmanager
def progress_bar(quiet: bool, pictures: int) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Show a bar of pixels done on standard error.

    Yields:
        Two functions: one adds pixels to the total that is expected, one adds pixels that are done.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda pixels: None, lambda pixels: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
               TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        label = f"{pictures} pictures" if pictures > 1 else "1 picture"
        task = bar.add_task(label, total=0, rate="")

        def expect(pixels: int) -> None:
            bar.update(task, total=(bar.tasks[0].total or 0) + pixels)

        def done(pixels: int) -> None:
            bar.update(task, advance=pixels, rate=f"{(bar.tasks[0].speed or 0) / 1e6:.1f} Mpx/s")

        yield expect, done


def emit(facts: dict[str, Any]) -> None:
    """Print one JSON object on a line of standard output."""
    print(json.dumps(facts, ensure_ascii=False), flush=True)
