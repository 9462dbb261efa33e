"""Krylov methods with a cycle as preconditioner."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from photochrom.num.solve.cycles import Cycles, Progress

CAUTION = 4  # how much larger an error may be than the change a cycle would make, where cycles are slow


def _safe(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, 0 where b is 0: a plane that is solved stands still."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def conjugate_gradient(cycles: Cycles, x: Tensor, rhs: Tensor, bound: float, limit: int, done: Progress) -> None:
    """Solve a symmetric system from x, in place; begin anew from the result until that stands the test.

    The method carries the residual along; in float32 it parts from b - A x, and the first to know is a fresh start.

    Args:
        cycles: of the hierarchy.
        x: the vector to start from.
        rhs: vector, 0 at known pixels.
        bound: of the estimated largest error.
        limit: of the iterations.
        done: the progress so far; it goes on.
    """
    before = np.inf
    while done.iterations < limit:
        first = _conjugate(cycles, x, rhs, bound, limit, done)
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
        alpha = _safe(rz, grid.product(p, ap, p))
        grid.update(x, p, alpha, 1.0)
        grid.update(r, ap, -alpha, 1.0)
    return np.full(cycles.planes, np.inf) if found is None else found


_PAST = 3
"""Directions that a new one is made orthogonal to. By trial on photographs: all of them save no cycle."""
_SPAN = 3   # steps whose mean rate counts
_NEARLY = 100.0   # how far from the end, in tolerances, the residual is taken anew


def conjugate_residual(
    cycles: Cycles, rhs: Tensor, scale: float, tolerance: float, limit: int
) -> tuple[Tensor, Progress]:
    """Solve a system that need not be symmetric: each direction is followed to the least residual.

    Generalised conjugate residuals (Eisenstat, Elman, Schultz 1983), cut short as in Orthomin (Vinsome 1976). The error
    is estimated by the steps, which go on as a geometric series with the rate of the residual. In float32 the residual
    that is carried along parts from b - A x: near the end the method begins anew from there.

    Args:
        cycles: of the hierarchy.
        rhs: vector, 0 at known pixels.
        scale: the largest absolute value known so far; the solution's own is added to it.
        tolerance: bound of the estimated largest error, relative to the scale.
        limit: bound of the iterations, each one cycle.

    Returns:
        the solution vector and the progress.
    """
    grid, done = cycles.grid, Progress()
    x, r = (grid.new(0, cycles.planes) for _ in range(2))
    x.zero_()
    r.copy_(rhs)
    left = grid.dot(r, r)
    directions = [grid.new(0, (_PAST + 1) * cycles.planes).unflatten(0, (_PAST + 1, -1)) for _ in range(2)]
    for nearly in (_NEARLY, 1.0):
        scale = _descend(cycles, x, r, left, directions, scale, nearly * tolerance, limit, done)
        if not done.converged or nearly == 1:
            break
        left, done.converged = grid.exact(x, rhs, r), False
    return x, done


def _descend(
    cycles: Cycles, x: Tensor, r: Tensor, left: np.ndarray, directions: list[Tensor], scale: float, tolerance: float,
    limit: int, done: Progress,
) -> float:  # fmt: skip
    """Go from x, whose residual is r, until the estimated error is small enough.

    Args:
        cycles: of the hierarchy.
        x: vector.
        r: vector.
        left: by plane, the square of the length of r.
        directions: room for `_PAST` + 1 directions, and for their products with A.
        scale: as of `conjugate_residual`, and the rest.
        tolerance: likewise.
        limit: likewise.
        done: the progress so far; it goes on.

    Returns:
        the scale with what was found.
    """
    grid, slots = cycles.grid, _PAST + 1
    ways, images = directions
    squares = np.ones((slots, cycles.planes))
    lengths, steps = [left], [np.zeros(cycles.planes)]
    for count in range(limit - done.iterations):
        now, used = count % slots, min(count + 1, slots)
        cycles.cycle(ways[now], r, zero=True, product=images[now])
        grid.settle(ways[now], images[now], r)
        *shared, along = grid.shares(images, r, now, used)
        square, shared[now] = shared[now], np.zeros(cycles.planes)
        beta = _safe(np.stack(shared), squares)
        # r is orthogonal to the images of the past; where nothing new is left, the step stays short
        alpha = _safe(along, np.maximum(square - (beta * shared).sum(0), 1e-6 * square))
        length, squares[now], step = grid.descend(x, r, ways, images, now, used, beta, alpha)
        done.iterations += 1
        scale = max(scale, float(step.max()), 1e-30)
        lengths, steps = [*lengths[-_SPAN:], length], [steps[-1], step]
        rate = np.clip(_safe(length, lengths[0]) ** (0.5 / (len(lengths) - 1)), 0.2, 0.99)
        done.error = np.maximum(*steps) * rate / (1 - rate)
        if not np.isfinite(length).all():
            break
        if count and (done.error <= tolerance * scale).all():
            done.converged = True
            break
    return scale
