"""A grid of the hierarchy on the processor."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from photochrom.num.solve.stencil import NEIGHBOURS

MARGIN = 16
RUNS = 6
"""Of a row, first and one past the last: the columns where the operator is `uniform`, those of unknowns, and those
about which nothing is written."""


@dataclass
class Level:
    """One grid: its operator, and the ways from and to the next coarser one."""

    height: int
    width: int
    kind: int
    stencil: np.ndarray
    offsets: np.ndarray
    diagonal: np.ndarray
    inverse: np.ndarray
    omegas: tuple[np.ndarray, np.ndarray]  # of the steps before the coarser grid, and after it
    runs: np.ndarray  # by row: see `RUNS`
    uniform: np.ndarray
    alike: np.ndarray  # by row: whether its equations are those of the row above
    transfer: np.ndarray | None = None  # P
    restriction: np.ndarray | None = None  # R^T; P itself where the operator is symmetric

    @property
    def pitch(self) -> int:
        """Return the distance between rows: wider than a row, so that every row ends in a zero."""
        return (self.width + 1 + 15) // 16 * 16

    @property
    def size(self) -> int:
        """Return the length of a padded plane."""
        return (self.height + 2) * self.pitch + 2 * MARGIN

    @property
    def turned(self) -> np.ndarray:
        """Return the offsets of the transposed operator: the weight on a neighbour is the neighbour's on the pixel."""
        if not self.kind:
            return self.offsets
        return np.array([self.offsets[k ^ 1] + dy * self.pitch + dx for k, (dy, dx) in enumerate(NEIGHBOURS)], np.int64)

    @property
    def block(self) -> int:
        """Return the rows of a unit of work: its halo must be little beside it, its scratch must stay near."""
        return 32

    @property
    def blocks(self) -> int:
        """Return the number of units."""
        return -(-self.height // self.block)

    @property
    def grain(self) -> int:
        """Return the units a thread takes at once: each time it asks for scratch memory anew."""
        return max(1, self.blocks // 8)

    def view(self, flat: Tensor) -> Tensor:
        """Return the (N, height, width) pixels of padded planes (N, size)."""
        rows = flat[:, MARGIN : MARGIN + (self.height + 2) * self.pitch]
        return rows.unflatten(1, (self.height + 2, self.pitch))[:, 1:-1, : self.width]

    def clear(self, planes: np.ndarray) -> None:
        """Zero the padding of planes (N, size), not the pixels."""
        rows = planes[:, MARGIN : MARGIN + (self.height + 2) * self.pitch].reshape(len(planes), -1, self.pitch)
        planes[:, :MARGIN] = 0
        planes[:, -MARGIN:] = 0
        rows[:, 0] = 0
        rows[:, -1] = 0
        rows[:, :, self.width :] = 0


def offsets_of(size: int, pitch: int, planes: int) -> np.ndarray:
    """Return where each of the eight weights of a pixel lies; with half the planes, the others are the neighbour's."""
    if planes in (4, 2):
        forward = [0, size, 2 * size, 3 * size]
        steps = [1, pitch, pitch + 1, pitch - 1]
        pairs = [(f, f - s) for f, s in zip(forward, steps, strict=True)]
        return np.array([at for pair in pairs for at in pair], np.int64)
    return np.arange(8, dtype=np.int64) * size


@functools.cache
def uniform_of(level: int) -> np.ndarray:
    """Return weight, diagonal weight, diagonal and its inverse far from all edges, on the grid of a level, float64.

    An operator of weights 1 is K x M + M x K, with K = (-1, 2, -1) and M = 1, and so are its coarse ones: each is
    the fine one between two bilinear steps.
    """
    stiff, mass, step = np.array([-1.0, 2, -1]), np.array([0.0, 1, 0]), [0.5, 1, 0.5]
    for _ in range(level):
        stiff, mass = (np.convolve(step, np.convolve(one, step))[1::2] for one in (stiff, mass))
    middle = 2 * stiff[1] * mass[1]
    return np.array([-stiff[0] * mass[1] - stiff[1] * mass[0], -2 * stiff[0] * mass[0], middle, 1 / middle])
