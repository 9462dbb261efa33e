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

from photochrom.core.memory import empty, zeros
from photochrom.num.kernels import load
from photochrom.num.solve.frames import Frame
from photochrom.num.solve.level import MARGIN, RUNS, Level, offsets_of, uniform_of
from photochrom.num.solve.stencil import COARSEST, Stencil, close_range, coarse_inverse, smoothing, tiny
from photochrom.num.solve.vectors import Vectors

HOLLOW = 32


class NativeGrid(Vectors):
    """A hierarchy for one mask and operator, and the work on its vectors: tensors (N, size of a padded plane)."""

    def __init__(self, stencil: Stencil, labels: np.ndarray | None, held: np.ndarray, *, hollow: bool = False) -> None:
        """Build all levels.

        Args:
            stencil: the operator; float32 or float64 on the processor. Its diagonal is not read if `hollow`.
            labels: (H, W), the connected region of each pixel; None where all are held.
            held: by label, whether a known neighbour or a screen holds it.
            hollow: leave out what is known anyway further than `HOLLOW` pixels inside the runs of coarse grids.
        """
        self._hollow = hollow
        self._setup, self._cycle, self._frame = load("solve_setup"), load("solve_cycle"), load("solve_frame")
        self._runs = load("solve_runs")
        none = stencil.diagonal.new_zeros(0)
        self._excess = (none if stencil.excess is None else stencil.excess.view(-1)).numpy()
        self.plain, self._turned = stencil.weights is None, False
        self.dtype = stencil.diagonal.dtype
        self.symmetric = stencil.symmetric
        self.levels = [self._finest(stencil)]
        while self.levels[-1].height * self.levels[-1].width > COARSEST:
            self.levels.append(self._coarsen(self.levels[-1]))
        self.coarsest_inverse = self._last(labels, held)
        self._close = np.zeros((0, 2), np.int64) if self.symmetric else self._find_close()

    # building

    def _numpy(self, shape: tuple[int, ...]) -> np.ndarray:
        return zeros(shape, self.dtype).numpy()

    def _finest(self, stencil: Stencil) -> Level:
        height, width = stencil.unknown.shape
        kind = 0 if stencil.weights is None else (4 if stencil.weights.shape[0] <= 4 and not stencil.nine else 8)
        none = self._numpy((0,))
        level = Level(
            height, width, kind, none, none, none, none, smoothing(self.dtype, self.symmetric),
            np.zeros((height, RUNS), np.int64), uniform_of(0).astype(none.dtype), np.zeros(height, bool),
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
        unknown = stencil.unknown.contiguous().view(-1).numpy()
        if self._hollow:
            self._hollow_out(unknown, level)
            return level
        args = (
            unknown, stencil.diagonal.view(-1).numpy(), level.diagonal, level.inverse, height, width, level.pitch,
        )  # fmt: skip
        self.run(lambda a, b: self._frame.operator(*args, a, b), height, 64, height * width)
        row = (level.inverse, width, level.pitch, level.runs, self.plain)
        self.run(lambda a, b: self._runs.find_runs(*row, a, b), height, 64, height * width)
        if self.plain:
            self._runs.find_alike(level.runs, level.alike)
        return level

    def _hollow_out(self, unknown: np.ndarray, level: Level) -> None:
        """Set up the finest grid of weights 1 but for what lies far inside its runs."""
        size = (level.height, level.width)
        values = level.height * level.width
        self.run(lambda a, b: self._runs.find_marked_runs(unknown, *size, level.runs, a, b), level.height, 64, values)
        self._runs.hollow_runs(level.runs, HOLLOW)
        args = (unknown, level.runs, level.diagonal, level.inverse, *size, level.pitch)
        self.run(lambda a, b: self._frame.hollow(*args, a, b), level.height, 64, values)
        self._runs.find_alike(level.runs, level.alike)

    def _coarsen(self, fine: Level) -> Level:
        height, width = (fine.height + 1) // 2, (fine.width + 1) // 2
        none = self._numpy((0,))
        coarse = Level(
            height, width, 8, none, none, none, none, smoothing(self.dtype, self.symmetric, coarse=True),
            np.zeros((height, RUNS), np.int64), uniform_of(len(self.levels)).astype(none.dtype),
            np.zeros(height, bool),
        )  # fmt: skip
        self._runs.halve_runs(fine.runs, coarse.runs, width)
        self._runs.halve_alike(fine.alike, coarse.alike)
        if self._hollow:
            self._runs.hollow_runs(coarse.runs, HOLLOW)
        planes = 4 if self.symmetric else 8
        coarse.stencil = self._numpy((planes, coarse.size)).reshape(-1)
        coarse.diagonal, coarse.inverse = self._numpy((coarse.size,)), self._numpy((coarse.size,))
        coarse.offsets = offsets_of(coarse.size, coarse.pitch, planes)
        fine.transfer = self._numpy((8, coarse.size)).reshape(-1)
        self._setup.mark(fine.inverse, fine.pitch, coarse.inverse, coarse.pitch, coarse.runs)
        op = (fine.stencil, fine.offsets, fine.diagonal, fine.inverse)
        size = (fine.height, fine.width, fine.pitch, fine.kind)
        to = (fine.transfer, coarse.size, coarse.pitch)
        runs = (coarse.runs, coarse.uniform, coarse.alike)
        values = fine.height * fine.width
        self._interpolate(fine, fine.offsets, *to, coarse)
        fine.restriction = fine.transfer
        if not self.symmetric:
            # a coarse equation is a mean of fine ones by what they share with it: the interpolation of A^T
            fine.restriction = np.zeros_like(fine.transfer)
            self._interpolate(fine, fine.turned, fine.restriction, *to[1:], coarse)
        made = (coarse.stencil, coarse.offsets, coarse.diagonal, coarse.inverse)
        self.run(
            lambda a, b: self._setup.galerkin(*op, *size, *to, fine.restriction, self.symmetric, *made, *runs, a, b),
            height,
            16,
            values,
        )
        if not self.symmetric:
            row = (coarse.stencil, coarse.offsets, coarse.diagonal, width, coarse.pitch)
            self.run(lambda a, b: self._setup.lump(*row, a, b), height, 64, height * width)
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
        if self.symmetric and not self.plain:
            grid = (coarse.stencil, coarse.offsets, coarse.inverse, height, width, coarse.pitch, 8)
            coarse.omegas = smoothing(self.dtype, self.symmetric, bound=self._setup.bound(*grid))
        return coarse

    def _interpolate(self, fine: Level, offsets: np.ndarray, transfer: np.ndarray, size: int, pitch: int,
                     coarse: Level) -> None:  # fmt: skip
        """Write the interpolation that belongs to the weights at these offsets."""
        shape = (fine.height, fine.width, fine.pitch, fine.kind, transfer, size, pitch, coarse.runs, coarse.alike)
        rows, values = (fine.height + 1) // 2, fine.height * fine.width
        edges, centres = self._setup.edges, self._setup.centres
        op = (fine.stencil, offsets, fine.diagonal, fine.inverse)
        self.run(lambda a, b: edges(*op, *shape, a, b), rows, 32, values)
        self.run(lambda a, b: centres(*op[:2], fine.inverse, *shape, a, b), rows, 32, values)

    def _find_close(self) -> np.ndarray:
        """Return the close pairs of the finest grid, (n, 2): where the first is, which weight leads to the other."""
        grid, kernels = self.levels[0], load("solve_pairs")
        args = (grid.stencil, grid.offsets, grid.inverse, grid.height, grid.width, grid.pitch)
        args += tuple(self.levels[0].diagonal.dtype.type(bound) for bound in close_range(self.dtype))
        counts, none = np.zeros(grid.height + 1, np.int64), np.zeros((0, 2), np.int64)
        values = grid.height * grid.width
        self.run(lambda a, b: kernels.find(*args, counts, none, a, b), grid.height, 64, values)
        starts = np.concatenate(([0], np.cumsum(counts[:-1])))
        pairs = np.zeros((starts[-1], 2), np.int64)
        if len(pairs):
            self.run(lambda a, b: kernels.find(*args, starts, pairs, a, b), grid.height, 64, values)
        return pairs

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

    def transposed(self) -> NativeGrid:
        """Return the hierarchy of A^T: weights and the ways between grids change sides."""
        made = copy.copy(self)
        made._turned = not self._turned
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
        self.run(lambda a, c: self._frame.enter(*args, a, c), grid.blocks, 1, planes * grid.size)
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
        self.run(lambda a, c: self._frame.remainder(*args, a, c), grid.height, 32, n * grid.size)
        return torch.from_numpy(self.dot(b, b))

    def exact(self, x: Tensor, rhs: Tensor, out: Tensor) -> np.ndarray:
        """Write b - A x into out, from differences where rows of weights have them; return its squares by plane."""
        if self._turned:
            return self.residual(x, rhs, out).numpy()
        return self.remainder(x, out.copy_(rhs)).numpy()

    def settle(self, x: Tensor, product: Tensor, rhs: Tensor) -> None:
        """Solve the two equations of each close pair, which changes x and its product with A."""
        grid = self.levels[0]
        flat = [v.view(-1).numpy() for v in (x, product, rhs)]
        op = (grid.stencil, grid.offsets, grid.diagonal, grid.inverse)
        args = (self._close, *flat, *op, len(x), grid.pitch, grid.size)
        self.run(lambda a, b: load("solve_pairs").settle(*args), 1, 1, 0)

    def leave(self, x: Tensor | None, e: Tensor, out: Tensor, frame: Frame) -> None:
        """Write x + e into the frame of out (n, C, H, W), contiguous."""
        grid = self.levels[0]
        args = (
            e.new_zeros(0).numpy() if x is None else x.view(-1).numpy(), e.view(-1).numpy(), out.view(-1).numpy(),
            e.shape[0], grid.size, out.shape[2] * out.shape[3], out.shape[3], frame.top, frame.left, grid.height,
            grid.width, grid.pitch,
        )  # fmt: skip
        self.run(lambda a, c: self._frame.leave(*args, a, c), grid.height, 64, e.numel())

    def down(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *,
             zero: bool = False) -> Callable[[], None]:  # fmt: skip
        """Return what smooths x into out (x itself stays) and writes the restricted residual into coarse.

        Where no smoothing step comes before the coarse grid, x must be `zero`, and nothing is written into out.
        """
        fine, next_ = self.levels[index], self.levels[index + 1]
        n = x.shape[0]
        work = functools.partial(
            self._cycle.down,
            x.view(-1).numpy(), rhs.view(-1).numpy(), out.view(-1).numpy(), coarse.view(-1).numpy(), n, fine.size,
            next_.size, fine.height, fine.width, fine.pitch, next_.pitch, fine.stencil, fine.offsets, fine.diagonal,
            fine.inverse, fine.runs, fine.uniform, fine.kind, fine.restriction, next_.runs, fine.omegas[0], zero,
            fine.block,
        )  # fmt: skip
        return functools.partial(self.run, work, fine.blocks, fine.grain, n * fine.size)

    def up(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *, weight: float = 1.0,
           zero: bool = False, product: Tensor | None = None) -> Callable[[], np.ndarray]:  # fmt: skip
        """Return what smooths x + P coarse to y, and moves out (0 if `zero`) to out + weight (y - out).

        It returns the largest |y - out|. x is what `down` wrote. On the finest grid of a system with eight weights, A y
        is written into `product`.
        """
        fine, next_ = self.levels[index], self.levels[index + 1]
        n = x.shape[0]
        change = np.zeros((fine.blocks, n), fine.diagonal.dtype)
        start = x.view(-1).numpy()[: None if len(fine.omegas[0]) else 0]
        work = functools.partial(
            self._cycle.up,
            start, rhs.view(-1).numpy(), out.view(-1).numpy(), coarse.view(-1).numpy(),
            change.reshape(-1), n, fine.size, next_.size, fine.height, fine.width, fine.pitch, next_.pitch,
            fine.stencil, fine.offsets, fine.diagonal, fine.inverse, fine.runs, fine.uniform, fine.kind, fine.transfer,
            next_.runs, fine.omegas[1], fine.diagonal.dtype.type(weight), zero,
            start[:0] if product is None else product.view(-1).numpy(), fine.block,
        )  # fmt: skip

        def rise() -> np.ndarray:
            self.run(work, fine.blocks, fine.grain, n * fine.size)
            return change.max(0)

        return rise

    def residual(self, x: Tensor, rhs: Tensor, out: Tensor) -> Tensor:
        """Write b - A x into out on the finest grid; return the sum of squares of each plane, float64."""
        return torch.from_numpy(self._apply(self._cycle.residual, x, rhs, out))

    def product(self, x: Tensor, out: Tensor, other: Tensor) -> np.ndarray:
        """Write A x into out on the finest grid; return its product with other, by plane."""
        return self._apply(self._cycle.product, x, other, out)

    def _apply(self, work: Callable[..., Any], x: Tensor, other: Tensor, out: Tensor) -> np.ndarray:
        """Let a kernel apply A on the finest grid; return its sums by plane."""
        fine = self.levels[0]
        n = x.shape[0]
        sums = np.zeros((fine.blocks, n))
        args = (
            x.view(-1).numpy(), other.view(-1).numpy(), out.view(-1).numpy(), sums.reshape(-1), n, fine.size,
            fine.height, fine.width, fine.pitch, fine.stencil, fine.offsets, fine.diagonal, fine.inverse, fine.kind,
            fine.block,
        )  # fmt: skip
        self.run(lambda a, b: work(*args, a, b), fine.blocks, fine.grain, n * fine.size)
        made: np.ndarray = sums.sum(0)
        return made

    def coarsest(self, rhs: Tensor, out: Tensor) -> Callable[[], None]:
        """Return what solves on the coarsest grid."""
        last = self.levels[-1]
        # NumPy: torch wakes its threads for a product this small, which takes ten times as long as the product
        given, made = last.view(rhs).numpy(), last.view(out).numpy()

        def work() -> None:
            made[:] = (given.reshape(len(given), -1) @ self.coarsest_inverse).reshape(given.shape)

        return work
