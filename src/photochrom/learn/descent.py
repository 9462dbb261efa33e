"""Gradient descent within bounds: Adam, then L-BFGS from the best place it found."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.learn.squares import Search

_RATE = 0.05
"""Adam's step in units at the start; it falls to nought along half a cosine."""
_SHARE = 0.7
"""How many of the steps are Adam's; the rest are L-BFGS, which ends sharply what Adam only circles."""


_TINY = 1e-20
"""A loss that is rounding of double precision."""


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
    count = 0

    def bounded() -> None:
        if low is not None and high is not None:
            with torch.no_grad():
                units.copy_(torch.minimum(torch.maximum(units, low), high))

    def judge() -> Tensor:
        value = loss(units)
        number = float(value.detach())
        if math.isfinite(number) and number < found.loss:
            found.units, found.loss = units.detach().clone(), number
        return value

    first = round(steps * share)
    adam = torch.optim.Adam([units], lr=rate, betas=(0.9, 0.99))
    for step in range(first):
        adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / max(first, 1))) / 2
        adam.zero_grad()
        value = judge()
        if not bool(value.isfinite()):
            break
        value.backward()   # type: ignore[no-untyped-call]
        if units.grad is None or not bool(units.grad.isfinite().all()):
            break
        found.history.append(float(value.detach()))
        adam.step()
        bounded()
        count += 1
        progress(count, found.loss)
    with torch.no_grad():
        if math.isfinite(found.loss):
            units.copy_(found.units)
    newton = torch.optim.LBFGS([units], lr=1.0, max_iter=1, history_size=20, line_search_fn="strong_wolfe",
                               tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        newton.zero_grad()
        value = judge()
        if value.requires_grad and bool(value.isfinite()):
            value.backward()   # type: ignore[no-untyped-call]
        return value

    for _ in range(steps - first):
        known = found.loss
        newton.step(closure)   # type: ignore[arg-type]
        bounded()
        judge()
        if not bool(units.isfinite().all()):
            break
        count += 1
        found.history.append(found.loss)
        progress(count, found.loss)
        if found.loss < _TINY or (known - found.loss <= 1e-8 * known and len(found.history) > first + 3):
            found.converged = True
            break
    return found
