"""`color2gray` beside OpenCV's `decolor`, and its error against the sum over all colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Check, Contestant, Ready, Row, at_most_times


def _eight_bits(height: int, width: int) -> np.ndarray:
    return np.round(photograph(height, width) * 255).clip(0, 255).astype(np.uint8)


def _ours(bench: Bench) -> Ready:
    import photochrom

    image = planes(photograph(*bench.size))
    return call(lambda: photochrom.color2gray(image), lambda made: np.zeros(1))


def _decolor(bench: Bench) -> Ready:
    import cv2

    height, width = bench.size
    third = np.ascontiguousarray(_eight_bits(round(height / 3**0.5), round(width / 3**0.5))[..., ::-1])
    return call(lambda: cv2.decolor(third), lambda made: np.zeros(1))   # another method: nothing to compare


def _checks(height: int, width: int) -> Iterator[Check]:
    """The greys of 400 of a picture's colours, against the sum over every colour of it, in levels of 255."""
    import torch

    import photochrom
    from photochrom.color.lab import lab_to_rgb, rgb_to_lab

    picture = _eight_bits(height, width)
    colours, index, count = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    lab = rgb_to_lab(torch.from_numpy(colours / 255).T[None, :, None])[0, :, 0].T.numpy()
    share = count / count.sum()
    grey = photochrom.color2gray(torch.from_numpy(picture).movedim(-1, 0)[None] / 255).flatten().numpy()
    worst = 0.0
    for k in np.random.default_rng(0).choice(len(colours), 400, replace=False):
        light = share @ lab[:, 0] + share @ _signed(lab[k] - lab)
        exact = lab_to_rgb(torch.tensor([light, 0, 0]).reshape(1, 3, 1, 1))[0, 1].item()
        pixel = int(np.flatnonzero(index.ravel() == k)[0])
        worst = max(worst, abs(float(grey[pixel]) - exact) * 255)
    yield f"photograph, {width} x {height}, {len(colours)} colours", worst


def _signed(apart: np.ndarray) -> Any:
    """The signed differences of Gooch et al. 2005 with theta 45 degrees and alpha 10."""
    chroma = 10 * np.tanh(np.hypot(apart[:, 1], apart[:, 2]) / 10)
    return np.where(np.abs(apart[:, 0]) > chroma, apart[:, 0], np.copysign(chroma, apart[:, 1] + apart[:, 2]))


ROWS = (
    Row(name="color2gray",
        about="color2gray of 12 megapixels RGB float32, and OpenCV's decolor of a third of them in 8 bits",
        contestants=(Contestant("photochrom", _ours), Contestant("OpenCV, a third of the pixels", _decolor)),
        targets=(at_most_times("photochrom", 1, "OpenCV, a third of the pixels"),), tolerance=0.0, rounds=5,
        notes=("decolor is another method, so results are not compared; the row below holds ours to its definition.",)),
    Row(name="color2gray-accuracy",
        about="color2gray against the sum over all colours of a small photograph, largest error in 8-bit levels",
        tolerance=0.5, checks=lambda bench: _checks(240, 320)),
    Row(name="color2gray-accuracy-many",
        about="color2gray against the sum over all colours of a photograph, largest error in 8-bit levels",
        tolerance=2.5, checks=lambda bench: _checks(1000, 1000),
        notes=("more than 65536 colours are gathered in boxes of four levels: half a level is not kept for all.",)),
)
