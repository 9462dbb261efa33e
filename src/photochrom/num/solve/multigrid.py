"""Multigrid on a hierarchy: accelerated cycles, and Krylov methods for what they do badly."""

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
    product: Callable[[Tensor, Tensor, Tensor], tuple[np.ndarray, np.ndarray]]
    update: Callable[..., None]
    advance: Callable[..., np.ndarray]
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

    def cycle(self, x: Tensor, rhs: Tensor, level: int = 0, *, weight: float = 1.0, zero: bool = False) -> np.ndarray:
        """Move x (taken for zero if `zero`) by `weight` times what a cycle would change; return the most it would.

        In place; the largest change by plane. The coarsest grid is solved, whatever x and the weight are.
        """
        if level == self.last:
            self.grid.coarsest(rhs, x)
            change: np.ndarray = self.grid.view(level, x).abs().flatten(1).amax(1).cpu().numpy()
            return change
        smoothed = self._work[level][0]
        _, below, error = self._work[level + 1]
        self.grid.down(level, x, rhs, smoothed, below, zero=zero)
        self.cycle(error, below, level + 1, zero=True)
        return self.grid.up(level, smoothed, rhs, x, error, weight=weight, zero=zero)


def multigrid(grid: Grid, rhs: Tensor, scale: float, tolerance: float, limit: int) -> tuple[Tensor, Progress]:
    """Solve A x = rhs by accelerated cycles, then by cycles as the preconditioner of a Krylov method.

    A cycle of a symmetric system takes the parts of the error to 0 ... `LEFT` of themselves. Going further than a cycle
    says by the weights of a Chebyshev polynomial on that range leaves 5e-5 of it after three cycles, where plain ones
    leave 1e-3: nearly what conjugate gradients would, without their vectors. Where cycles leave more than `SLOW`,
    the Krylov method takes over from where they stand. The error is estimated, not the residual: a cycle would change
    x by nearly the error that x has.

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
    if cycles.last == 0:  # a grid small enough for the dense inverse
        change = cycles.cycle(x, rhs, zero=True)
        return x, Progress(1, 0 * change, bool(np.isfinite(change).all()))
    done = Progress(0)
    if limit < 1:
        x.zero_()
    bound, before, last = 0.0, None, None
    while done.iterations < limit:
        weight, left = WEIGHTS[done.iterations % len(WEIGHTS)] if grid.symmetric else (1.0, 0.2)
        change = cycles.cycle(x, rhs, weight=weight, zero=before is None)
        done.iterations += 1
        if before is None:
            bound = tolerance * max(scale, float(change.max(initial=0)), 1e-30)
            rate = np.full(planes, 0.3)
        else:
            rate = np.clip(change / np.maximum(before, 1e-30), left, 0.95)
        last, before = before, change
        done.error = change * rate / (1 - rate)
        if not np.isfinite(change).all():
            return x, done
        if (done.error <= bound).all():
            done.converged = True
            return x, done
        if (rate > SLOW)[done.error > bound].any():
            if not grid.symmetric and last is not None and (change > last).any():
                x.zero_()   # cycles alone lead away
            _krylov(cycles, x, rhs, bound / CAUTION, limit, done)
            return x, done
    return x, done


LEFT = 0.11
"""By trial: what a cycle leaves of an error on an ellipse, and on a mask of random pixels."""


def _chebyshev(left: float, order: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return the weights of steps that together leave least of all errors of which one cycle leaves 0 ... left.

    Args:
        left: the most that a cycle leaves.
        order: of the roots of the polynomial, -1 ... 1 being the range.

    Returns:
        for each step its weight, and the most that it leaves by itself.
    """
    weights = [1 / (1 - left / 2 * (1 + root)) for root in order]
    return [(weight, max(weight - 1, 1 - weight * (1 - left))) for weight in weights]


WEIGHTS = _chebyshev(LEFT, (0.75**0.5, -(0.75**0.5), 0.0))  # the middle root last: its step leaves least by itself

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
    r, z, p, ap = (grid.new(0, cycles.planes) for _ in range(4))
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
        # ap holds A p of the last step, r_before - r = alpha ap
        beta = 0.0 if found is None else -_safe(alpha * grid.dot(ap, z), rz)
        found = done.error if found is None else found
        grid.update(p, z, 1.0, beta)
        rz = new
        alpha = _safe(rz, grid.product(p, ap, p)[0])
        grid.advance(x, p, alpha, r, ap, -alpha, r)
    return np.full(cycles.planes, np.inf) if found is None else found


def _stabilised(cycles: Cycles, x: Tensor, rhs: Tensor, bound: float, limit: int, done: Progress) -> np.ndarray:
    """BiCGStab with the cycle as right preconditioner, for systems that are not symmetric (van der Vorst 1992).

    Returns:
        the estimated error that x had.
    """
    grid = cycles.grid
    r, shadow, p, v, y, t = (grid.new(0, cycles.planes) for _ in range(6))
    grid.residual(x, rhs, r)
    for copy in (shadow, p):
        grid.update(copy, r, 1.0, 0.0)
    rho = grid.dot(r, r)
    found: np.ndarray | None = None
    while done.iterations < limit:
        done.iterations += 1
        cycles.cycle(y, p, zero=True)
        if found is None:
            found = CAUTION * grid.largest(y)
            if (found <= CAUTION * bound).all():
                grid.update(x, y, 1.0, 1.0)
                done.error, done.converged = found, True
                return found
        alpha = _safe(rho, grid.product(y, v, shadow)[0])
        grid.advance(x, y, alpha, r, v, -alpha, r)
        cycles.cycle(y, r, zero=True)
        done.error = CAUTION * grid.largest(y)
        if (done.error <= CAUTION * bound).all():
            grid.update(x, y, 1.0, 1.0)
            done.converged = True
            return found
        omega = _safe(*grid.product(y, t, r))
        new = grid.advance(x, y, omega, r, t, -omega, shadow)
        beta = _safe(new, rho) * _safe(alpha, omega)
        rho = new
        grid.update(p, v, -omega, 1.0)
        grid.update(p, r, 1.0, beta)
    return np.full(cycles.planes, np.inf) if found is None else found
