"""Membranes over large regions: fine near the edge, coarser and coarser inside.

A harmonic function changes less the further it lies from the edge of its region: what has a wavelength of 2 pi / k at
the edge is exp(-k d) of itself at the distance d. So a grid holds unknowns of its own only near the edge, and is
interpolated from the next coarser one further inside, d >= 16 of its pixels. That is a space of functions inside that
of all grids; the Galerkin operators of the hierarchy are those of this space too, and the cycles of `multigrid` find
its best function (local refinement as in McCormick's fast adaptive composite grids, 1989). Interpolation leaves most of
waves pi d long: shorter ones have decayed, longer ones are smooth.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from photochrom.core.memory import empty, written
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows, threads
from photochrom.num.solve.definition import shifted
from photochrom.num.solve.frames import Frame, frame_of
from photochrom.num.solve.level import MARGIN
from photochrom.num.solve.multigrid import WEIGHTS
from photochrom.num.solve.native import NativeGrid
from photochrom.num.solve.patches import SIDE, beyond, choose, interpolated, places_of, solid_blocks, tables_of
from photochrom.num.solve.sides import Rectangle
from photochrom.num.solve.solver import solve
from photochrom.num.solve.stencil import NEIGHBOURS, Stencil
from photochrom.num.solve.system import GridSystem

_CYCLES = 12
_PARTS = 4   # of a plane, that are written by threads on their own
_WORTH = 0.5   # the share of patches that must be interpolated; else rows of whole grids are faster
_FINEST = 1e-4   # the least tolerance that interpolation meets


def membrane(unknown: Tensor, inner: Tensor, outer: Tensor, tolerance: float) -> Tensor | None:
    """Return inner + e in a region and outer elsewhere, e being outer - inner around the region and harmonic in it.

    Differentiable once with respect to both pictures.

    Args:
        unknown: (H, W) or (B, 1, H, W), bool: the region.
        inner: (B, C, H, W).
        outer: likewise; outside the region it is returned bit for bit.
        tolerance: as of `solve`.

    Returns:
        (B, C, H, W); None where `solve` is the better way: not float32 on the processor, a region that has no large
        inside, or one that nothing holds; and where a picture is not finite around the region.

    Example:
        >>> region = torch.zeros(200, 200, dtype=torch.bool)
        >>> region[1:-1, 1:-1] = True
        >>> made = membrane(region, torch.zeros(1, 1, 200, 200), torch.ones(1, 1, 200, 200), 2e-4)
        >>> round(made[0, 0, 99, 99].item(), 3)
        1.0
    """
    if outer.dtype != torch.float32 or outer.device.type != "cpu" or tolerance < _FINEST:
        return None
    masks = [unknown] if unknown.ndim == 2 else list(unknown[:, 0])
    found = [Rectangle.of(mask) or _Region.of(mask) for mask in masks]
    if any(one is None for one in found):
        return None
    made: Tensor | None = _Membrane.apply(inner, outer, unknown, found, tolerance)
    return made


class _Membrane(torch.autograd.Function):
    """The membrane, whose gradient is a solution of the same equations."""

    @staticmethod
    def forward(ctx: Any, inner: Tensor, outer: Tensor, unknown: Tensor, found: list[Rectangle | _Region],
                tolerance: float) -> Tensor | None:  # fmt: skip
        ctx.unknown = unknown
        out = empty(outer.shape)
        inner, outer = inner.detach().contiguous(), outer.detach().contiguous()
        for k in range(len(out)):
            region = found[k if len(found) > 1 else 0]
            if not region.solve(inner[k], outer[k], out[k], tolerance):
                return None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        unknown = ctx.unknown
        dual = solve(GridSystem(unknown), grad.contiguous()).values
        total = sum((shifted(dual, step) for step in NEIGHBOURS[:4]), torch.zeros_like(grad))
        return torch.where(unknown, grad, -total), torch.where(unknown, 0, grad + total), None, None, None


class _Region:
    """A region whose inside is interpolated, over a hierarchy of weights 1 in float32."""

    def __init__(self, unknown: Tensor, frame: Frame, solid: np.ndarray) -> None:
        """Set up the hierarchy.

        Args:
            unknown: (H, W), bool, on the processor; some, not all, pixels of the frame.
            frame: around it.
            solid: see `solid_blocks`.
        """
        marks = frame.cut(unknown).contiguous()
        stencil = Stencil(marks, torch.zeros(0), None, None, symmetric=True, nine=False)
        self._kernels, self._frame, self._unknown = load("solve_membrane"), frame, marks
        self._grid = NativeGrid(stencil, None, np.ones(1, bool), hollow=True)
        self._patches = choose(self._grid.levels, solid)

    @classmethod
    def of(cls, unknown: Tensor) -> _Region | None:
        """Return a region, or None where its inside is too small to be worth it, or nothing holds it."""
        frame = frame_of(unknown)
        if frame is None or min(frame.bottom - frame.top, frame.right - frame.left) < 6 * SIDE:
            return None
        marks = frame.cut(unknown).contiguous()
        solid = solid_blocks(marks.numpy())
        inside, count = int(interpolated(solid).sum()) * SIDE**2, int(np.count_nonzero(marks.numpy()))
        if inside < _WORTH * count or count == marks.numel():
            return None
        return cls(unknown, frame, solid)

    def _tables(self) -> tuple[list[int], tuple[np.ndarray, ...]]:
        """Return the values of a plane by grid, and the kernels' `levels`, `tiles`, `parts` and what they point to."""
        k, c, grids = self._kernels, load("solve_patches"), self._grid.levels
        places, sizes = places_of(self._patches)
        tiles, parts = tables_of(self._patches, places)
        levels = np.zeros((len(grids), c.COLUMNS), np.int64)
        kept: list[np.ndarray] = []
        jobs: list[tuple[Any, ...]] = []
        around: list[tuple[np.ndarray, np.ndarray]] = []

        def lay(number: int, sources: list[tuple[np.ndarray, int]], which: int) -> np.ndarray:
            """Return the addresses of planes that are to hold the patches of a list."""
            level = grids[number]
            kept.append(np.empty((len(sources), sizes[number]), np.float32))
            start, to = 4 * (level.pitch + MARGIN), _addresses(kept[-1])
            at = np.array([_address(plane) + start + 4 * int(offset) for plane, offset in sources])
            a, b = parts[number, which, [0, -1]]
            jobs.extend((at[n : n + 1], 4 * level.pitch, tiles, a, b, level.height, to[n : n + 1])
                        for n in range(len(sources)))
            return to

        for number, (row, level) in enumerate(zip(levels, grids, strict=True)):
            last = number == len(grids) - 1
            row[: c.INVERSE] = level.height, level.width
            weights = [(level.stencil, offset) for offset in level.offsets] if number else []
            planes = lay(number, [(level.inverse, 0), (level.diagonal, 0), *weights], c.MIXED if last else c.LEFT)
            row[c.INVERSE : c.INVERSE + len(planes)] = planes
            if not last:
                assert level.transfer is not None
                ways = [(level.transfer, n * grids[number + 1].size) for n in range(8)]
                row[c.WAYS :] = lay(number + 1, ways, c.ENDING)
                around.append((kept[-1], beyond(self._patches[number + 1], places[number + 1])))

        def work(first: int, last: int) -> None:
            for job in jobs[first:last]:
                k.lay(*job)

        parallel_rows(work, 0, len(jobs), 6)
        for planes, outside in around:
            planes.reshape(8, -1, SIDE**2)[:, outside] = 0
        return sizes, (levels, tiles, parts, *kept)

    def solve(self, inner: Tensor, outer: Tensor, out: Tensor, tolerance: float) -> bool:
        """Write inner + e at the unknown pixels of out and outer elsewhere.

        Args:
            inner: (C, H, W), float32, contiguous.
            outer: likewise.
            out: likewise.
            tolerance: as of `solve`.

        Returns:
            whether it converged and both pictures are finite in the frame.
        """
        k, grids = self._kernels, self._grid.levels
        sizes, (levels, tiles, parts, *_kept) = self._tables()   # whose addresses `levels` has
        omegas, uniform = np.stack([level.omegas[0] for level in grids]), np.stack([level.uniform for level in grids])
        marks, runs, frame = self._unknown.view(-1).numpy(), grids[0].runs, self._frame
        rows = parts.shape[2] - 1
        planes = [inner.flatten(1).numpy(), outer.flatten(1).numpy(), written(out.flatten(1))]
        height, full = inner.shape[1:]
        at = frame.top * full + frame.left

        def find(n: int) -> list[Callable[[], None]] | None:
            """Return what writes a plane, None if it did not converge."""
            vectors = [np.zeros((4, size), np.float32) for size in sizes]
            work, far = np.stack([_addresses(group) for group in vectors]), np.zeros(SIDE, np.float32)
            k.start(levels, work, tiles, parts)
            scale = float(k.edge(marks, planes[0][n], planes[1][n], at, full, vectors[0][3], tiles, parts, levels))
            bound, before = tolerance * max(scale, 1e-30), 0.0
            for count in range(_CYCLES if np.isfinite(scale) else 0):
                weight, least = WEIGHTS[count % len(WEIGHTS)]
                k.cycle(levels, work, tiles, parts, uniform, omegas, self._grid.coarsest_inverse, vectors[-1][3],
                        vectors[-1][2], _address(far), np.float32(weight))  # fmt: skip
                change = float(far.max())
                rate = min(max(change / max(before, 1e-30), least), 0.95) if count else 0.3
                before = change
                if change * rate / (1 - rate) <= bound:
                    k.fill(levels, work, tiles, parts)
                    return [functools.partial(write, n, part, work, vectors) for part in range(_PARTS)]
            return None

        def write(n: int, part: int, work: np.ndarray, vectors: list[np.ndarray]) -> None:
            """Write a part of a plane from its vectors, whose addresses are `work`."""
            inside, outside, target = (p[n] for p in planes)
            a, b = (rows * edge // _PARTS for edge in (part, part + 1))
            first, last = 0 if part == 0 else frame.top + SIDE * a, height if b == rows else frame.top + SIDE * b
            k.surround(outside, target, runs, frame.top, frame.left, full, first, last)
            corners = np.array([_address(inside) + 4 * at, _address(target) + 4 * at, at])
            k.leave(levels, work, tiles, parts, vectors[0][0], marks, inside, target, corners, full, a, b)

        finite: list[bool] = []

        def check(picture: Tensor) -> None:
            """Tell whether a picture is finite in the frame; of very large values the sum may not be."""
            finite.append(bool(np.isfinite(frame.cut(picture).numpy().sum())))

        return _relay(find, len(planes[0]), [functools.partial(check, t) for t in (inner, outer)]) and all(finite)


def _relay(find: Callable[[int], list[Callable[[], None]] | None], count: int, jobs: list[Callable[[], None]]) -> bool:
    """Let threads find planes, and do the jobs that finding leads to where no plane is left to be found.

    Three planes on two threads: the one that finds no third writes what both have found meanwhile.

    Args:
        find: a plane; returns jobs, or None if it failed.
        count: of planes.
        jobs: that may be done at any time.

    Returns:
        whether all were found, and so written.
    """
    planes, found = list(range(count)), list[int]()   # to be found; found
    turn, finding = threading.Condition(), [0]
    alone = threads() == 1

    def work(first: int, last: int) -> None:
        while True:
            with turn:
                turn.wait_for(lambda: planes or jobs or not finding[0])
                if not planes and not jobs:
                    return
                job = jobs.pop() if jobs and (alone or not planes) else None   # the last: what this thread has near
                n = planes.pop(0) if job is None else -1
                finding[0] += job is None
            made = None
            try:
                made = find(n) if job is None else job()
            finally:
                with turn:
                    finding[0] -= job is None
                    if made is not None:
                        found.append(n)
                        jobs.extend(made)
                    turn.notify_all()

    parallel_rows(work, 0, threads(), 1)
    return len(found) == count


def _address(values: np.ndarray) -> int:
    """Return where an array begins in memory."""
    return int(values.__array_interface__["data"][0])


def _addresses(planes: np.ndarray) -> np.ndarray:
    """Return the addresses of planes (n, size)."""
    return _address(planes) + planes.strides[0] * np.arange(len(planes))
