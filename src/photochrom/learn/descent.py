"""Gradient descent within bounds: Adam, then L-BFGS from the best place it found."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from photochrom.learn.squares import Search

_RATE = 0.05
"""Adam's step in units at the start; it falls to nought along half a cosine."""
_SHARE = 0.7
"""How many of the steps are Adam's; the rest are L-BFGS, which ends sharply what Adam only circles."""


def descend(loss: Callable[[Tensor], Tensor], start: Tensor, low: Tensor | None, high: Tensor | None, steps: int,
            progress: Callable[[int, float], None] = lambda step, value: None, rate: float = _RATE,
            share: float = _SHARE) -> Search:
    """Search the numbers that make a loss smallest, by its gradient.

    Args:
        loss: of the numbers (P,), a tensor of one number with a gradient.
        start: (P,).
        low: bounds, (P,), or None.
        high: bounds, (P,), or None.
        steps: how many.
        progress: called with the number of the step and the loss.
        rate: the size of Adam's first step.
        share: how many of the steps are Adam's.

    Returns:
        The best that was found.

    Reference:
        Kingma, Ba: Adam. ICLR 2015. Liu, Nocedal: On the Limited Memory BFGS Method. Mathematical Programming 45, 1989.
    """
    units = start.detach().clone().requires_grad_(True)
    found = Search(start.detach().clone(), math.inf)
    first = round(steps * share)
    adam = torch.optim.Adam([units], lr=rate, betas=(0.9, 0.99))
    for step in range(first):
        adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / max(first, 1))) / 2
        adam.zero_grad()
        value = loss(units)
        number = float(value.detach())
        if not math.isfinite(number):
            break
        if number < found.loss:
            found.units, found.loss = units.detach().clone(), number
        value.backward()   # type: ignore[no-untyped-call]
        if units.grad is None or not bool(units.grad.isfinite().all()):
            break
        found.history.append(number)
        adam.step()
        if low is not None and high is not None:
            with torch.no_grad():
                units.copy_(torch.minimum(torch.maximum(units, low), high))
        progress(len(found.history), found.loss)
    if first == 0:
        found.loss = float(loss(found.units))
        found.history.append(found.loss)
    if math.isfinite(found.loss):
        _polish(loss, found, low, high, steps - first, lambda value: progress(len(found.history), value))
    return found


def _polish(loss: Callable[[Tensor], Tensor], found: Search, low: Tensor | None, high: Tensor | None, steps: int,
            told: Callable[[float], None]) -> None:
    """Go on from the best place with SciPy's L-BFGS-B, whose line search keeps to the bounds."""
    from scipy.optimize import Bounds, minimize

    def judged(at: np.ndarray) -> tuple[float, np.ndarray]:
        units = torch.from_numpy(at.copy()).requires_grad_(True)
        value = loss(units)
        number = float(value.detach())
        if not math.isfinite(number):
            return 1e300, np.zeros_like(at)
        (slope,) = torch.autograd.grad(value, units)
        if number < found.loss:
            found.units, found.loss = units.detach().clone(), number
        return number, slope.nan_to_num(0.0, 0.0, 0.0).numpy()

    def step(_: np.ndarray) -> None:
        found.history.append(found.loss)
        told(found.loss)

    if steps < 1:
        return
    bounds = None if low is None or high is None else Bounds(low.numpy(), high.numpy())
    # Tolerances of nought: it ends when double precision finds no way down.
    done = minimize(judged, found.units.numpy(), jac=True, method="L-BFGS-B", bounds=bounds, callback=step,
                    options={"maxiter": steps, "maxfun": 20 * steps, "maxcor": 20, "ftol": 0.0, "gtol": 1e-14})
    found.converged = done.nit < steps
