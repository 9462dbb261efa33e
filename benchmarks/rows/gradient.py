"""The gradient domain: seamless cloning beside OpenCV, and its equations beside sparse solvers."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call, process
from benchmarks.picture import photograph
from benchmarks.row import Bench, Contestant, Ready, Row, Target, Times, at_most_times, times_as_fast


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


def _residual(matrix: Any, right: np.ndarray, found: np.ndarray) -> float:
    """Return the largest |b - A x| / |b| of the channels."""
    left = np.linalg.norm(right - matrix @ found, axis=0)
    return float((left / np.linalg.norm(right, axis=0)).max())


def _our_residual(side: int, matrix: Any, right: np.ndarray) -> float:
    import photochrom

    target, source, mask = _scene(side, True)
    made = photochrom.seamless_clone(target, source, mask)
    return _residual(matrix, right, made[mask > 0].astype(np.float64))


def _pyamg(bench: Bench) -> Ready:
    """Its hierarchy is built and all channels solved, down to the residual that our result has."""
    import pyamg

    side = _size(bench, 1024)
    matrix, right = _system(side)
    matrix, bound = matrix.tocsr(), _our_residual(side, matrix, right)
    target, _, mask = _scene(side, True)

    def solve() -> np.ndarray:
        hierarchy = pyamg.ruge_stuben_solver(matrix)
        return np.stack([hierarchy.solve(b, tol=bound, accel="cg") for b in right.T], 1)

    def form(found: np.ndarray) -> np.ndarray:
        whole = target.copy()
        whole[mask > 0] = found
        return whole

    return call(solve, form)


_SWEEPS = 5000
"""As many as fpie does if not told; a Jacobi sweep brings what is known at the edge in by one pixel."""


def _fpie(bench: Bench) -> Ready:
    from fpie import process as fpie

    side = _size(bench, 1024)
    matrix, right = _system(side)
    target, source, mask = _scene(side, True)
    bound = _our_residual(side, matrix, right) * np.linalg.norm(right, axis=0) * 255
    known = [name for name in ("openmp", "gcc", "numba", "taichi-cpu") if name in fpie.ALL_BACKEND]

    def run(backend: str, sweeps: int) -> np.ndarray:
        processor = fpie.EquProcessor("src", backend)
        processor.reset(source * 255, mask, target * 255, (0, 0), (0, 0))
        processor.sync()
        done = 0
        while True:
            made, _ = processor.step(min(500, sweeps))
            done += min(500, sweeps)
            if done >= sweeps or _near(matrix, right * 255, made[mask > 0], bound):
                return np.asarray(made)

    def took(backend: str) -> float:
        run(backend, 20)   # it compiles
        return call(lambda: run(backend, 100)).once().seconds

    fastest = min(known, key=took)
    return call(lambda: run(fastest, _SWEEPS), lambda made: made / 255)


def _near(matrix: Any, right: np.ndarray, found: np.ndarray, bound: np.ndarray) -> bool:
    return bool((np.linalg.norm(right - matrix @ found.astype(np.float64), axis=0) <= bound).all())


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


def _descent(steps: int) -> Any:
    """As it is taught: a convolution with the Laplacian and momentum, from the source."""
    def make(bench: Bench) -> Ready:
        import torch

        from photochrom.num.poisson import divergence, rises
        from photochrom.num.solve import GridSystem, solve

        target, source, mask = _scene(_size(bench, 1024), True)
        own, other = (torch.from_numpy(part).permute(2, 0, 1)[None].contiguous() for part in (target, source))
        system = GridSystem(torch.from_numpy(mask > 0))
        rhs = divergence(rises(other))
        return call(lambda: solve(system, rhs, boundary=own, start=other, method="gradient_descent",
                                  iterations=steps).values, lambda made: made[0].permute(1, 2, 0).numpy())

    return make


_CLONE = """import sys, numpy as np, photochrom
target, source, mask = (np.load(name) for name in sys.argv[1:4])
photochrom.seamless_clone(target[:64, :64], source[:64, :64], mask[:64, :64] | 255)
if sys.argv[4] == "whole":
    photochrom.seamless_clone(target, source, mask)
"""


def _memory(what: str) -> Any:
    """A process with both pictures and a mask in memory, that clones a corner or the whole."""
    def make(bench: Bench) -> Ready:
        files = [bench.scratch / f"clone-{name}.npy" for name in ("target", "source", "mask")]
        for file, part in zip(files, _scene(_size(bench, 2048), True), strict=True):
            np.save(file, part)
        script = bench.scratch / "clone.py"
        script.write_text(_CLONE)
        return process([*bench.python, str(script), *map(str, files), what])

    return make


def _bytes(times: Times) -> float | None:
    if "pictures alone" not in times or "cloning" not in times:
        return None
    return (times["cloning"].peak - times["pictures alone"].peak) / (2048 * 2048 * 3)


def _row(name: str, side: int, ellipse: bool, times: float, *more: Contestant, targets: tuple[Any, ...] = ()) -> Row:
    shape = "an ellipse" if ellipse else "a rectangle"
    return Row(name=name, about=f"seamless cloning, {side} x {side}, {shape}, three channels",
               contestants=(Contestant("float64", _ours(side, ellipse, True), timed=False),
                            Contestant("photochrom", _ours(side, ellipse)),
                            Contestant("OpenCV", _opencv(side, ellipse), against=None), *more),
               targets=(times_as_fast("OpenCV", times), *targets), tolerance=0.5 / 255, rounds=5,
               notes=("OpenCV solves the rectangle around the region, in 8 bits, and is not compared.",))


_GROWTH = {"1 megapixel": 1000, "6 megapixels": 2450, "24 megapixels": 4900}


ROWS = (
    _row("clone-1024", 1024, True, 4, Contestant("SciPy sparse LU", _lu), Contestant("pyamg with its set-up", _pyamg),
         Contestant("gradient descent, 200 steps", _descent(200), against=None),
         targets=(times_as_fast("SciPy sparse LU", 100), times_as_fast("pyamg with its set-up", 20))),
    _row("clone-2048", 2048, True, 8),
    _row("clone-rectangle", 1024, False, 5),
    Row(name="clone-sweeps", about="the same beside plain sweeps, 1024 x 1024, an ellipse, three channels",
        contestants=(Contestant("photochrom", _ours(1024, True)), Contestant("fpie", _fpie, against=None),
                     Contestant("gradient descent", _descent(_SWEEPS), against=None)),
        targets=(times_as_fast("fpie", 100),), rounds=1,
        notes=(f"fpie's fastest backend on the processor, down to the residual of our result or {_SWEEPS} sweeps. "
               "Where these do not reach it, its time is a lower bound. Gradient descent as taught, as many steps.",)),
    Row(name="clone-growth", about="seamless cloning, an ellipse of 0.55 of the picture, three channels",
        contestants=tuple(Contestant(name, _ours(side, True), against=None) for name, side in _GROWTH.items()),
        targets=tuple(at_most_times(name, 1.5 * (side / 1000) ** 2, "1 megapixel")
                      for name, side in _GROWTH.items() if side > 1000),
        rounds=3, notes=("Nearly constant time an unknown: at most 1.5 times that of one megapixel.",)),
    Row(name="clone-memory", about="seamless cloning, 2048 x 2048, an ellipse, three channels: peak memory",
        contestants=(Contestant("pictures alone", _memory("corner"), against=None),
                     Contestant("cloning", _memory("whole"), against=None)),
        targets=(Target("bytes a pixel and channel beyond the pictures < 60", _bytes, 60, "<", "bytes"),), rounds=3,
        notes=("Both load the same pictures and clone a corner, so that libraries and kernels are in both.",)),
)
