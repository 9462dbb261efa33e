"""Whether two results are the same, before either is timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """One comparison."""

    name: str
    difference: float
    tolerance: float
    measure: Literal["max", "mean"] = "max"
    unit: str = "of 1"

    @property
    def holds(self) -> bool:
        """Tell whether the difference is within the tolerance; NaN never is."""
        return self.difference <= self.tolerance


def difference(one: Any, other: Any, measure: Literal["max", "mean"] = "max") -> float:
    """Return the greatest or the mean absolute difference; infinite for different shapes or keys.

    Args:
        one: an array, or arrays by name (such as those of a folder of pictures).
        other: the same kind.
        measure: `mean` is, over a folder, that of the worst picture.
    """
    if isinstance(one, Mapping):
        if set(one) != set(other):
            return float("inf")
        return max(difference(one[name], other[name], measure) for name in one)
    if one.shape != other.shape:
        return float("inf")
    worst = total = 0.0
    for a, b in zip(_slabs(one), _slabs(other), strict=True):
        apart = np.abs(a.astype(np.float64) - b.astype(np.float64))
        found = float(apart.max())
        if found != found:
            return float("nan")
        worst, total = max(worst, found), total + float(apart.sum())
    return worst if measure == "max" else total / one.size


def _slabs(array: np.ndarray) -> Sequence[np.ndarray]:
    """Cut an array into parts that are cheap to hold in float64."""
    return np.array_split(array, max(1, min(array.shape[0], array.size // 4_000_000))) if array.ndim else [array]
