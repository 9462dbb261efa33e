"""Multigrid on a hierarchy: cycles, the full-multigrid start, and Krylov methods for what cycles alone do badly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


class Grid(Protocol):
    """What a hierarchy offers; see `native.NativeGrid` and `definition.TorchGrid`."""

    levels: list[Any]
    symmetric: bool
    dtype: torch.dtype
    new: Callable[[int, int], Tensor]
    view: Callable[[int, Tensor], Tensor]
    enter: Callable[..., tuple[Tensor, Tensor | None, float]]
    remainder: Callable[[Tensor | None, Tensor], Tensor]
    leave: Callable[..., None]
    down: Callable[..., None]
    up: Callable[..., np.ndarray]
    residual: Callable[[Tensor, Tensor, Tensor], Tensor]
    coarsest: Callable[[Tensor, Tensor], None]
    update: Callable[..., None]
    dot: Callable[[Tensor, Tensor], np.ndarray]
    largest: Callable[[Tensor], np.ndarray]
    transposed: Callable[[], Any]


@dataclass
class Progress:
    """What a method reports: iterations, and by plane the estimated largest error, in units of the solution."""

    iterations: int = 0
    error: np.ndarray = field(default_factory=lambda: np.zeros(0))
    converged: bool = False


class Cycles:
    """V-cycles with their work vectors; the same smoothing before and after, so that the cycle is symmetric."""

    def __init__(self, grid: Grid, planes: int) -> None:
        self.grid, self.planes = grid, planes
        self.last = len(grid.levels) - 1
        self._work = [[grid.new(k, planes) for _ in range(3 if k else 1)] for k in range(self.last + 1)]

    def cycle(self, x: Tensor, rhs: Tensor, level: int = 0, *, zero: bool = False) -> np.ndarray:
        """Improve x (taken for zero if `zero`) in place; return the largest change on the way up, by plane."""
        if level == self.last:
            self.grid.coarsest(rhs, x)
            return self.grid.view(level, x).abs().flatten(1).amax(1).cpu().numpy()
        smoothed = self._work[level][0]
        _, below, error = self._work[level + 1]
        self.grid.down(level, x, rhs, smoothed, below, zero=zero)
        self.cycle(error, below, level + 1, zero=True)
        return self.grid.up(level, smoothed, rhs, x, error)

    def full(self, x: Tensor, rhs: Tensor) -> np.ndarray:
        """Solve into x from the coarsest grid up: each grid starts from the solution of the next coarser one."""
        right = [rhs] + [self._work[k][1] for k in range(1, self.last + 1)]
        values = [x] + [self._work[k][2] for k in range(1, self.last + 1)]
        for k in range(self.last):
            self.grid.down(k, values[k], right[k], values[k], right[k + 1], zero=True, smooth=False)
        change = self.cycle(values[self.last], right[self.last], self.last, zero=True)
        for k in range(self.last - 1, -1, -1):
            change = self.grid.up(k, values[k], right[k], values[k], values[k + 1], zero=True)
            if k:
                # the level's own value lies where its cycle would be called from above; its coarser ones are free now
                self.cycle(values[k], right[k], k)
        return change


def multigrid(grid: Grid, rhs: Tensor, scale: float, tolerance: float, limit: int) -> tuple[Tensor, Progress]:
    """Solve A x = rhs by the full-multigrid start, then cycles, then cycles as the preconditioner of a Krylov method.

    A cycle on a picture mask leaves about a tenth of the error, and then costs less than half of a preconditioned
    step for nearly the same gain. Where it leaves more than `SLOW`, the Krylov method takes over from where it stands.
    The error is estimated, not the residual: a cycle changes x by nearly the error that x had, and the next one
    would leave the same part of it, rho / (1 - rho) of the change.

    Args:
        grid: the hierarchy.
        rhs: vector, 0 at known pixels.
        scale: the largest absolute value known so far; the solution's own is added to it.
        tolerance: bound of the estimated largest error, relative to the scale.
        limit: bound of the iterations; each is one cycle (two for systems that are not symmetric).

    Returns:
        the solution vector and the progress.
    """
    planes = rhs.shape[0]
    cycles = Cycles(grid, planes)
    x = grid.new(0, planes)
    change = cycles.full(x, rhs)
    bound = tolerance * max(scale, float(change.max(initial=0)), 1e-30)
    done = Progress(0, change)
    if cycles.last == 0:  # a grid small enough for the dense inverse
        return x, Progress(1, 0 * change, bool(np.isfinite(change).all()))
    before: np.ndarray | None = None
    while done.iterations < limit:
        change = cycles.cycle(x, rhs)
        done.iterations += 1
        rate = np.full(planes, 0.3)
        if before is not None:
            rate = np.clip(change / np.maximum(before, 1e-30), 0.2, 0.95)
        before = change
        done.error = change * rate / (1 - rate)
        if not np.isfinite(change).all():
            return x, done
        if (done.error <= bound).all():
            done.converged = True
            return x, done
        if (rate > SLOW)[done.error > bound].any():
            _krylov(cycles, x, rhs, bound / CAUTION, limit, done)
            return x, done
    return x, done


SLOW = 0.4
CAUTION = 4  # how much larger an error may be than the change a cycle would make, where cycles are slow


def _safe(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, 0 where b is 0: a plane that is solved stands still."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def _krylov(cycles: Cycles, x: Tensor, rhs: Tensor, bound: float, limit: int, done: Progress) -> None:
    """Run the Krylov method anew from its own result until that stands the test.

    Both methods carry the residual along; in float32 it parts from b - A x, and the first to know is a fresh start.
    """
    before = np.inf
    while done.iterations < limit:
        first = (_conjugate if cycles.grid.symmetric else _stabilised)(cycles, x, rhs, bound, limit, done)
        if not done.converged or (first <= CAUTION * bound).all() or first.max() > 0.5 * before:
            # met, or as good as these numbers get: a restart that finds what the last one found
            done.converged = done.converged and bool((first <= 10 * CAUTION * bound).all())
            return
        before = first.max()
        done.converged = False


def _conjugate(cycles: Cycles, x: Tensor, rhs: Tensor, bound: float, limit: int, done: Progress) -> np.ndarray:
    """Preconditioned conjugate gradients from x, flexible (Polak-Ribiere): rounding in the cycle is harmless.

    Returns:
        the estimated error that x had.
    """
    grid = cycles.grid
    r, z, p, ap, zero = (grid.new(0, cycles.planes) for _ in range(5))
    zero.zero_()
    grid.residual(x, rhs, r)
    rz = alpha = np.ones(cycles.planes)
    found: np.ndarray | None = None
    while done.iterations < limit:
        done.iterations += 1
        cycles.cycle(z, r, zero=True)
        done.error = CAUTION * grid.largest(z)
        if (done.error <= CAUTION * bound).all():
            grid.update(x, z, 1.0, 1.0)
            done.converged = True
            return done.error if found is None else found
        new = grid.dot(r, z)
        # ap holds -A p of the last step, r - r_before = alpha ap
        beta = 0.0 if found is None else _safe(alpha * grid.dot(ap, z), rz)
        found = done.error if found is None else found
        grid.update(p, z, 1.0, beta)
        rz = new
        grid.residual(p, zero, ap)
        alpha = _safe(rz, -grid.dot(p, ap))
        grid.update(x, p, alpha, 1.0)
        grid.update(r, ap, alpha, 1.0)
    return np.full(cycles.planes, np.inf) if found is None else found


def _stabilised(cycles: Cycles, x: Tensor, rhs: Tensor, bound: float, limit: int, done: Progress) -> np.ndarray:
    """BiCGStab with the cycle as right preconditioner, for systems that are not symmetric (van der Vorst 1992).

    Returns:
        the estimated error that x had, half a step later.
    """
    grid = cycles.grid
    r, shadow, p, v, y, t, zero = (grid.new(0, cycles.planes) for _ in range(7))
    zero.zero_()
    grid.residual(x, rhs, r)
    grid.update(shadow, r, 1.0, 0.0)
    rho = alpha = omega = np.ones(cycles.planes)
    found: np.ndarray | None = None
    while done.iterations < limit:
        done.iterations += 1
        new = grid.dot(shadow, r)
        beta = _safe(new, rho) * _safe(alpha, omega)
        rho = new
        if found is None:
            grid.update(p, r, 1.0, 0.0)
        else:
            # p = r + beta (p - omega A y), with v = -A y
            grid.update(p, v, omega, 1.0)
            grid.update(p, r, 1.0, beta)
        cycles.cycle(y, p, zero=True)
        grid.residual(y, zero, v)
        alpha = _safe(rho, -grid.dot(shadow, v))
        grid.update(x, y, alpha, 1.0)
        grid.update(r, v, alpha, 1.0)
        cycles.cycle(y, r, zero=True)
        done.error = CAUTION * grid.largest(y)
        found = done.error if found is None else found
        if (done.error <= CAUTION * bound).all():
            grid.update(x, y, 1.0, 1.0)
            done.converged = True
            return found
        grid.residual(y, zero, t)
        omega = -_safe(grid.dot(t, r), grid.dot(t, t))
        grid.update(x, y, omega, 1.0)
        grid.update(r, t, omega, 1.0)
    return np.full(cycles.planes, np.inf) if found is None else found
