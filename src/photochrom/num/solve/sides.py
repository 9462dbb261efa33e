"""Membranes over plain rectangles, from what their sides hold: exact but for waves that have died out.

A harmonic function that is held at one side of a rectangle, and at 0 at the others, is a sum of waves along that side,
each of which decays with the distance from it on its own; four sides give the sum of four such functions (separation
of variables). The waves are the eigenvectors of the grid's own second difference, and decay as its equations have it,
so nothing is iterated. At the distance d only the first 3.7 N / d waves of N are left at all: the sums are products of
small matrices, for all channels at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import written
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.solve.frames import box_of

_LEFT = 1e-5   # of a wave, below which it is left out
_LINES = 128   # that are summed together at the most: more would not stay in a core's cache
_TURNED = 32   # pixels of a column that are turned into rows together
_LONG = 4   # times the other side: a longer one has more waves than the rectangle has pixels beside it
_LEAST = 96   # pixels of a side; of smaller ones the grid is as quick


@dataclass(frozen=True)
class Rectangle:
    """A region that is a plain rectangle, held at one side at least.

    Attributes:
        top: first row.
        left: first column.
        height: rows.
        width: columns.
        free: whether top, bottom, left and right lie at the edge of the picture.
    """

    top: int
    left: int
    height: int
    width: int
    free: tuple[bool, bool, bool, bool]

    @classmethod
    def of(cls, unknown: Tensor) -> Rectangle | None:
        """Return the rectangle that a mask (H, W) is, or None where it is none, a narrow one, or held nowhere."""
        box = box_of(unknown)
        if box is None:
            return None
        (top, bottom), (left, right) = box
        h, w = bottom + 1 - top, right + 1 - left
        free = top == 0, bottom == unknown.shape[0] - 1, left == 0, right == unknown.shape[1] - 1
        if min(h, w) < _LEAST or max(h, w) > _LONG * min(h, w) or all(free):
            return None
        whole = bool(unknown.numpy()[top : bottom + 1, left : right + 1].all())
        return cls(top, left, h, w, free) if whole else None

    def solve(self, inner: Tensor, outer: Tensor, out: Tensor, tolerance: float) -> bool:
        """Write inner + e in the rectangle and outer elsewhere; e as of `membrane`.

        Args:
            inner: (C, H, W), float32, contiguous.
            outer: likewise.
            out: likewise.
            tolerance: not asked: rounding is what is left.

        Returns:
            whether both pictures are finite in the rectangle and at its sides.
        """
        bottom, right = self.top + self.height, self.left + self.width
        tall, wide = slice(self.top, bottom), slice(self.left, right)
        upright, level = _Axis(self.height, *self.free[:2]), _Axis(self.width, *self.free[2:])

        def rise(free: bool, y: int | slice, x: int | slice) -> Tensor:
            """Return how much outer lies above inner at a side, (C, N); nothing where it is free."""
            if free:
                return inner.new_zeros(len(inner), self.width if isinstance(x, slice) else self.height)
            return outer[:, y, x] - inner[:, y, x]

        across = [rise(self.free[0], self.top - 1, wide), rise(self.free[1], bottom, wide)]
        down = [rise(self.free[2], tall, self.left - 1), rise(self.free[3], tall, right)]
        made: dict[int, _Sum] = {}

        def prepare(n: int, _: int) -> None:
            made[n] = _Sum(down, upright, level) if n else _Sum(across, level, upright)

        parallel_rows(prepare, 0, 2, 1, torch_inside=True)
        kernels, inside, outside, target = load("solve_sides"), inner.numpy(), outer.numpy(), written(out)
        rows, columns, totals = upright.bands(), level.bands(), [float(side.sum()) for side in (*across, *down)]

        def add_columns(n: int, _: int) -> None:
            tile = np.empty((_TURNED, _LINES + 16), np.float32)   # rows a power of two apart share the cache's lines
            kernels.upright(inside, *made[1].lines(columns[n]), self.height, self.top,
                            self.left + columns[n].first, tile, target)  # fmt: skip

        def add_rows(n: int, _: int) -> None:
            totals.append(kernels.lay(outside, *made[0].lines(rows[n]), self.width, self.top + rows[n].first,
                                      self.left, target))  # fmt: skip

        parallel_rows(add_columns, 0, len(columns), 1, torch_inside=True)
        parallel_rows(add_rows, 0, len(rows), 1, torch_inside=True)
        out[:, : self.top], out[:, bottom:] = outer[:, : self.top], outer[:, bottom:]
        return math.isfinite(sum(totals))


@dataclass(frozen=True)
class _Band:
    """Lines that are summed together.

    Attributes:
        first: line.
        last: one past the last line.
        rate: of decay; waves of a larger one have died out.
    """

    first: int
    last: int
    rate: float


@dataclass(frozen=True)
class _Waves:
    """Waves along an axis that are alike in both halves of it, or those that have the other sign in the second.

    Attributes:
        values: (N, half), float32, the orthonormal eigenvectors of the second difference as rows.
        rates: (N,), float64: across the axis a wave decays by exp(-rate) from pixel to pixel.
    """

    values: Tensor
    rates: np.ndarray


@dataclass(frozen=True)
class _Axis:
    """One direction of a rectangle.

    Attributes:
        length: pixels.
        first: whether the end before the first is free.
        last: likewise behind the last.
    """

    length: int
    first: bool
    last: bool

    @property
    def mirrored(self) -> bool:
        """Whether both ends are alike: then every other wave is even and the others odd, and half of each is enough."""
        return self.first == self.last

    def waves(self) -> list[_Waves]:
        """Return the even and the odd waves; where the axis is not mirrored, all, and none."""
        n, free = self.length, self.first + self.last
        # the angle of wave k at pixel x is a multiple of one small angle: a table holds all there are
        size, each, first, step, norm = ((2 * n + 2, 1, 1, 1, n + 1), (4 * n + 2, 2, 1, 1, n + 0.5),
                                         (4 * n, 1, 0, 2, n))[free]
        turn = 2 * np.pi / size
        table = (np.cos if free == 2 else np.sin)(turn * np.arange(size)) * math.sqrt(2 / norm)
        # 2 cosh(rate) = 4 - 2 cos(angle from pixel to pixel), which is the equation of a pixel
        rates = 2 * np.arcsinh(np.sin(turn * step * (each * np.arange(n) + first) / 2))
        made = []
        for k, stride in ((0, 2), (1, 2)) if self.mirrored else ((0, 1), (n, 1)):
            held = np.ascontiguousarray(rates[k::stride])
            values = np.empty((len(held), (n + 1) // 2 if self.mirrored else n), np.float32)
            load("solve_sides").waves(table.astype(np.float32), each * stride, first + each * k, step, values)
            if free == 2 and k == 0:
                values[0] *= math.sqrt(0.5)   # a constant
            made.append(_Waves(torch.from_numpy(values[:, ::-1].copy() if self.first and free == 1 else values), held))
        return made

    def folded(self, lines: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sums and the differences of both halves of lines (n, N), from their ends inwards."""
        if not self.mirrored:
            return lines, lines
        half, turned = (self.length + 1) // 2, lines.flip(1)
        even, odd = (lines + turned)[:, :half], (lines - turned)[:, :half]
        if self.length % 2:
            even[:, -1] /= 2   # the middle is not there twice
        return even, odd

    def bands(self) -> list[_Band]:
        """Return bands that its pixels fall into, by how far they lie from an end that is not free."""
        n, made, d = self.length, list[_Band](), 1
        deepest = n if self.first or self.last else (n + 1) // 2
        while d <= deepest:
            end = min(deepest, 2 * d, d + _LINES - 1)   # all lines of a band take the waves that its nearest needs
            made.append(_Band(d - 1, end, -math.log(_LEFT) / d))
            d = end + 1
        turned = [_Band(n - band.last, n - band.first, band.rate) for band in reversed(made)]
        if self.first or self.last:
            return turned if self.first else made
        return made + [_Band(max(band.first, deepest), band.last, band.rate) for band in turned if band.last > deepest]


class _Sum:
    """What waves along two opposite sides make of a rectangle."""

    def __init__(self, sides: list[Tensor], along: _Axis, axis: _Axis) -> None:
        """Take the sides apart.

        Args:
            sides: what both hold, (C, N) each; 0 where they are free.
            along: their axis.
            axis: across.
        """
        self._waves, self._axis, self._count = along.waves(), axis, len(sides[0])
        halves = along.folded(torch.cat(sides))
        self._held = [(half @ part.values.T).view(2, self._count, -1).numpy()
                      for half, part in zip(halves, self._waves, strict=True)]  # fmt: skip

    def lines(self, band: _Band) -> list[np.ndarray]:
        """Return the sums of the even and of the odd waves in a band of the axis across, (C, lines, half)."""
        made, axis = [], self._axis
        for waves, (before, behind) in zip(self._waves, self._held, strict=True):
            count = int(np.searchsorted(waves.rates, band.rate))
            left = np.empty((self._count, band.last - band.first, count), np.float32)
            load("solve_sides").decay(before, behind, waves.rates, axis.length, axis.first, axis.last, band.first, left)
            flat = torch.from_numpy(left).flatten(0, 1)
            made.append((flat @ waves.values[:count]).view(*left.shape[:2], -1).numpy())
        return made
