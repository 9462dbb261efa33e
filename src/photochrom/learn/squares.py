"""Damped least squares within bounds: Levenberg and Marquardt, for a few numbers and many differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from photochrom.learn.losses import Loss

_STRIDE = 0.25
"""The most a number moves in a step, in units: a quarter of its soft range, beyond which no slope is to be trusted."""
STILL = 1e-5
"""A gain smaller than this part of the loss is none; three of them in a row end the search."""
_TINY = 1e-14
"""A loss that is rounding of double precision."""
HOME = 1e-7
"""What it costs to be a unit from home, beside a loss of 6e-7 that rounding to 8 bits leaves by itself. Numbers that
the pictures determine hardly feel it; of many that fit as well, those nearest to home are taken."""


@dataclass
class Search:
    """Where a search has come."""

    units: Tensor
    loss: float
    history: list[float] = field(default_factory=list)
    """The loss at the start and after every step; a step that made it worse is not taken."""
    converged: bool = False
    curvature: Tensor | None = None
    """J^T W J at the end: what the differences know of the numbers."""

    def then(self, later: Search) -> Search:
        """Return a later search with the history of both."""
        later.history = [*self.history, *later.history[1:]]
        return later


def least_squares(differences: Callable[[Tensor], Tensor], slopes: Callable[[Tensor, Tensor], Tensor], start: Tensor,
                  low: Tensor, high: Tensor, weight: Tensor, loss: Loss, steps: int, home: Tensor, pull: float = HOME,
                  still: float = STILL,
                  progress: Callable[[int, float], None] = lambda step, value: None) -> Search:
    """Search the numbers that make the weighted loss of the differences smallest.

    Each step solves (J^T W J + d D) s = -J^T W r with the loss's own weights W (iterated reweighting), D the diagonal
    of J^T W J, and d the damping, which falls after a step that helped and rises until one does. Numbers at a bound
    that would leave it stay; the others are clipped to theirs.

    Args:
        differences: r of the numbers, (N,).
        slopes: J of the numbers and their differences, (N, P).
        start: (P,).
        low: bounds, (P,).
        high: bounds, (P,).
        weight: of each difference, (N,).
        loss: of one difference.
        steps: at most so many.
        home: from where being far costs, (P,).
        pull: how much, a unit.
        still: a gain smaller than this part of the loss is none.
        progress: called with the number of the step and the loss.

    Returns:
        The best that was found.

    Reference:
        Marquardt: An Algorithm for Least-Squares Estimation of Nonlinear Parameters. J. SIAM 11(2), 1963.
    """
    total = float(weight.sum())

    units = torch.minimum(torch.maximum(start, low), high)

    def cost(r: Tensor, units: Tensor) -> float:
        found = (weight * loss.value(r)).sum() / total + pull * ((units - home) ** 2).sum() / 2
        return float(found) if bool(found.isfinite()) else math.inf

    r = differences(units)
    found = Search(units, cost(r, units))
    found.history.append(found.loss)
    damping, quiet = 1e-3, 0
    for step in range(1, steps + 1):
        if found.loss < _TINY:
            found.converged = True
            break
        J = slopes(units, r).nan_to_num(0.0, 0.0, 0.0)
        W = weight * loss.weight(r)
        A, g = J.T @ (J * W[:, None]) / total, J.T @ (W * r) / total + pull * (units - home)
        A.diagonal().add_(pull)
        D = A.diagonal() + 1e-4 * A.diagonal().mean()   # what hardly matters shall not run away
        moved = False
        while damping < 1e9 and not moved:
            free = ~(((units <= low) & (g > 0)) | ((units >= high) & (g < 0)))
            if not bool(free.any()):
                break
            s = torch.zeros_like(units)
            s[free] = torch.linalg.solve((A + damping * D.diag())[free][:, free], -g[free])
            trial = units + s * min(1.0, _STRIDE / max(float(s.abs().max()), 1e-30))
            trial = torch.minimum(torch.maximum(trial, low), high)
            new = differences(trial)
            value = cost(new, trial)
            if value < found.loss:
                quiet = quiet + 1 if found.loss - value < still * found.loss else 0
                units, r, moved = trial, new, True
                found.units, found.loss = units, value
                damping = max(damping / 10, 1e-12)
            else:
                damping = max(damping, 1e-12) * 3
        found.history.append(found.loss)
        progress(step, found.loss)
        if not moved or quiet >= 3:
            found.converged = True
            break
    J = slopes(units, r).nan_to_num(0.0, 0.0, 0.0)
    found.curvature = J.T @ (J * (weight * loss.weight(r))[:, None])
    return found
