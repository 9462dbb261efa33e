"""One mask with its equations, and how each method solves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.num.solve.cycles import Grid, Progress
from photochrom.num.solve.definition import TorchGrid, finest
from photochrom.num.solve.direct import MOST, Direct
from photochrom.num.solve.frames import find_regions, frame_of, stencil_of
from photochrom.num.solve.iterations import conjugate_gradient, gradient_descent
from photochrom.num.solve.multigrid import multigrid
from photochrom.num.solve.system import GridSystem, SolverError
from photochrom.num.solve.transform import rectangle


@dataclass
class Plan:
    """How to solve."""

    method: str
    tolerance: float
    limit: int
    engine: str | None
    momentum: float
    direct: bool = False
    """Whether what cycles do not solve may be factorised."""


class Part:
    """The equations of one mask; kept from the solution to its gradient, with the hierarchy."""

    def __init__(self, plan: Plan, system: GridSystem, unknown: Tensor, like: Tensor) -> None:
        """Set up what all methods need.

        Args:
            plan: how to solve.
            system: the equations.
            unknown: (H, W), one mask of the system.
            like: its dtype and device are computed in.
        """
        self.plan = plan
        self.frame = frame_of(unknown)
        self.empty = self.frame is None
        self._grid: Any = None
        self._factors: Direct | None = None
        self.turned = False
        if self.frame is None:
            return
        self.stencil = s = stencil_of(system, unknown, self.frame, like.dtype, like.device)
        self.asked = s.unknown.clone()
        self.labels, self.held = find_regions(s)
        loose = np.flatnonzero(~self.held)
        self.loose = [torch.from_numpy(self.labels == k).to(like.device) for k in loose]
        if self.loose and not s.symmetric:
            for region in self.loose:  # no constant can be stated: the region stays as it is
                s.unknown &= ~region
            self.loose = []
        screen = system.screen
        if isinstance(screen, Tensor):
            screen = float(screen) if screen.ndim == 0 else None
        self.screen = 0.0 if system.screen is None else screen

    @property
    def grid(self) -> Grid:
        """Return the hierarchy, built when it is first needed."""
        if self._grid is None:
            if self.stencil.diagonal.device.type == "cpu" and self.plan.engine != "torch":
                from photochrom.num.solve.native import NativeGrid

                self._grid = NativeGrid(self.stencil, self.labels, self.held)
            else:
                self._grid = TorchGrid(self.stencil, self.labels, self.held)
        return self._grid.transposed() if self.turned else self._grid

    def centre(self, values: Tensor) -> None:
        """Take the mean off, in place, in each region that nothing holds."""
        for region in self.loose:
            values.sub_(values[:, region].mean(1, dtype=torch.float64).to(values.dtype)[:, None, None] * region)

    def solve(
        self, rhs: Tensor, boundary: Tensor | None, start: Tensor | None, out: Tensor
    ) -> tuple[Progress, np.ndarray]:
        """Solve and write into the frame of out.

        Args:
            rhs: (n, C, H, W), contiguous.
            boundary: likewise, read at known pixels; None is 0.
            start: likewise, read at unknown pixels; None is 0.
            out: likewise, contiguous.

        Returns:
            the progress; the relative residual by plane.
        """
        assert self.frame is not None
        if self.plan.method != "multigrid":
            return self._plain(rhs, boundary, start, out)
        grid = self.grid
        b, x, scale = grid.enter(rhs, boundary, start, self.asked, self.frame)
        norm = grid.remainder(x, b)
        if self.loose:
            self.centre(grid.view(0, b))
        e, done = multigrid(grid, b, scale, self.plan.tolerance, self.plan.limit)
        if not done.converged and self.plan.direct and not self.stencil.symmetric:
            done.converged = self._direct(grid.view(0, b), grid.view(0, e))
        left = grid.residual(e, b, b)
        self.centre(grid.view(0, e))
        grid.leave(x, e, out, self.frame)
        return done, _relative(left, norm)

    def _direct(self, rhs: Tensor, out: Tensor) -> bool:
        """Solve by factors, if the system is not too large for them and the numbers are finite; return whether."""
        if int(self.stencil.unknown.sum()) > MOST or not bool(torch.isfinite(rhs).all()):
            return False
        if self._factors is None:
            self._factors = Direct(self.stencil)
        out.copy_(self._factors.solve(rhs, self.turned))
        return True

    def _plain(
        self, rhs: Tensor, boundary: Tensor | None, start: Tensor | None, out: Tensor
    ) -> tuple[Progress, np.ndarray]:
        s, plan = self.stencil, self.plan
        assert self.frame is not None
        cut = self.frame.cut
        level = finest(s)
        if self.turned:
            level.weights = TorchGrid.turn(level.weights)
        b = cut(rhs).flatten(0, 1)
        none = torch.zeros_like(b)
        inner, outer = (none if v is None else cut(v).flatten(0, 1) for v in (start, boundary))
        x = torch.where(self.asked, inner, outer)

        def left(b: Tensor, x: Tensor) -> Tensor:
            r = level.defect(x, b)
            return torch.where(s.unknown, r, torch.zeros_like(r))

        b = left(b, x)
        norm = b.double().square().sum((1, 2)).cpu()
        self.centre(b)
        if plan.method == "transform":
            e, done = self._transform(b), Progress(1, converged=True)
        elif plan.method == "conjugate_gradient":
            e, done = conjugate_gradient(lambda p: -left(none, p), level.inverse, b, plan.tolerance, plan.limit)
        else:
            e, done = gradient_descent(
                lambda p: -left(none, p), s.diagonal, b, plan.tolerance, plan.limit, plan.momentum
            )
        remains = left(b, e).double().square().sum((1, 2)).cpu()
        self.centre(e)
        target = cut(out)
        target.copy_((x + e).view(target.shape))
        return done, _relative(remains, norm)

    def _transform(self, b: Tensor) -> Tensor:
        """Solve in the rectangle of the unknowns: the frame without its known sides."""
        s = self.stencil
        h, w = s.unknown.shape
        top, bottom, left, right = (
            bool(side.any()) for side in (s.unknown[0], s.unknown[-1], s.unknown[:, 0], s.unknown[:, -1])
        )
        rows, columns = slice(1 - top, h - 1 + bottom), slice(1 - left, w - 1 + right)
        if s.weights is not None or self.screen is None or not bool(s.unknown[rows, columns].all()):
            raise SolverError(
                "solve: transform needs one full rectangle of unknowns, weights of 1 and a constant screen; "
                "use multigrid for anything else"
            )
        e = torch.zeros_like(b)
        e[:, rows, columns] = rectangle(b[:, rows, columns].contiguous(), (top, bottom, left, right), self.screen)
        return e


def _relative(left: Tensor, whole: Tensor) -> np.ndarray:
    """Return the square root of left / whole, 0 where there was nothing to solve."""
    ratio = np.sqrt(left.numpy() / np.maximum(whole.numpy(), 1e-300))
    return np.where(whole.numpy() == 0, 0.0, ratio)
