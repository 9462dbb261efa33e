"""The multigrid hierarchy on the processor: flat padded storage, the work done by Numba kernels."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.solve.frames import Frame
from photochrom.num.solve.level import MARGIN, RUNS, Level, offsets_of, uniform_of
from photochrom.num.solve.stencil import COARSEST, Stencil, coarse_inverse, smoothing, tiny

HOLLOW = 32
_ALONE = 150_000  # values below which waking a thread costs more than it saves


def _flushed(work: Callable[[int, int], Any], first: int, last: int) -> None:
    """Work with numbers below 1e-38 taken for 0: they decay out of every region, and cost a hundred times as much."""
    kept = float(np.multiply(np.float64(5e-324), 1.0)) != 0
    if kept:
        torch.set_flush_denormal(True)
    try:
        work(first, last)
    finally:
        if kept:
            torch.set_flush_denormal(False)


class NativeGrid:
    """A hierarchy for one mask and operator, and the work on its vectors: tensors (N, size of a padded plane)."""

    def __init__(self, stencil: Stencil, labels: np.ndarray | None, held: np.ndarray, *, hollow: bool = False) -> None:
        """Build all levels.

        Args:
            stencil: the operator; float32 or float64 on the processor.
            labels: (H, W), the connected region of each pixel; None where all are held.
            held: by label, whether a known neighbour or a screen holds it.
            hollow: leave out what is known anyway further than `HOLLOW` pixels inside the runs of coarse grids.
        """
        self._hollow = hollow
        self._setup, self._cycle, self._frame = load("solve_setup"), load("solve_cycle"), load("solve_frame")
        none = stencil.diagonal.new_zeros(0)
        self._excess = (none if stencil.excess is None else stencil.excess.view(-1)).numpy()
        self.plain = stencil.weights is None
        self._algebra = load("solve_vectors")
        self.dtype = stencil.diagonal.dtype
        self.symmetric = stencil.symmetric
        self.levels = [self._finest(stencil)]
        while self.levels[-1].height * self.levels[-1].width > COARSEST:
            self.levels.append(self._coarsen(self.levels[-1]))
        self.coarsest_inverse = self._last(labels, held)

    # building

    def _numpy(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, np.float32 if self.dtype == torch.float32 else np.float64)

    def _finest(self, stencil: Stencil) -> Level:
        height, width = stencil.unknown.shape
        kind = 0 if stencil.weights is None else (4 if stencil.weights.shape[0] <= 4 and not stencil.nine else 8)
        none = self._numpy((0,))
        level = Level(
            height, width, kind, none, none, none, none, smoothing(self.dtype, self.symmetric),
            np.zeros((height, RUNS), np.int64), uniform_of(0).astype(none.dtype),
        )  # fmt: skip
        level.diagonal, level.inverse = self._numpy((level.size,)), self._numpy((level.size,))
        if stencil.weights is None:
            level.stencil, level.offsets = np.zeros(1, level.diagonal.dtype), np.zeros(8, np.int64)
        else:
            planes = stencil.weights.shape[0]
            level.stencil = self._numpy((planes, level.size)).reshape(-1)
            flat = torch.from_numpy(level.stencil).view(planes, -1)
            level.view(flat).copy_(stencil.weights)
            level.offsets = offsets_of(level.size, level.pitch, planes if self.symmetric else 8)
        args = (
            stencil.unknown.contiguous().view(-1).numpy(), stencil.diagonal.view(-1).numpy(), level.diagonal,
            level.inverse, height, width, level.pitch,
        )  # fmt: skip
        self._run(lambda a, b: self._frame.operator(*args, a, b), height, 64, height * width)
        row = (level.inverse, width, level.pitch, level.runs, self.plain)
        self._run(lambda a, b: self._setup.find_runs(*row, a, b), height, 64, height * width)
        return level

    def _coarsen(self, fine: Level) -> Level:
        height, width = (fine.height + 1) // 2, (fine.width + 1) // 2
        none = self._numpy((0,))
        coarse = Level(
            height, width, 8, none, none, none, none, smoothing(self.dtype, self.symmetric, coarse=True),
            np.zeros((height, RUNS), np.int64), uniform_of(len(self.levels)).astype(none.dtype),
        )  # fmt: skip
        self._setup.halve_runs(fine.runs, coarse.runs, width)
        if self._hollow:
            self._setup.hollow_runs(coarse.runs, HOLLOW)
        planes = 4 if self.symmetric else 8
        coarse.stencil = self._numpy((planes, coarse.size)).reshape(-1)
        coarse.diagonal, coarse.inverse = self._numpy((coarse.size,)), self._numpy((coarse.size,))
        coarse.offsets = offsets_of(coarse.size, coarse.pitch, planes)
        fine.transfer = self._numpy((8, coarse.size)).reshape(-1)
        view = [level.view(torch.from_numpy(level.inverse)[None])[0] for level in (coarse, fine)]
        view[0].copy_(view[1][::2, ::2])
        op = (fine.stencil, fine.offsets, fine.diagonal, fine.inverse)
        size = (fine.height, fine.width, fine.pitch, fine.kind)
        to = (fine.transfer, coarse.size, coarse.pitch)
        runs = (coarse.runs, coarse.uniform)
        values = fine.height * fine.width
        self._interpolate(fine, fine.offsets, *to, coarse.runs)
        fine.restriction = fine.transfer
        if not self.symmetric:
            # a coarse equation is a mean of fine ones by what they share with it: the interpolation of A^T
            fine.restriction = np.zeros_like(fine.transfer)
            self._interpolate(fine, fine.turned, fine.restriction, *to[1:], coarse.runs)
        made = (coarse.stencil, coarse.offsets, coarse.diagonal, coarse.inverse)
        self._run(
            lambda a, b: self._setup.galerkin(*op, *size, *to, fine.restriction, self.symmetric, *made, *runs, a, b),
            height,
            16,
            values,
        )
        if not self.symmetric:
            row = (coarse.stencil, coarse.offsets, coarse.diagonal, width, coarse.pitch)
            self._run(lambda a, b: self._setup.lump(*row, a, b), height, 64, height * width)
        self._setup.invert(
            coarse.diagonal,
            coarse.inverse,
            fine.diagonal,
            fine.pitch,
            height,
            width,
            coarse.pitch,
            tiny(self.dtype),
            coarse.runs,
        )
        if not self.plain:
            grid = (coarse.stencil, coarse.offsets, coarse.inverse, height, width, coarse.pitch, 8)
            coarse.omegas = smoothing(self.dtype, self.symmetric, bound=self._setup.bound(*grid))
        return coarse

    def _interpolate(self, fine: Level, offsets: np.ndarray, transfer: np.ndarray, size: int, pitch: int,
                     runs: np.ndarray) -> None:  # fmt: skip
        """Write the interpolation that belongs to the weights at these offsets."""
        shape = (fine.height, fine.width, fine.pitch, fine.kind, transfer, size, pitch, runs)
        rows, values = (fine.height + 1) // 2, fine.height * fine.width
        edges, centres = self._setup.edges, self._setup.centres
        op = (fine.stencil, offsets, fine.diagonal, fine.inverse)
        self._run(lambda a, b: edges(*op, *shape, a, b), rows, 32, values)
        self._run(lambda a, b: centres(*op[:2], fine.inverse, *shape, a, b), rows, 32, values)

    def _last(self, labels: np.ndarray | None, held: np.ndarray) -> np.ndarray:
        """Return the inverse of the coarsest operator, dense."""
        last = self.levels[-1]
        weights = []
        for k in range(8):
            if last.kind == 0:
                weights.append(np.full((last.height, last.width), float(k < 4)))
            elif k >= last.kind:
                weights.append(np.zeros((last.height, last.width)))
            else:
                rows = np.arange(last.height)[:, None] * last.pitch + last.pitch + MARGIN + np.arange(last.width)
                weights.append(last.stencil[last.offsets[k] + rows])
        plane = [last.view(torch.from_numpy(a)[None])[0].numpy() for a in (last.diagonal, last.inverse)]
        step = 2 ** (len(self.levels) - 1)
        labels = None if labels is None else labels[::step, ::step]
        dense = coarse_inverse(np.stack(weights), plane[0], plane[1] > 0, labels, held)
        return dense.astype(plane[0].dtype)

    @staticmethod
    def _run(work: Callable[[int, int], Any], count: int, grain: int, values: int) -> None:
        if values < _ALONE:
            _flushed(work, 0, count)
        else:
            parallel_rows(functools.partial(_flushed, work), 0, count, grain)

    def transposed(self) -> NativeGrid:
        """Return the hierarchy of A^T: weights and the ways between grids change sides."""
        made = copy.copy(self)
        made.levels = []
        for level in self.levels:
            made.levels.append(
                replace(level, offsets=level.turned, transfer=level.restriction, restriction=level.transfer)
            )
        made.coarsest_inverse = np.ascontiguousarray(self.coarsest_inverse.T)
        return made

    # vectors

    def new(self, level: int, planes: int) -> Tensor:
        """Return a vector whose padding is 0 and whose pixels are to be written before they are read."""
        grid = self.levels[level]
        made = empty((planes, grid.size), self.dtype)
        grid.clear(made.numpy())
        return made

    def view(self, level: int, vector: Tensor) -> Tensor:
        """Return its pixels, (N, height, width)."""
        return self.levels[level].view(vector)

    def enter(self, rhs: Tensor, boundary: Tensor | None, start: Tensor | None, unknown: Tensor,
              frame: Frame) -> tuple[Tensor, Tensor | None, float]:  # fmt: skip
        """Return the right-hand side, start and boundary as vectors, and the largest absolute value of the latter.

        Args:
            rhs: (n, C, H, W), contiguous.
            boundary: likewise, or None.
            start: likewise, or None.
            unknown: (h, w), contiguous: which of the two holds.
            frame: the part of the pictures this grid is.
        """
        grid, planes = self.levels[0], rhs.shape[0] * rhs.shape[1]
        b = self.new(0, planes)
        x = None if boundary is None and start is None else self.new(0, planes)
        flat = [b.new_zeros(0) if v is None else v.view(-1) for v in (rhs, boundary, start, x, b)]
        largest = np.zeros(grid.blocks, grid.diagonal.dtype)
        args = (
            unknown.view(-1).numpy(), *[v.numpy() for v in flat], largest, planes, grid.size,
            rhs.shape[2] * rhs.shape[3], rhs.shape[3], frame.top, frame.left, grid.height, grid.width, grid.pitch,
            grid.block,
        )  # fmt: skip
        self._run(lambda a, c: self._frame.enter(*args, a, c), grid.blocks, 1, planes * grid.size)
        return b, x, float(largest.max())

    def remainder(self, x: Tensor | None, b: Tensor) -> Tensor:
        """Replace b by b - A x, from differences, 0 at known pixels; return the sum of squares of each plane."""
        if x is None:
            x = empty(b.shape, self.dtype).zero_()
        grid, n = self.levels[0], len(b)
        args = (
            x.view(-1).numpy(), b.view(-1).numpy(), grid.stencil, grid.offsets, self._excess, grid.inverse, n,
            grid.size, grid.height, grid.width, grid.pitch, grid.kind,
        )  # fmt: skip
        self._run(lambda a, c: self._frame.remainder(*args, a, c), grid.height, 32, n * grid.size)
        return torch.from_numpy(self.dot(b, b))

    def leave(self, x: Tensor | None, e: Tensor, out: Tensor, frame: Frame) -> None:
        """Write x + e into the frame of out (n, C, H, W), contiguous."""
        grid = self.levels[0]
        args = (
            e.new_zeros(0).numpy() if x is None else x.view(-1).numpy(), e.view(-1).numpy(), out.view(-1).numpy(),
            e.shape[0], grid.size, out.shape[2] * out.shape[3], out.shape[3], frame.top, frame.left, grid.height,
            grid.width, grid.pitch,
        )  # fmt: skip
        self._run(lambda a, c: self._frame.leave(*args, a, c), grid.height, 64, e.numel())

    def down(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *, zero: bool = False) -> None:
        """Smooth x into out (x itself stays) and write the restricted residual into coarse."""
        fine, next_ = self.levels[index], self.levels[index + 1]
        n = x.shape[0]
        args = (
            x.view(-1).numpy(), rhs.view(-1).numpy(), out.view(-1).numpy(), coarse.view(-1).numpy(), n, fine.size,
            next_.size, fine.height, fine.width, fine.pitch, next_.pitch, fine.stencil, fine.offsets, fine.diagonal,
            fine.inverse, fine.runs, fine.uniform, fine.kind, fine.restriction, next_.runs, fine.omegas, zero,
            fine.block,
        )  # fmt: skip
        self._run(lambda a, b: self._cycle.down(*args, a, b), fine.blocks, fine.grain, n * fine.size)

    def up(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *, weight: float = 1.0,
           zero: bool = False) -> np.ndarray:  # fmt: skip
        """Smooth x + P coarse to y, move out (0 if `zero`) to out + weight (y - out); return the largest |y - out|."""
        fine, next_ = self.levels[index], self.levels[index + 1]
        n = x.shape[0]
        change = np.zeros((fine.blocks, n), fine.diagonal.dtype)
        args = (
            x.view(-1).numpy(), rhs.view(-1).numpy(), out.view(-1).numpy(), coarse.view(-1).numpy(),
            change.reshape(-1), n, fine.size, next_.size, fine.height, fine.width, fine.pitch, next_.pitch,
            fine.stencil, fine.offsets, fine.inverse, fine.runs, fine.uniform, fine.kind, fine.transfer, next_.runs,
            fine.omegas, fine.diagonal.dtype.type(weight), zero, fine.block,
        )  # fmt: skip
        self._run(lambda a, b: self._cycle.up(*args, a, b), fine.blocks, fine.grain, n * fine.size)
        return change.max(0)

    def residual(self, x: Tensor, rhs: Tensor, out: Tensor) -> Tensor:
        """Write b - A x into out on the finest grid; return the sum of squares of each plane, float64."""
        return torch.from_numpy(self._apply(self._cycle.residual, x, rhs, out, 1)[:, 0])

    def product(self, x: Tensor, out: Tensor, other: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Write A x into out on the finest grid; return its products with other and with itself, by plane."""
        sums = self._apply(self._cycle.product, x, other, out, 2)
        return sums[:, 0], sums[:, 1]

    def _apply(self, work: Callable[..., Any], x: Tensor, other: Tensor, out: Tensor, count: int) -> np.ndarray:
        """Let a kernel apply A on the finest grid; return its sums, (planes, count)."""
        fine = self.levels[0]
        n = x.shape[0]
        sums = np.zeros((fine.blocks, n, count))
        args = (
            x.view(-1).numpy(), other.view(-1).numpy(), out.view(-1).numpy(), sums.reshape(-1), n, fine.size,
            fine.height, fine.width, fine.pitch, fine.stencil, fine.offsets, fine.diagonal, fine.inverse, fine.kind,
            fine.block,
        )  # fmt: skip
        self._run(lambda a, b: work(*args, a, b), fine.blocks, fine.grain, n * fine.size)
        made: np.ndarray = sums.sum(0)
        return made

    def _vectors(self, work: Callable[..., Any], *args: Any, planes: int) -> None:
        size = self.levels[0].size
        chunk = self._algebra.CHUNK
        self._run(lambda a, b: work(*args, planes, size, a, b), -(-size // chunk), 4, planes * size)

    def update(self, y: Tensor, x: Tensor, alpha: np.ndarray | float, beta: np.ndarray | float) -> None:
        """Write y = alpha x + beta y, with a factor for each plane; where all beta are 0, y is not read."""
        n, dtype = len(y), self.levels[0].diagonal.dtype
        factors = [np.full(n, f, dtype) if np.isscalar(f) else np.asarray(f, dtype) for f in (alpha, beta)]
        self._vectors(self._algebra.update, y.view(-1).numpy(), x.view(-1).numpy(), *factors, planes=n)

    def advance(self, x: Tensor, y: Tensor, alpha: np.ndarray, r: Tensor, v: Tensor, beta: np.ndarray, other: Tensor
                ) -> np.ndarray:  # fmt: skip
        """Add alpha y to x and beta v to r, with a factor for each plane; return the products of r with other."""
        n, dtype = len(x), self.levels[0].diagonal.dtype
        sums = np.zeros((-(-x.shape[1] // self._algebra.CHUNK), n))
        flat = [vector.view(-1).numpy() for vector in (x, y, r, v, other)]
        self._vectors(self._algebra.advance, *flat[:2], alpha.astype(dtype), *flat[2:4], beta.astype(dtype), flat[4],
                      sums.reshape(-1), planes=n)
        return sums.sum(0)

    def dot(self, x: Tensor, y: Tensor) -> np.ndarray:
        """Return the inner product of each plane, in float64."""
        sums = np.zeros((-(-x.shape[1] // self._algebra.CHUNK), len(x)))
        self._vectors(self._algebra.dots, x.view(-1).numpy(), y.view(-1).numpy(), sums.reshape(-1), planes=len(x))
        return sums.sum(0)

    def largest(self, x: Tensor) -> np.ndarray:
        """Return the largest absolute value of each plane."""
        high = np.zeros((-(-x.shape[1] // self._algebra.CHUNK), len(x)), self.levels[0].diagonal.dtype)
        self._vectors(self._algebra.peaks, x.view(-1).numpy(), high.reshape(-1), planes=len(x))
        return high.max(0)

    def coarsest(self, rhs: Tensor, out: Tensor) -> None:
        """Solve on the coarsest grid."""
        last = self.levels[-1]
        # NumPy: torch wakes its threads for a product this small, which takes ten times as long as the product
        pixels = last.view(rhs).numpy()
        last.view(out).numpy()[:] = (pixels.reshape(len(pixels), -1) @ self.coarsest_inverse).reshape(pixels.shape)
