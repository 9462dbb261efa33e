"""Gaussian and box in float32: planar (1, 3, H, W) for photochrom and kornia, HWC for OpenCV and scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, times_as_fast

ROUNDING = 5e-6
"""Float32 sums of up to 161 weights that are themselves rounded, in another order each: a few units of 1e-6."""


def interleaved(made: Any) -> np.ndarray:
    """Return a tensor (1, 3, H, W) as an array (H, W, 3)."""
    return np.moveaxis(made[0].numpy(), 0, -1)


def _gaussian(sigma: float, opencv: float) -> Row:
    radius = int(4 * sigma + 0.5)

    def ours(bench: Bench) -> Ready:
        import photochrom

        image = planes(photograph(*bench.size))
        return call(lambda: photochrom.gaussian(image, sigma=sigma), interleaved)

    def cv(bench: Bench) -> Ready:
        import cv2

        image, side = photograph(*bench.size), 2 * radius + 1
        return call(lambda: cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101))

    def kornia(bench: Bench) -> Ready:
        from kornia.filters import gaussian_blur2d

        image, side = planes(photograph(*bench.size)), 2 * radius + 1
        return call(lambda: gaussian_blur2d(image, (side, side), (sigma, sigma), border_type="reflect"), interleaved)

    def skimage(bench: Bench) -> Ready:
        from skimage.filters import gaussian

        image = photograph(*bench.size)
        return call(lambda: gaussian(image, sigma, mode="mirror", truncate=4.0, channel_axis=-1))

    return Row(
        name=f"gaussian-{sigma:g}",
        about=f"Gaussian blur, sigma {sigma:g}, radius {radius}, reflect, float32, 12 megapixels RGB",
        contestants=(Contestant("photochrom", ours), Contestant("OpenCV", cv), Contestant("kornia", kornia),
                     Contestant("scikit-image", skimage)),
        targets=(times_as_fast("OpenCV", opencv), times_as_fast("kornia", 7)),
        tolerance=ROUNDING, rounds=5 if sigma > 10 else 9)


def _box(radius: int) -> Row:
    side = 2 * radius + 1

    def ours(bench: Bench) -> Ready:
        import photochrom

        image = planes(photograph(*bench.size))
        return call(lambda: photochrom.box(image, radius=radius), interleaved)

    def cv(bench: Bench) -> Ready:
        import cv2

        image = photograph(*bench.size)
        return call(lambda: cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT_101))

    def kornia(bench: Bench) -> Ready:
        from kornia.filters import box_blur

        image = planes(photograph(*bench.size))
        return call(lambda: box_blur(image, (side, side), border_type="reflect"), interleaved)

    return Row(
        name=f"box-{radius}",
        about=f"box blur, radius {radius}, reflect, float32, 12 megapixels RGB",
        contestants=(Contestant("photochrom", ours), Contestant("OpenCV", cv), Contestant("kornia", kornia)),
        targets=(times_as_fast("OpenCV", 1), times_as_fast("kornia", 20)), tolerance=ROUNDING, rounds=9,
        notes=("kornia runs by its defaults.",))


ROWS = (_gaussian(2, 1.0), _gaussian(5, 1.8), _gaussian(20, 4.0), _box(15))
