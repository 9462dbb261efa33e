"""Systems of equations on a pixel grid: which pixels are unknown, and how each hangs together with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photochrom.core.errors import PhotochromError


class SolverError(PhotochromError):
    """A system on the grid cannot be set up or solved as asked."""


@dataclass(frozen=True)
class GridSystem:
    """Equations on a pixel grid, one for each unknown pixel p, with neighbours q inside the frame.

        (s_p + sum_q w_pq) f_p - sum_{q unknown} w_pq f_q = rhs_p + sum_{q known} w_pq boundary_q

    Where the unknowns touch the frame there is no neighbour and no term: the boundary is free (Neumann). A region
    that no known neighbour and no screen holds fixes its values up to a constant; see `solve` for the rule.

    Attributes:
        unknown: (H, W) or (B, 1, H, W), bool: where there is an equation.
        weights: None: 4 neighbours of weight 1. (2, H, W): 4 neighbours, the weights to the right and down, shared by
            the two pixels (WLS). (4, H, W): 8 neighbours, the weights to the right, down, down right and down left,
            shared. (8, H, W): each pixel's own weights on its neighbours in the order of `NEIGHBOURS` (right, left,
            down, up, down right, up left, down left, up right), not symmetric (Levin). Weights that lead out of the
            frame are ignored. None may be negative.
        screen: s_p, None for 0, a number, or (H, W); at least 0. To pull f_p towards v, add s_p v to the right-hand
            side.
    """

    unknown: Tensor
    weights: Tensor | None = None
    screen: Tensor | float | None = None

    def __post_init__(self) -> None:
        if self.unknown.dtype != torch.bool or not (
            self.unknown.ndim == 2 or (self.unknown.ndim == 4 and self.unknown.shape[1] == 1)
        ):
            raise SolverError(
                f"solve: unknown must be a bool mask (H, W) or (B, 1, H, W); "
                f"got {self.unknown.dtype} {tuple(self.unknown.shape)}"
            )
        size = tuple(self.unknown.shape[-2:])
        if min(size) < 1:
            raise SolverError(f"solve: unknown must have pixels; got {size[0]} x {size[1]}")
        w = self.weights
        if w is not None:
            if w.ndim != 3 or w.shape[0] not in (2, 4, 8) or tuple(w.shape[1:]) != size or not w.is_floating_point():
                raise SolverError(
                    f"solve: weights must be floating, (2, 4 or 8, {size[0]}, {size[1]}); "
                    f"got {w.dtype} {tuple(w.shape)}"
                )
            _check_sign("weights", w)
        s = self.screen
        if isinstance(s, Tensor):
            if s.shape not in ((), size):
                raise SolverError(f"solve: screen must be a number or {size}; got {tuple(s.shape)}")
            _check_sign("screen", s)
        elif s is not None and not 0 <= s < float("inf"):
            raise SolverError(f"solve: screen must be a finite number of at least 0; got {s}")

    @property
    def symmetric(self) -> bool:
        """Return whether the two pixels of a pair share their weight."""
        return self.weights is None or self.weights.shape[0] != 8

    @property
    def size(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.unknown.shape[-2], self.unknown.shape[-1]


def _check_sign(name: str, values: Tensor) -> None:
    low, high = torch.aminmax(values.detach()) if values.numel() else (torch.zeros(()), torch.zeros(()))
    if not (bool(low >= 0) and bool(high < float("inf"))):  # NaN fails as well
        raise SolverError(f"solve: {name} must be finite and at least 0; got values from {low:g} to {high:g}")
