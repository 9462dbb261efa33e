"""A chain of channelwise steps on an 8-bit picture: it is to become one table, as fast as a single look-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph8
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times


def _recipe(count: int) -> Any:
    """Return the first steps of a chain whose values stay in range but for its ends."""
    import photochrom
    from photochrom import Recipe, Step

    steps = [Step(photochrom.levels, black=0.02, white=0.98), Step(photochrom.power, gamma=0.9),
             Step(photochrom.contrast, amount=1.15), Step(photochrom.brightness, amount=0.02),
             Step(photochrom.negative)]
    return Recipe(steps[:count])


def table_of(recipe: Any) -> np.ndarray:
    """Return what the steps, one after the other and without any table, make of the 256 levels."""
    ramp = np.arange(256, dtype=np.uint8)
    return recipe(np.repeat(ramp[None, :, None], 3, axis=2))[0, :, 0]


def _ours(count: int) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        import photochrom

        picture, recipe = photograph8(*bench.size), _recipe(count)
        return call(lambda: photochrom.run(recipe, picture))

    name = {1: "photochrom, one step", 5: "photochrom, five steps"}[count]
    return Contestant(name, prepare, against={1: "OpenCV LUT, one step", 5: "OpenCV LUT"}[count])


def _lut(name: str, count: int) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        import cv2

        picture, table = photograph8(*bench.size), table_of(_recipe(count))
        return call(lambda: cv2.LUT(picture, table))

    return Contestant(name, prepare, against=None)


ROWS = (Row(
    name="chain-of-five",
    about="five channelwise steps on an 8-bit picture, 12 megapixels RGB",
    contestants=(_ours(5), _ours(1), _lut("OpenCV LUT", 5), _lut("OpenCV LUT, one step", 1)),
    targets=(at_most_times("photochrom, five steps", 1.3, "photochrom, one step"),
             at_most_times("photochrom, five steps", 1.3, "OpenCV LUT")),
    tolerance=0, unit="of 255", rounds=41,
    notes=("OpenCV is given the finished table of the chain, made step by step; results must be equal bit for bit.",)),)
