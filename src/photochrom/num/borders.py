"""What lies outside a picture: index rules shared by every filter."""

from typing import get_args

import numpy as np

from photochrom.core.types import Border as Border

BORDERS: tuple[str, ...] = get_args(Border)


def check_border(border: str) -> None:
    """Raise ValueError unless `border` is one of the five names."""
    if border not in BORDERS:
        raise ValueError(f"border: expected one of {', '.join(BORDERS)}; got {border!r}")


def fold(index: np.ndarray, n: int, border: Border) -> np.ndarray:
    """Map sample positions that may lie outside [0, n) to the positions whose values they take.

    Args:
        index: integers of any shape, any distance outside.
        n: the number of samples, at least 1.
        border: reflect repeats no edge sample (d c b | a b c d | c b a) and folds as often as needed; replicate
            repeats the edge; circular wraps; constant and normalize have nothing outside.

    Returns:
        int64, same shape; -1 where there is nothing.

    Example:
        >>> fold(np.array([-2, 4]), 4, "reflect").tolist()
        [2, 2]
    """
    check_border(border)
    index = np.asarray(index, dtype=np.int64)
    made: np.ndarray
    if border == "replicate":
        made = np.clip(index, 0, n - 1)
    elif border == "circular":
        made = np.mod(index, n)
    elif border == "reflect":
        # period 2(n - 1); one sample has period 0, so it repeats itself
        turn = np.mod(index, max(2 * (n - 1), 1))
        made = np.minimum(turn, 2 * (n - 1) - turn)
    else:
        made = np.where((index >= 0) & (index < n), index, -1)
    return made
