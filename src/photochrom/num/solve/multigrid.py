"""Multigrid on a hierarchy: accelerated cycles, and Krylov methods for what they do badly."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from photochrom.num.solve.cycles import Cycles, Grid, Progress
from photochrom.num.solve.krylov import CAUTION, conjugate_gradient, conjugate_residual


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
        limit: bound of the iterations; each is one cycle.

    Returns:
        the solution vector and the progress.
    """
    planes = rhs.shape[0]
    cycles = Cycles(grid, planes)
    if cycles.last and not grid.symmetric:
        return conjugate_residual(cycles, rhs, scale, tolerance, limit)
    x = grid.new(0, planes)
    if cycles.last == 0:  # a grid small enough for the dense inverse
        change = cycles.cycle(x, rhs, zero=True)
        return x, Progress(1, 0 * change, bool(np.isfinite(change).all()))
    done = Progress(0)
    if limit < 1:
        x.zero_()
    bound, before = 0.0, None
    while done.iterations < limit:
        weight, left = WEIGHTS[done.iterations % len(WEIGHTS)]
        change = cycles.cycle(x, rhs, weight=weight, zero=before is None)
        done.iterations += 1
        if before is None:
            bound = tolerance * max(scale, float(change.max(initial=0)), 1e-30)
            rate = np.full(planes, 0.3)
        else:
            rate = np.clip(change / np.maximum(before, 1e-30), left, 0.95)
        before = change
        done.error = change * rate / (1 - rate)
        if not np.isfinite(change).all():
            return x, done
        if (done.error <= bound).all():
            done.converged = True
            return x, done
        if (rate > SLOW)[done.error > bound].any():
            conjugate_gradient(cycles, x, rhs, bound / CAUTION, limit, done)
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
