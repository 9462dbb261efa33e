"""The gradient domain: seamless cloning beside OpenCV, and its equations beside sparse solvers."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph
from benchmarks.row import Bench, Contestant, Ready, Row, times_as_fast


def _scene(side: int, ellipse: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return target and source (side, side, 3), float32, and a mask, (side, side), uint8."""
    picture = photograph(side, 2 * side)
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    inside = (x / 0.88) ** 2 + (y / 0.79) ** 2 < 1 if ellipse else (abs(x) < 0.9) & (abs(y) < 0.9)
    return picture[:, :side].copy(), picture[:, side:].copy(), inside.astype(np.uint8) * 255


def _size(bench: Bench, side: int) -> int:
    return side if bench.size[0] > 1000 else side // 8


def _ours(side: int, ellipse: bool, double: bool = False) -> Any:
    def make(bench: Bench) -> Ready:
        import photochrom

        target, source, mask = _scene(_size(bench, side), ellipse)
        if double:
            target, source, mask = target.astype(np.float64), source.astype(np.float64), mask / 255.0
        return call(lambda: photochrom.seamless_clone(target, source, mask))

    return make


def _opencv(side: int, ellipse: bool) -> Any:
    def make(bench: Bench) -> Ready:
        import cv2

        target, source, mask = _scene(_size(bench, side), ellipse)
        target, source = (np.rint(picture * 255).astype(np.uint8) for picture in (target, source))
        rows, columns = np.nonzero(mask)
        middle = int((columns.min() + columns.max()) // 2), int((rows.min() + rows.max()) // 2)
        return call(lambda: cv2.seamlessClone(source, target, mask, middle, cv2.NORMAL_CLONE))

    return make


def _system(side: int) -> tuple[Any, np.ndarray]:
    """Return the matrix and the three right-hand sides of the ellipse."""
    from scipy.sparse import coo_matrix

    target, source, mask = (part.astype(np.float64) for part in _scene(side, True))
    inside = mask > 0
    index = np.cumsum(inside.ravel()).reshape(inside.shape) - 1
    rows, columns, values, right = [], [], [], np.zeros((int(inside.sum()), 3))
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        here = np.argwhere(inside)
        there = here + np.array([dy, dx])
        k, q = index[inside], index[there[:, 0], there[:, 1]]
        known = ~inside[there[:, 0], there[:, 1]]
        rows += [k, k[~known]]
        columns += [k, q[~known]]
        values += [np.ones(len(k)), -np.ones(int((~known).sum()))]
        right += source[inside] - source[there[:, 0], there[:, 1]]
        right[known] += target[there[known, 0], there[known, 1]]
    return coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsc(), right


def _lu(bench: Bench) -> Ready:
    from scipy.sparse.linalg import splu

    side = _size(bench, 1024)
    matrix, right = _system(side)
    target, _, mask = _scene(side, True)

    def form(found: np.ndarray) -> np.ndarray:
        whole = target.copy()
        whole[mask > 0] = found
        return whole

    return call(lambda: splu(matrix).solve(right), form)


def _descent(bench: Bench) -> Ready:
    import torch

    from photochrom.num.poisson import divergence, rises
    from photochrom.num.solve import GridSystem, solve

    target, source, mask = _scene(_size(bench, 1024), True)
    own, other = (torch.from_numpy(part).permute(2, 0, 1)[None].contiguous() for part in (target, source))
    system = GridSystem(torch.from_numpy(mask > 0))
    rhs = divergence(rises(other))
    return call(lambda: solve(system, rhs, boundary=own, start=other, method="gradient_descent", iterations=200).values,
                lambda made: made[0].permute(1, 2, 0).numpy())


def _row(name: str, side: int, ellipse: bool, times: float, *more: Contestant, targets: tuple[Any, ...] = ()) -> Row:
    shape = "an ellipse" if ellipse else "a rectangle"
    return Row(name=name, about=f"seamless cloning, {side} x {side}, {shape}, three channels",
               contestants=(Contestant("float64", _ours(side, ellipse, True), timed=False),
                            Contestant("photochrom", _ours(side, ellipse)),
                            Contestant("OpenCV", _opencv(side, ellipse), against=None), *more),
               targets=(times_as_fast("OpenCV", times), *targets), tolerance=0.5 / 255, rounds=5,
               notes=("OpenCV solves the rectangle around the region, in 8 bits, and is not compared.",))


ROWS = (
    _row("clone-1024", 1024, True, 4, Contestant("SciPy sparse LU", _lu),
         Contestant("gradient descent, 200 steps", _descent, against=None),
         targets=(times_as_fast("SciPy sparse LU", 100),)),
    _row("clone-2048", 2048, True, 8),
    _row("clone-rectangle", 1024, False, 5),
)
