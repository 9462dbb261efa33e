"""Histograms, equalisation and its local form on an 8-bit grey picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph8
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times, times_as_fast


def _grey(bench: Bench) -> np.ndarray:
    picture = photograph8(*bench.size).astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.rint(picture).astype(np.uint8)


def _contestant(name: str, make: Callable[[np.ndarray], Callable[[], Any]],
                form: Callable[[Any], Any] = lambda made: made, **facts: Any) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        return call(make(_grey(bench)), form)

    return Contestant(name, prepare, **facts)


def _ours(name: str, form: Callable[[Any], Any] = lambda made: made) -> Contestant:
    def make(grey: np.ndarray) -> Callable[[], Any]:
        import photochrom

        return lambda: getattr(photochrom, name)(grey)

    return _contestant("photochrom", make, form)


def _run(name: str) -> Contestant:
    def make(grey: np.ndarray) -> Callable[[], Any]:
        import photochrom

        step = photochrom.Step(getattr(photochrom, name))
        return lambda: photochrom.run(step, grey)

    return _contestant("photochrom.run", make)


def _cv_histogram(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.calcHist([grey], [0], None, [256], [0, 256])


def _cv_equalize(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.equalizeHist(grey)


def _cv_clahe(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    made = cv2.createCLAHE(2.0, (8, 8))
    return lambda: made.apply(grey)


def _sk_equalize(grey: np.ndarray) -> Callable[[], Any]:
    from skimage import exposure

    return lambda: exposure.equalize_hist(grey)


ROWS = (
    Row(name="histogram", about="256 counts of an 8-bit grey picture, 12 megapixels",
        contestants=(_ours("histogram", lambda made: made.bands[0, 0].numpy()),
                     _contestant("OpenCV", _cv_histogram, lambda made: made.ravel())),
        targets=(at_most_times("photochrom", 1.5, "OpenCV"),), tolerance=0, unit="of pixels", rounds=21),
    Row(name="equalize", about="histogram equalisation of an 8-bit grey picture, 12 megapixels",
        contestants=(_ours("equalize"), _run("equalize"), _contestant("OpenCV", _cv_equalize),
                     _contestant("scikit-image", _sk_equalize, against=None)),
        targets=(at_most_times("photochrom", 1.5, "OpenCV"), at_most_times("photochrom.run", 1.5, "OpenCV"),
                 times_as_fast("scikit-image", 10)),
        tolerance=0, unit="of 255", rounds=15,
        notes=("Equal to OpenCV bit for bit; scikit-image maps the darkest level otherwise and is not compared.",)),
    Row(name="clahe", about="CLAHE, 8 x 8 tiles, limit 2, of an 8-bit grey picture, 12 megapixels",
        contestants=(_ours("clahe"), _run("clahe"), _contestant("OpenCV", _cv_clahe)),
        targets=(at_most_times("photochrom", 1.5, "OpenCV"), at_most_times("photochrom.run", 1.5, "OpenCV")),
        tolerance=1, unit="of 255", rounds=15),
)
