"""How far steps that mean to leave the mean colour as it is have moved it, found on the way through the tiles."""

from __future__ import annotations

import torch
from torch import Tensor


class Drift:
    """The sums of a picture before and after a step; tiles come from top to bottom and may overlap.

    Args:
        name: of the step's operation.
        factor: how many rows come out of the step for one that goes in.

    Example:
        >>> seen = Drift("denoise")
        >>> seen.add(torch.zeros(1, 1, 3, 2), torch.full((1, 1, 3, 2), 0.2), 0)
        >>> seen.add(torch.zeros(1, 1, 3, 2), torch.full((1, 1, 3, 2), 0.2), 2)   # one row again, two new ones
        >>> [round(value, 3) for value in seen.levels]
        [51.0]
    """

    def __init__(self, name: str, factor: int = 1) -> None:
        self.name, self.factor, self.rows = name, factor, 0
        self._sums: tuple[Tensor, Tensor] | None = None
        self._values = 0

    def add(self, before: Tensor, after: Tensor, start: int) -> None:
        """Count the rows that were not seen yet.

        Args:
            before: (B, C, h, W), rows from `start` on of what went in.
            after: (B, C, factor h, factor W), what came of them.
            start: the row of the whole picture, as it went in, at which both begin.
        """
        new = max(0, self.rows - start)
        before, after = before[..., new:, :], after[..., new * self.factor:, :]
        found = before.sum((0, 2, 3), dtype=torch.float64), after.sum((0, 2, 3), dtype=torch.float64)
        self._sums = found if self._sums is None else (self._sums[0] + found[0], self._sums[1] + found[1])
        self._values += before.shape[0] * before.shape[2] * before.shape[3]
        self.rows = max(self.rows, start + new + before.shape[2])

    @property
    def levels(self) -> tuple[float, ...]:
        """Return by how many of 255 levels the mean of each channel has moved."""
        if self._sums is None or not self._values:
            return ()
        before, after = self._sums
        return tuple((255 * (after / self.factor ** 2 - before) / self._values).tolist())
