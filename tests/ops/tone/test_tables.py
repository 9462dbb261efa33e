"""Every tone operation that treats channels alike is one pass through one table on 8 and 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

import photochrom
from photochrom.engine.feeds import array_feed
from photochrom.engine.run import Run

TABLED = ("exposure", "power", "brightness", "contrast", "negative", "levels", "identity", "log", "inverse_log",
          "curve", "sigmoid_contrast", "threshold", "posterize", "clip")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_all_in_a_row_are_one_table(dtype: type) -> None:
    steps = [photochrom.Step(getattr(photochrom, name)) for name in TABLED]
    picture = np.arange(240).reshape(8, 10, 3).astype(dtype)
    assert Run(steps, array_feed(picture), 10**9).direct
    for step in steps:
        assert Run([step], array_feed(picture), 10**9).direct, step.operation.name


def test_a_pattern_over_the_frame_is_no_table() -> None:
    step = photochrom.Step(photochrom.posterize, dither="ordered")
    assert not Run([step], array_feed(np.zeros((8, 10, 3), np.uint8)), 10**9).direct
