"""Which patches of 16 x 16 pixels of each grid a membrane is computed in, and where they lie in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from photochrom.num.kernels import load
from photochrom.num.solve.level import Level

SIDE = 16   # of a patch
_BYTES = 4 * SIDE**2
_RINGS = 2   # solid blocks of 8 pixels around a patch that is interpolated


@dataclass
class Patches:
    """The patches of a grid (True in a plane of them) that a step of the cycle is for."""

    pure: np.ndarray   # the operator is uniform
    skip: np.ndarray   # interpolated
    band: np.ndarray   # has unknowns of its own
    valid: np.ndarray   # has values during a cycle
    left: np.ndarray   # its residual is restricted
    near: np.ndarray   # its right-hand side comes from the residual of the finer grid
    deep: np.ndarray   # its right-hand side is its own residual
    edge: np.ndarray   # may have neighbours that are known
    ways: np.ndarray   # the ways from the finer grid end there

    def lists(self) -> np.ndarray:
        """Return the kernels' lists, a bit for each, in their order."""
        ghost, rough = self.valid & self.skip, ~self.pure
        chosen = (self.band & rough, self.band & self.pure, ghost, self.left & rough, self.left & self.pure, self.near,
                  self.deep, self.skip & ~ghost, self.edge, self.ways)  # fmt: skip
        bits = np.zeros(self.band.shape, np.int64)
        for n, marks in enumerate(chosen):
            bits |= marks.astype(np.int64) << n
        return bits


def solid_blocks(unknown: np.ndarray) -> np.ndarray:
    """Return which blocks of 8 x 8 pixels of a frame (h, w) are unknown, with four neighbours each."""
    solid = np.zeros((-(-unknown.shape[0] // 8), -(-unknown.shape[1] // 8)), bool)
    load("solve_membrane").solid(unknown, solid)
    return solid


def interpolated(solid: np.ndarray) -> np.ndarray:
    """Return the patches that lie far inside."""
    edge = ~solid
    for _ in range(_RINGS):
        edge = _wide(edge)
    return _whole(~edge)


def choose(levels: list[Level], solid: np.ndarray) -> list[Patches]:
    """Return the patches of each grid.

    Args:
        levels: the grids.
        solid: the blocks of the finest one that are.
    """
    kernels = load("solve_membrane")
    made: list[Patches] = []
    following = need = ways = np.zeros((0, 0), bool)
    live = _live(kernels, levels[0])
    for k in range(len(levels)):
        last, alive = k == len(levels) - 1, live
        skip = np.zeros_like(alive) if last else interpolated(solid) & alive
        band, left = alive & ~skip, np.zeros_like(alive)
        near, wanted, ending = (following, need, ways) if k else (left, left, left)
        if not last:
            live = _live(kernels, levels[k + 1])
            following = _any(_wide(band)) & live
            # what coarser grids do not see is smoothed here, and its residual weighs nothing
            left = (_and_before(_finer(following, alive.shape)) | band) & alive
        deep = (band | left) & ~near if k else near
        valid = alive & (_wide(band | left) | wanted)
        edge = band & ~_whole(~_wide(~solid))
        made.append(Patches(_whole(solid), skip, band, valid, left, near & (band | left), deep, edge, ending))
        if not last:
            need, ways = _parents(valid), _parents(band) | _and_before(following)
            # what lies less than a block from the edge of a grid's solid ones is not uniform on the next
            solid = _whole(~_wide(~solid))
    return made


def places_of(grids: list[Patches]) -> tuple[list[np.ndarray], list[int]]:
    """Return by grid where each patch lies in its planes, in bytes, one more on all sides; and the values of a plane.

    Those around what is used have a place too; patches above one another lie in one piece.
    """
    made, sizes = [], []
    for number, patches in enumerate(grids):
        used = _wide(_framed(patches.valid))
        if number:   # a grid that another is interpolated from holds all of it
            used[1:-1, 1:-1] |= _parents(grids[number - 1].valid) | patches.skip
        if number < len(grids) - 1:
            _marks().around_finer(grids[number + 1].near, used)
        places, count = _marks().places(used, _BYTES)
        made.append(places)
        sizes.append(_BYTES // 4 * (2 + count))
    return made, sizes


def tables_of(grids: list[Patches], places: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernels' `tiles` and `parts`."""
    kernels, columns = load("solve_membrane"), load("solve_patches")
    parts = np.zeros((len(grids), columns.LISTS, grids[0].band.shape[0] + 1), np.int64)
    lists = [patches.lists() for patches in grids]
    tiles = np.empty((sum(bits.size for bits in lists) * columns.LISTS, columns.FIELDS), np.int64)
    count = 0
    for k, bits in enumerate(lists):
        finer, coarse = places[max(0, k - 1)], places[min(k + 1, len(places) - 1)]
        count = kernels.listed(bits, places[k], finer, coarse, tiles, count, parts[k])
    return tiles, parts


def beyond(patches: Patches, places: np.ndarray) -> np.ndarray:
    """Return the numbers, in a plane, of the patches outside the picture that the ways are read from."""
    marks = _and_before(_framed(patches.near))
    marks[1:-1, 1:-1] = False
    return np.asarray(places[marks] // _BYTES)


def _live(kernels: Any, level: Level) -> np.ndarray:
    """Return the patches that have unknowns."""
    marks = np.zeros((-(-level.height // SIDE), -(-level.width // SIDE)), bool)
    kernels.live(level.inverse, level.runs, level.width, level.pitch, marks)
    return marks


def _marks() -> Any:
    return load("solve_marks")


def _wide(marks: np.ndarray) -> np.ndarray:
    """Return marks and their eight neighbours."""
    return np.asarray(_marks().wide(marks, 1))


def _and_before(marks: np.ndarray) -> np.ndarray:
    """Return marks and their neighbours above and on the left."""
    return np.asarray(_marks().wide(marks, 0))


def _parents(marks: np.ndarray) -> np.ndarray:
    """Return which patches of the next coarser grid some are interpolated from: one pixel beyond them counts too."""
    return np.asarray(_marks().parents(marks))


def _whole(marks: np.ndarray) -> np.ndarray:
    """Return which four marks are all set; beyond the end lies none."""
    return np.asarray(_marks().quarters(marks, True))


def _any(marks: np.ndarray) -> np.ndarray:
    """Return which of four marks any is set."""
    return np.asarray(_marks().quarters(marks, False))


def _framed(marks: np.ndarray, before: int = 1, below: int = 1, after: int = 1) -> np.ndarray:
    """Return marks with unset ones around them."""
    height, width = marks.shape
    made = np.zeros((before + height + below, before + width + after), bool)
    made[before : before + height, before : before + width] = marks
    return made


def _finer(marks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mark for each of four."""
    return marks.repeat(2, 0).repeat(2, 1)[: shape[0], : shape[1]]
