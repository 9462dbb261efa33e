"""Sums and products of the vectors of a hierarchy on the processor, and the threads that make them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.solve.level import Level

_SMALLEST = 5e-324   # times 1 it is 0 where small numbers are flushed already
_ALONE = 150_000  # values below which waking a thread costs more than it saves


def _flushed(work: Callable[[int, int], Any], first: int, last: int) -> None:
    """Work with numbers below 1e-38 taken for 0: they decay out of every region, and cost a hundred times as much."""
    kept = _SMALLEST * 1.0 != 0
    if kept:
        torch.set_flush_denormal(True)
    try:
        work(first, last)
    finally:
        if kept:
            torch.set_flush_denormal(False)


class Vectors:
    """Vectors of the finest of `levels`: tensors (N, size of a padded plane)."""

    levels: list[Level]

    @staticmethod
    def run(work: Callable[[int, int], Any], count: int, grain: int, values: int) -> None:
        """Work on the ranges of a count; by several threads where that many values are worth it."""
        if values < _ALONE:
            _flushed(work, 0, count)
        else:
            parallel_rows(functools.partial(_flushed, work), 0, count, grain)

    def _pieces(self, kernel: str, *args: Any, planes: int) -> None:
        """Let a kernel of `solve_vectors` work on the pieces of vectors."""
        kernels, size = load("solve_vectors"), self.levels[0].size
        work = getattr(kernels, kernel)
        self.run(lambda a, b: work(*args, planes, size, a, b), -(-size // kernels.CHUNK), 4, planes * size)

    def _sums(self, *shape: int, exact: bool = True) -> np.ndarray:
        """Return room for the sums (or else the largest) of each piece, of that shape."""
        pieces = -(-self.levels[0].size // load("solve_vectors").CHUNK)
        return np.zeros((pieces, *shape), np.float64 if exact else self.levels[0].diagonal.dtype)

    def _factors(self, planes: int, *factors: np.ndarray | float) -> list[np.ndarray]:
        """Return a factor for each plane, in the precision of the vectors."""
        dtype = self.levels[0].diagonal.dtype
        return [np.full(planes, f, dtype) if np.isscalar(f) else np.asarray(f, dtype) for f in factors]

    def update(self, y: Tensor, x: Tensor, alpha: np.ndarray | float, beta: np.ndarray | float) -> None:
        """Write y = alpha x + beta y, with a factor for each plane; where all beta are 0, y is not read."""
        self._pieces("update", y.view(-1).numpy(), x.view(-1).numpy(), *self._factors(len(y), alpha, beta),
                     planes=len(y))

    def shares(self, images: Tensor, r: Tensor, now: int, used: int) -> np.ndarray:
        """Return by slot and plane the product of image `now` with that in the slot, 0 if unused; the last is with r.

        Args:
            images: (slots, N, size).
            r: vector.
            now: a slot.
            used: how many slots hold an image.
        """
        slots, planes = images.shape[:2]
        sums = self._sums(slots + 1, planes)
        flat = (images.view(-1).numpy(), r.view(-1).numpy())
        self._pieces("shares", *flat, sums.reshape(-1), slots, now, used, planes=planes)
        return sums.sum(0)

    def descend(self, x: Tensor, r: Tensor, ways: Tensor, images: Tensor, now: int, used: int, beta: np.ndarray,
                alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Take from direction `now` and its image beta of the others; add alpha of it to x, and take that from r.

        Args:
            x: vector.
            r: vector.
            ways: (slots, N, size).
            images: likewise, A times the ways.
            now: slot of the direction.
            used: how many slots hold one.
            beta: (slots, N).
            alpha: (N).

        Returns:
            by plane, the squares of the lengths of r and of the image, and the largest change of x.
        """
        planes = len(x)
        sums, largest = self._sums(2, planes), self._sums(planes, exact=False)
        flat = [vector.view(-1).numpy() for vector in (x, r, ways, images)]
        factors = [f.reshape(-1) for f in self._factors(planes, beta, alpha)]
        self._pieces("descend", *flat, now, used, *factors, sums.reshape(-1), largest.reshape(-1), planes=planes)
        return *sums.sum(0), largest.max(0)

    def dot(self, x: Tensor, y: Tensor) -> np.ndarray:
        """Return the inner product of each plane, in float64."""
        sums = self._sums(len(x))
        self._pieces("dots", x.view(-1).numpy(), y.view(-1).numpy(), sums.reshape(-1), planes=len(x))
        return sums.sum(0)

    def largest(self, x: Tensor) -> np.ndarray:
        """Return the largest absolute value of each plane."""
        high = self._sums(len(x), exact=False)
        self._pieces("peaks", x.view(-1).numpy(), high.reshape(-1), planes=len(x))
        return high.max(0)
