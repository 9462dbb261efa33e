"""How a recipe is run: which rows each step needs, how many rows fit into the memory, where the frame is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from photochrom.core.errors import ControlError, MemoryBudgetError
from photochrom.core.step import Step

PREFERRED = 1_000_000
"""Pixels in a tile when memory allows. Temporaries of this size are handed out again and again by the allocator, where
those of a whole photograph are fresh pages each time, whose first touch costs more than the arithmetic."""
OVERLAP = 8
"""A tile is at least this many halos high, so that few rows are computed twice."""
PIXEL_COPIES = 5
"""Float32 copies of a tile alive at once while pixel steps, which work in strips, run: what goes in and comes out, and
the stored samples of both. What other steps take each says of itself."""
LEAST_ROWS = 8
LIBRARIES = 448 << 20
"""Bytes that Python, torch, Numba and libvips take in a process that made a small picture, 375 MiB as measured, and a
little that is lost between pieces of memory."""


@dataclass(frozen=True)
class Plan:
    """The tiles of one run: full-width bands of `rows` rows."""

    rows: int
    halo: int


def halo(step: Step) -> int | None:
    """Return how far a step looks beyond a pixel; None if it needs the whole picture."""
    return step.operation.reaches(step.controls)


def plan(steps: Sequence[Step], height: int, width: int, channels: int, memory: int) -> Plan:
    """Choose the tiles for steps none of which needs the frame.

    Args:
        steps: the steps that run tile by tile.
        height: of the picture.
        width: of the picture.
        channels: including alpha, of all pictures of a batch.
        memory: bytes that the tiles may take.

    Raises:
        MemoryBudgetError: not even the smallest tile fits.
    """
    reach, grown, held, taken = 0, 1, 1, PIXEL_COPIES
    for step in steps:
        reach += -(-(halo(step) or 0) // grown)
        grown *= factor(step)
        held = max(held, grown * grown)
        taken = max(taken, copies(step) * grown * grown)
    row = width * channels * 4 * taken
    affordable = memory // row - 2 * reach
    least = min(height, LEAST_ROWS)
    if affordable < least:
        if height * row <= memory:
            return Plan(height, reach)
        need = row * min(height, least + 2 * reach)
        raise MemoryBudgetError(f"this recipe needs {size(need)} for a picture {width} pixels wide, "
                                f"{size(max(0, memory))} are left for it; raise --memory or lower --jobs")
    rows = max(PREFERRED // (width * held), OVERLAP * reach, least)
    return Plan(max(1, min(rows, affordable, height)), reach)


def copies(step: Step) -> int:
    """Return how many float32 copies of its picture are alive at once while a step runs."""
    return PIXEL_COPIES if halo(step) == 0 else step.operation.takes(1, 1, step.controls)


def check_frame(step: Step, height: int, width: int, channels: int, memory: int) -> None:
    """Raise unless a whole frame fits into the memory."""
    need = height * width * channels * 4 * step.operation.takes(height, width, step.controls)
    if need > memory:
        raise MemoryBudgetError(f"{step.operation.name} with these controls needs the whole picture at once, "
                                f"{size(need)}; {size(max(0, memory))} are left for it; raise --memory or lower --jobs")


def check_masks(steps: Sequence[Step], height: int, width: int) -> None:
    """Raise if a mask, or a picture that lies over the image, is not of its size, before any work is done."""
    for step in steps:
        if step.operation.changes_size(step.values()):
            return   # what follows lies over a picture of another size
        for name, mask in step.pictures.items().items():
            aligned = name not in step.operation.ports or step.operation.ports[name].aligned
            if not aligned or mask.shape[-2:] == (height, width):
                continue
            raise ControlError(f"{step.operation.name}: {name} is {mask.shape[-1]} x "
                               f"{mask.shape[-2]} pixels, the picture {width} x {height}")


def factor(step: Step) -> int:
    """Return how many rows of its result come from one row of a step's picture."""
    return step.operation.factor(step.controls)


def factors(steps: Sequence[Step]) -> int:
    """Return how many rows come out of steps for one that goes in."""
    return math.prod(factor(step) for step in steps)


def needs(steps: Sequence[Step], start: int, stop: int, height: int) -> list[tuple[int, int]]:
    """Return the rows that go into each step so that what comes of rows start..stop comes out, and those rows last.

    Rows are counted in the picture as it is before each step, which may be larger than the one that went in.
    """
    total = factors(steps)
    start, stop, height = start * total, stop * total, height * total
    intervals = [(start, stop)]
    for step in reversed(steps):
        reach, larger = halo(step) or 0, factor(step)
        height //= larger
        start, stop = max(0, start // larger - reach), min(height, -(-stop // larger) + reach)
        intervals.append((start, stop))
    return intervals[::-1]


def size(count: float) -> str:
    """Write a number of bytes for people.

    Example:
        >>> size(1.5 * 2**30)
        '1.5 GiB'
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit in ("bytes", "KiB") else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def parse_size(text: str) -> int:
    """Read a number of bytes such as 512M or 1G.

    Example:
        >>> parse_size("1.5K")
        1536
    """
    units = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
    plain = text.strip().upper().removesuffix("IB").removesuffix("B")
    number, unit = (plain[:-1], plain[-1:]) if plain[-1:] in units and plain[-1:] else (plain, "")
    try:
        value = float(number) * units[unit]
    except ValueError:
        value = 0
    if not 0 < value < 2**60:
        raise ControlError(f"memory must be a size such as 512M or 1G, got {text!r}")
    return int(value)


def for_pictures(memory: int, processes: int = 1) -> int:
    """Return what is left of the memory of some processes for their pictures.

    Raises:
        ControlError: nothing is left.
    """
    left = memory - processes * LIBRARIES
    if left <= 0:
        many = "the program itself takes" if processes == 1 else f"{processes} workers take"
        raise ControlError(f"--memory {size(memory)}: {many} {size(processes * LIBRARIES)} before any picture; "
                           "raise --memory")
    return left


def default_memory() -> int:
    """Return half of the memory that is free now, at most 4 GiB."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        free = 2 * 2**30
    return max(64 * 2**20, min(4 * 2**30, free // 2))
