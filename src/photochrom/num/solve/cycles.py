"""A hierarchy's V-cycles, and what methods built on them report."""

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
    down: Callable[..., Callable[[], None]]
    up: Callable[..., Callable[[], np.ndarray]]
    residual: Callable[[Tensor, Tensor, Tensor], Tensor]
    coarsest: Callable[[Tensor, Tensor], Callable[[], None]]
    product: Callable[[Tensor, Tensor, Tensor], np.ndarray]
    update: Callable[..., None]
    dot: Callable[[Tensor, Tensor], np.ndarray]
    largest: Callable[[Tensor], np.ndarray]
    exact: Callable[[Tensor, Tensor, Tensor], np.ndarray]
    shares: Callable[[Tensor, Tensor, int, int], np.ndarray]
    descend: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]
    settle: Callable[[Tensor, Tensor, Tensor], None]
    transposed: Callable[[], Any]


@dataclass
class Progress:
    """What a method reports: iterations, and by plane the estimated largest error, in units of the solution."""

    iterations: int = 0
    error: np.ndarray = field(default_factory=lambda: np.zeros(0))
    converged: bool = False


class Cycles:
    """V-cycles with their work vectors, symmetric where the system is: by the same steps before and after."""

    def __init__(self, grid: Grid, planes: int) -> None:
        self.grid, self.planes = grid, planes
        self.last = len(grid.levels) - 1
        self._work = [[grid.new(k, planes) for _ in range(3 if k else 1)] for k in range(self.last + 1)]
        # below the finest grid the vectors are always the same
        self._down, self._up = list[Callable[[], None]](), list[Callable[[], np.ndarray]]()
        for k in range(1, self.last):
            (smoothed, rhs, x), (_, below, error) = self._work[k : k + 2]
            self._down.append(grid.down(k, x, rhs, smoothed, below, zero=True))
            self._up.insert(0, grid.up(k, smoothed, rhs, x, error, zero=True))
        if self.last:
            self._down.append(grid.coarsest(*self._work[-1][1:]))

    def cycle(self, x: Tensor, rhs: Tensor, *, weight: float = 1.0, zero: bool = False,
              product: Tensor | None = None) -> np.ndarray:  # fmt: skip
        """Move x (taken for zero if `zero`) by `weight` times what a cycle would change; return the most it would.

        In place; the largest change by plane. A grid that is the coarsest is solved, whatever x and the weight are.
        """
        if not self.last:
            self.grid.coarsest(rhs, x)()
            change: np.ndarray = self.grid.view(0, x).abs().flatten(1).amax(1).cpu().numpy()
            return change
        smoothed, (_, below, error) = self._work[0][0], self._work[1]
        self.grid.down(0, x, rhs, smoothed, below, zero=zero)()
        for step in (*self._down, *self._up):
            step()
        return self.grid.up(0, smoothed, rhs, x, error, weight=weight, zero=zero, product=product)()
