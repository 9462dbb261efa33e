"""Colour from strokes beside SciPy's sparse LU, and what it costs to have more pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times, times_as_fast

_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


_BIT = np.array([0.06, -0.03, -0.002], np.float32)
"""Added to the colour of every stroke, that it is found where the picture is grey."""


def _scene(bench: Bench, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a grey picture and the same with strokes, (H, W, 3), float32: a short one in every square of 64 pixels."""
    if bench.size[0] <= 1000:
        height, width = height // 8, width // 8
    picture = photograph(height, width)
    light = (picture @ _WEIGHTS)[..., None]
    grey = np.repeat(light, 3, -1)
    marked = grey.copy()
    for y in range(24, height, 64):
        for x in range(16, width - 24, 64):
            marked[y:y + 4, x:x + 24] = light[y:y + 4, x:x + 24] + (picture - light)[y, x] * 0.9 + _BIT
    return grey, marked


def _ours(height: int, width: int, double: bool = False) -> Any:
    def make(bench: Bench) -> Ready:
        import photochrom

        grey, marked = _scene(bench, height, width)
        if double:
            grey, marked = grey.astype(np.float64), marked.astype(np.float64)
        return call(lambda: photochrom.colorize_scribbles(grey, marked))

    return make


def _lu(bench: Bench) -> Ready:
    """Its matrix is given to it; what is timed is the solution of both planes of chroma."""
    import torch
    from scipy.sparse import coo_matrix, eye
    from scipy.sparse.linalg import splu

    from photochrom.num.affinity import affinities
    from photochrom.num.solve import NEIGHBOURS
    from photochrom.ops.colorize.colorize_scribbles import _coloured

    grey, marked = (part.astype(np.float64) for part in _scene(bench, 512, 512))
    strokes = np.abs(marked - grey).sum(-1) > 0.01
    light = grey @ np.array([0.299, 0.587, 0.114])
    weights = affinities(torch.from_numpy(light)).numpy()
    height, width = light.shape
    index = np.arange(height * width).reshape(height, width)
    rows, columns, values = [], [], []
    for (dy, dx), weight in zip(NEIGHBOURS, weights, strict=True):
        y, x = np.nonzero(~strokes & (weight > 0))
        rows.append(index[y, x])
        columns.append(index[y + dy, x + dx])
        values.append(-weight[y, x])
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
                        (height * width, height * width)).tocsc() + eye(height * width, format="csc")
    chroma = marked - (marked @ np.array([0.299, 0.587, 0.114]))[..., None]
    right = np.where(strokes[..., None], chroma[..., ::2], 0).reshape(-1, 2)

    def form(found: np.ndarray) -> np.ndarray:
        planes = torch.from_numpy(found.T.reshape(1, 2, height, width))
        return _coloured(torch.from_numpy(light)[None, None], planes)[0].permute(1, 2, 0).numpy()

    return call(lambda: splu(matrix).solve(right), form)


ROWS = (
    Row(name="colorize-512", about="colour from strokes, 512 x 512",
        contestants=(Contestant("float64", _ours(512, 512, True), timed=False),
                     Contestant("photochrom", _ours(512, 512)), Contestant("SciPy sparse LU", _lu),
                     Contestant("photochrom, 2 megapixels", _ours(1254, 1672), against=None)),
        targets=(times_as_fast("SciPy sparse LU", 25),
                 at_most_times("photochrom, 2 megapixels", 12, "photochrom")),
        tolerance=0.5 / 255, rounds=3),
)
