"""A 16-bit TIFF through three steps with a memory budget: does it stay small, does the time grow linearly?"""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np

from benchmarks.measure import process
from benchmarks.picture import tiff16
from benchmarks.row import Bench, Contestant, Ready, Row, Target, Times

RECIPE = """version = 1
name = "benchmark: pixel, window, pixel"

[[step]]
op = "power"
gamma = 0.8

[[step]]
op = "gaussian"
sigma = 2.0

[[step]]
op = "levels"
black = 0.02
white = 0.98
gamma = 1.1
"""
MEGAPIXELS = {"12 megapixels": (3000, 4000), "50 megapixels": (5000, 10000), "200 megapixels": (10000, 20000)}
HUGE = {"400 megapixels": (20000, 20000), "panorama of 600 megapixels": (10000, 60000)}
START = {"a start": (64, 64)}
SHAPES = MEGAPIXELS | HUGE | START
MARGIN, SIDE = 64, 400
"""Pixels around a window that is computed apart, more than the Gaussian's 8; and the side of the window."""


def _shape(bench: Bench, name: str) -> tuple[int, int]:
    height, width = SHAPES[name]
    return (height // 4, width // 4) if bench.quick else (height, width)


def _ours(name: str, compared: bool = True) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        source = tiff16(bench.work, *_shape(bench, name))
        recipe, folder = bench.scratch / "large.toml", bench.scratch / f"large-{name.split()[0]}"
        recipe.write_text(RECIPE)
        target = folder / "out.tif"

        def fresh() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

        def made() -> dict[str, np.ndarray]:
            return _windows(str(target), 0)

        words = [*bench.command, "run", str(recipe), str(source), "-o", str(target), "--memory", "1G", "--quiet"]
        return process(words, made, before=fresh, done=lambda: _whole(str(target), _shape(bench, name)))

    return Contestant(name, prepare, against=f"windows of {name}" if compared else None)


def _truth(name: str) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        def made() -> dict[str, np.ndarray]:
            import tomllib

            import photochrom
            from photochrom.core.registry import registry

            steps = [photochrom.Step(registry.get(step.pop("op")), **step) for step in tomllib.loads(RECIPE)["step"]]
            recipe = photochrom.Recipe(steps)
            whole = _windows(str(tiff16(bench.work, *_shape(bench, name))), MARGIN)
            return {place: _trim(recipe(window), place) for place, window in whole.items()}

        return Ready(once=lambda: (_ for _ in ()).throw(AssertionError("a truth is not timed")), result=made)

    return Contestant(f"windows of {name}", prepare, against=None, timed=False)


def _windows(path: str, margin: int) -> dict[str, np.ndarray]:
    """Read two corners and the middle of a TIFF, each with a margin towards the inside."""
    import pyvips

    image = pyvips.Image.new_from_file(path, revalidate=True)   # not from libvips' cache of an earlier round
    side, wide = SIDE + margin, SIDE + 2 * margin
    return {
        "top left": image.crop(0, 0, side, side).numpy(),
        "middle": image.crop((image.width - wide) // 2, (image.height - wide) // 2, wide, wide).numpy(),
        "bottom right": image.crop(image.width - side, image.height - side, side, side).numpy(),
    }


def _trim(window: np.ndarray, place: str) -> np.ndarray:
    start = 0 if place == "top left" else MARGIN
    return window[start:start + SIDE, start:start + SIDE]


def _whole(path: str, shape: tuple[int, int]) -> None:
    """Raise unless the result is a 16-bit picture of the right size."""
    import pyvips

    image = pyvips.Image.new_from_file(path, revalidate=True)   # not from libvips' cache of an earlier round
    if (image.height, image.width, image.format) != (*shape, "ushort"):
        raise ValueError(f"the result is {image.width} x {image.height} {image.format}")


def _each(name: str) -> Any:
    return lambda times: times[name].median * 1000 / (SHAPES[name][0] * SHAPES[name][1] / 1e6)


def _growth(times: Times) -> float:
    """Return the time of a further megapixel from 50 to 200, divided by that from 12 to 50."""
    twelve, fifty, most = (times[name].median for name in MEGAPIXELS)
    return ((most - fifty) / 150) / ((fifty - twelve) / 38)


def _beyond_start(times: Times) -> float:
    """Return the time of a megapixel of 400 divided by that of 12, without the start of the process."""
    start = times["a start"].median
    each = [(times[name].median - start) / count for name, count in (("400 megapixels", 400), ("12 megapixels", 12))]
    return each[0] / each[1]


def _gib(name: str) -> Any:
    return lambda times: times[name].peak / 2**30


NOTES = ("two corners and the middle of each result are compared with the plain module run on that part alone.",
         "results are written into memory where there is room: a busy disk is not to look like a slow program.")
ROWS = (Row(
    name="large-tiff",
    about="a 16-bit RGB TIFF through power, gaussian, levels with --memory 1G, a whole process",
    contestants=(*(_truth(name) for name in MEGAPIXELS), *(_ours(name) for name in MEGAPIXELS)),
    targets=(
        Target("peak memory at 200 megapixels < 1.6 GiB", lambda times: times["200 megapixels"].peak / 2**30,
               1.6, "<", "GiB"),
        Target("time per megapixel, 200 / 12 ≤ 1.1",
               lambda times: _each("200 megapixels")(times) / _each("12 megapixels")(times), 1.1, "<="),
        Target("time per further megapixel, (50 to 200) / (12 to 50) ≤ 1.25", _growth, 1.25, "<="),
        *(Target(f"time per megapixel at {name}", _each(name), unit="ms") for name in MEGAPIXELS),
    ),
    tolerance=1, unit="of 65535", rounds=3, warm=0,
    notes=(NOTES[0],
           "starting the process weighs on the small picture; the second ratio is free of that and so the stricter.",
           NOTES[1])),
    Row(
    name="huge-tiff",
    about="the same of 400 megapixels and of 10,000 x 60,000 pixels",
    contestants=(*(_truth(name) for name in HUGE), _ours("a start", compared=False),
                 _ours("12 megapixels", compared=False), *(_ours(name) for name in HUGE)),
    targets=(
        *(Target(f"peak memory, {name} < 2 GiB", _gib(name), 2.0, "<", "GiB") for name in HUGE),
        Target("time per megapixel, 400 / 12 ≤ 1.3",
               lambda times: _each("400 megapixels")(times) / _each("12 megapixels")(times), 1.3, "<="),
        Target("the same without the start of the process ≤ 1.3", _beyond_start, 1.3, "<="),
        *(Target(f"time per megapixel, {name}", _each(name), unit="ms") for name in ("12 megapixels", *HUGE)),
    ),
    tolerance=1, unit="of 65535", rounds=1, warm=0, notes=NOTES))
