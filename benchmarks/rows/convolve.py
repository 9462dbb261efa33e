"""Correlation with kernels given as rows of numbers, in float32: planar for photochrom and kornia, HWC for OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, Target, times_as_fast

TOLERANCE = 1e-5
"""What the methods may be apart: sums of up to 961 products in float32, in other orders or by Fourier transforms."""


def dense(side: int) -> np.ndarray:
    """Return a kernel of random weights, of sum 1, that is no sum of few separable ones."""
    weights = np.random.default_rng(side).random((side, side))
    return (weights / weights.sum()).astype(np.float32)


def separable(side: int) -> np.ndarray:
    """Return a kernel that is an outer product, without saying so."""
    generator = np.random.default_rng(side)
    weights = np.outer(generator.random(side), generator.random(side))
    return (weights / weights.sum()).astype(np.float32)


def _row(name: str, about: str, kernel: np.ndarray, grey: bool, kornia: str, targets: tuple[Target, ...],
         rounds: int) -> Row:
    def chosen(bench: Bench) -> np.ndarray:
        picture = photograph(*bench.size)
        return np.ascontiguousarray(picture[..., :1]) if grey else picture

    def form(made: Any) -> np.ndarray:
        array = made[0].numpy()
        return np.asarray(array[0] if grey else np.moveaxis(array, 0, -1))

    def ours(bench: Bench) -> Ready:
        import photochrom

        image, rows = planes(chosen(bench)), kernel.astype(np.float64).tolist()
        return call(lambda: photochrom.correlate(image, kernel=rows), form)

    def cv(bench: Bench) -> Ready:
        import cv2

        image = chosen(bench)
        return call(lambda: cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))

    def by_kornia(bench: Bench) -> Ready:
        import torch
        from kornia import filters

        image, weights = planes(chosen(bench)), torch.from_numpy(kernel)[None]
        way = getattr(filters, kornia)
        return call(lambda: way(image, weights, border_type="reflect"), form)

    return Row(
        name=name, about=f"{about}, reflect, float32, 12 megapixels {'grey' if grey else 'RGB'}",
        contestants=(Contestant("photochrom", ours), Contestant("OpenCV", cv), Contestant("kornia", by_kornia)),
        targets=targets, tolerance=TOLERANCE, rounds=rounds,
        notes=(f"kornia runs by {kornia}, the faster of its two ways for this kernel.",))


ROWS = (
    _row("correlate-31", "dense kernel of 31 x 31", dense(31), True, "fft_conv",
         (times_as_fast("OpenCV", 3), times_as_fast("kornia", 6)), 9),
    _row("correlate-3", "dense kernel of 3 x 3", dense(3), False, "filter2d",
         (times_as_fast("OpenCV", 1 / 1.3), times_as_fast("kornia", 10)), 9),
    _row("correlate-15", "separable kernel of 15 x 15 given as a dense one", separable(15), True, "fft_conv",
         (times_as_fast("OpenCV", 4),), 7),
)
