"""What a row of the benchmark is: contestants, the agreement asked of them, and the targets of the issue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Times = Mapping[str, "Result"]
"""What was measured, by the name of the contestant."""


class AbsentError(Exception):
    """A peer that is not installed; the row goes on without it."""


@dataclass(frozen=True)
class Bench:
    """What rows are given: sizes, a folder for files, the commands."""

    quick: bool
    work: Path
    scratch: Path
    python: tuple[str, ...]
    command: tuple[str, ...]
    """How `photochrom` is started."""

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width of the picture: 12 megapixels, or 1 for a quick run."""
        return (1000, 1200) if self.quick else (3000, 4000)


@dataclass(frozen=True)
class Sample:
    """One measurement."""

    seconds: float
    peak: int = 0
    """Bytes of resident memory at the most; 0 where it is not measured."""
    cpu: float = 0.0
    """Seconds of all cores together; 0 where it is not measured."""


@dataclass(frozen=True)
class Ready:
    """A contestant that is set up: `once` measures it, `result` gives what it made, to be compared."""

    once: Callable[[], Sample]
    result: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Contestant:
    """One way to do the work of a row. `prepare` imports what it needs and raises `AbsentError` if that is missing."""

    name: str
    prepare: Callable[[Bench], Ready]
    against: str | None = ""
    """Whose result this one's must equal: another contestant ("" = the first of the row), or None for nobody's."""
    tolerance: float | None = None
    """Of this contestant alone, in place of the row's."""
    timed: bool = True
    """False for a truth that only the others' results are compared with."""


@dataclass(frozen=True)
class Result:
    """What came of one contestant."""

    samples: tuple[Sample, ...]

    @property
    def median(self) -> float:
        """Return the median time."""
        return quantile(self.seconds, 0.5)

    @property
    def seconds(self) -> list[float]:
        """Return all times."""
        return [sample.seconds for sample in self.samples]

    @property
    def peak(self) -> int:
        """Return the greatest peak memory of any repetition."""
        return max(sample.peak for sample in self.samples)


@dataclass(frozen=True)
class Target:
    """A demand of the issue: a number made of the times, and what it must be."""

    text: str
    value: Callable[[Times], float | None]
    """Returns None where a peer is absent."""
    bound: float | Callable[[Times], float] | None = None
    """None for a figure that is shown but not judged."""
    sense: Literal[">=", "<=", "<"] = "<="
    unit: str = "×"

    def limit(self, times: Times) -> float | None:
        """Return the bound, which may itself be measured."""
        return self.bound(times) if callable(self.bound) else self.bound

    def met(self, value: float, limit: float) -> bool:
        """Tell whether a value is good enough."""
        return {">=": value >= limit, "<=": value <= limit, "<": value < limit}[self.sense]


Check = tuple[str, float]
"""A comparison that has a name, and the greatest difference found."""


@dataclass(frozen=True)
class Row:
    """One line of the benchmark."""

    name: str
    about: str
    contestants: tuple[Contestant, ...] = ()
    targets: tuple[Target, ...] = ()
    tolerance: float = 0.0
    measure: Literal["max", "mean"] = "max"
    """Whether the greatest or the mean difference of two results is held against the tolerance."""
    unit: str = "of 1"
    """What differences are counted in."""
    rounds: int = 11
    warm: int = 1
    """Rounds that are thrown away; 0 where the comparison has run every contestant already and a round is long."""
    checks: Callable[[Bench], Iterable[Check]] | None = None
    """For rows that compare with a truth instead of with each other; nothing is timed."""
    notes: tuple[str, ...] = field(default=())
    quick: bool = True
    """False for a row that takes minutes even with small pictures, or says nothing of them."""


def quantile(values: list[float], part: float) -> float:
    """Return a quantile, interpolated between neighbours.

    Example:
        >>> quantile([1.0, 2.0, 4.0], 0.5)
        2.0
    """
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def best(times: Times, names: Iterable[str]) -> float | None:
    """Return the least median among the contestants that ran."""
    return min((times[name].median for name in names if name in times), default=None)


def ratio(times: Times, over: str | Iterable[str], under: str) -> float | None:
    """Return the time of `over` (of the best, if several) divided by that of `under`; None if one did not run."""
    upper = best(times, [over] if isinstance(over, str) else over)
    return None if upper is None or under not in times else upper / times[under].median


def times_as_fast(peer: str | tuple[str, ...], factor: float, ours: str = "photochrom", name: str = "") -> Target:
    """Ask that a peer (the best of several) takes at least `factor` times as long as ours."""
    label = name or (peer if isinstance(peer, str) else " or ".join(peer))
    return Target(f"{label} / {ours} ≥ {factor:g}", lambda times: ratio(times, peer, ours), factor, ">=")


def at_most_times(ours: str, factor: float, other: str) -> Target:
    """Ask that ours takes at most `factor` times as long as the other."""
    return Target(f"{ours} / {other} ≤ {factor:g}", lambda times: ratio(times, ours, other), factor, "<=")
