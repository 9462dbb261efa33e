"""What the command line says: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

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
            _leave()
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(SOME_FAILED) from None

    return run


def _leave() -> NoReturn:
    """End the process at once: work that cannot be stopped, such as a long solve, would be waited for otherwise."""
    guard = sys.modules.get("photochrom.io.guard")
    if guard is not None:
        guard.abandon_files()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(INTERRUPTED)


@contextmanager
def loading() -> Iterator[None]:
    """Load modules without a search for garbage every few hundred objects: torch makes a million, and none to clear."""
    first = "torch" not in sys.modules
    gc.disable()
    try:
        yield
    finally:
        if first:
            gc.freeze()   # what was loaded stays: later searches, and that at the end of the process, pass it over
        gc.enable()


class Bar:
    """Progress that is not shown."""

    def expect(self, amount: int) -> None:
        """Add to the total: the pixels of one picture, or the bytes of many, which are known without opening them."""

    def done(self, amount: int) -> None:
        """Add to what is done, in the same unit; for one picture these are its pixels."""

    def pixels(self, count: int) -> None:
        """Add pixels that are done, where the total counts bytes."""


class _ShownBar(Bar):
    def __init__(self, bar: Any, pictures: int) -> None:
        self._bar, self._pictures, self._ended, self._pixels, self._began = bar, pictures, 0, 0, time.monotonic()
        self._task = bar.add_task(self._label(), total=0, rate="")

    def _label(self) -> str:
        return f"{self._ended} of {self._pictures} pictures" if self._pictures > 1 else "1 picture"

    def expect(self, amount: int) -> None:
        self._bar.update(self._task, total=(self._bar.tasks[0].total or 0) + amount)

    def done(self, amount: int) -> None:
        if self._pictures > 1:
            self._ended += 1
        else:
            self.pixels(amount)
        self._bar.update(self._task, advance=amount, description=self._label())

    def pixels(self, count: int) -> None:
        self._pixels += count
        seconds = max(time.monotonic() - self._began, 1e-3)
        many = f"{self._ended / seconds:.1f} pictures/s, " if self._pictures > 1 else ""
        self._bar.update(self._task, rate=f"{many}{self._pixels / 1e6 / seconds:.1f} Mpx/s")


@contextmanager
def progress_bar(quiet: bool, pictures: int) -> Iterator[Bar]:
    """Show a bar of what is done on standard error, with rates and the time that is left."""
    if quiet or not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
               TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _ShownBar(bar, pictures)


def emit(facts: dict[str, Any]) -> None:
    """Print one JSON object on a line of standard output; bytes of names that are not UTF-8 as \\udc80 to \\udcff."""
    text = json.dumps(facts, ensure_ascii=False)
    print(text if text.isascii() or _printable(text) else json.dumps(facts), flush=True)


def _printable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
