"""Running a recipe from one file to another, with bounded memory."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.feeds import RowFeed, levels_of
from photochrom.engine.plan import default_memory, factors
from photochrom.engine.run import Progress, Run
from photochrom.io import Depth, Source, encoder_for, open_source, save_strips
from photochrom.io.formats import TiffLayout
from photochrom.io.sink import held


@dataclass(frozen=True)
class Options:
    """How files are read, run and written."""

    memory: int | None = None
    """Bytes for pictures, decoding and encoding included; beside them the libraries take what `LIBRARIES` says."""
    device: str = "cpu"
    profile: Literal["keep", "srgb"] = "keep"
    quality: int | None = None
    overwrite: bool = False
    tiff: TiffLayout = dataclasses.field(default_factory=TiffLayout)
    depth: Depth | None = None
    """Of the stored samples; that of the source if not given."""


@dataclass(frozen=True)
class Done:
    """One finished picture."""

    source: Path
    target: Path
    width: int
    height: int
    seconds: float
    notes: tuple[str, ...]
    drift: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """Steps that mean to leave the mean colour as it is, and by how many of 255 levels each channel's moved."""


def run_file(recipe: Recipe | Step, source: str | Path, target: str | Path, options: Options | None = None, *,
             protect: Sequence[str | Path] = (), progress: Progress = lambda pixels: None,
             staged: Path | None = None) -> Done:
    """Run a recipe over one picture file.

    Args:
        recipe: a recipe or a single step, its pictures bound.
        source: the picture file; never written.
        target: the file to write; it appears whole or not at all.
        options: how files are read, run and written.
        protect: further files that must not be overwritten.
        progress: called with the number of pixels finished since the last call.
        staged: where the finished file goes instead of `target`; the caller then puts it in its place.

    Returns:
        What was done, with notes on anything that was not carried over.

    Raises:
        FileError: a file cannot be read or written.
        PhotochromError: the recipe does not suit the picture, or the memory does not.
    """
    options = options or Options()
    began = time.perf_counter()
    steps = list(recipe) if isinstance(recipe, Recipe) else [recipe]
    source, target = Path(source), Path(target)
    with open_source(source) as opened:
        feed = _feed(opened)
        larger = factors(steps)
        beside = opened.held + held(opened.about, target, opened.height * larger, opened.width * larger,
                                    depth=options.depth, tiff=options.tiff)
        memory = ((options.memory or default_memory()) - beside) * 3 // 4   # a quarter for stored samples that wait
        work = Run(steps, feed, memory, options.device, progress)
        about = dataclasses.replace(opened.about, channels=work.gives)
        encoder = encoder_for(about, target, profile=options.profile, depth=options.depth)
        direct = work.direct and opened.plain and encoder.plain and encoder.dtype == opened.dtype
        direct = direct and encoder.bands == opened.bands

        def strips() -> Iterator[np.ndarray]:
            if direct:
                yield from work.raw_tiles()
                return
            for _, _, image, alpha in work.tiles():
                yield encoder.encode(image, alpha)

        save_strips(target, encoder, work.height, work.width, strips(), quality=options.quality,
                    overwrite=options.overwrite, protect=(source, *protect), staged=staged,
                    tiff=options.tiff)
        notes = (*opened.about.notes, *encoder.notes)
        drift = tuple((seen.name, seen.levels) for seen in work.drifts if seen.levels)
        return Done(source, target, work.width, work.height, time.perf_counter() - began, notes, drift)


def _feed(opened: Source) -> RowFeed:
    """Feed the rows of an opened file; a second pass opens it again, for files are read forwards."""
    first = [opened]

    def again() -> Callable[[int, int], np.ndarray]:
        return (first.pop() if first else open_source(opened.path)).rows

    levels = levels_of(opened.dtype) if opened.plain else None
    return RowFeed(opened.height, opened.width, opened.about.channels, opened.about.alpha, levels, again, opened.decode)
