"""Where the result of a correlation lies over the picture, and what lies around it."""

import functools
from dataclasses import dataclass

import numpy as np

from photochrom.num.borders import Border, fold


@dataclass(frozen=True)
class Place:
    """The sizes of a correlation; E is the picture continued by its border as far as the kernel reaches."""

    height: int
    """Of the picture."""
    width: int
    rows: int
    """Of the kernel."""
    columns: int
    top: int
    """Rows of E before the picture's first."""
    left: int
    h: int
    """Of the result."""
    w: int
    border: Border

    @property
    def fold_y(self) -> np.ndarray:
        """The picture's row at each of the h + rows - 1 rows of E, -1 for zeros."""
        return _fold(self.top, self.h + self.rows - 1, self.height, self.border)

    @property
    def fold_x(self) -> np.ndarray:
        """The picture's column at each of the w + columns - 1 columns of E, -1 for zeros."""
        return _fold(self.left, self.w + self.columns - 1, self.width, self.border)


@functools.lru_cache(maxsize=64)
def _fold(before: int, count: int, n: int, border: Border) -> np.ndarray:
    return fold(np.arange(-before, count - before), n, border)
