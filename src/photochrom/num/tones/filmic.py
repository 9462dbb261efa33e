"""Curves of film: Hable's (2010) and the fit to the ACES reference rendering by Narkowicz (2015)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Film = Literal["hable", "aces"]
_HABLE = (0.15, 0.50, 0.10, 0.20, 0.02, 0.30)
_HABLE_WHITE = 11.2
_HABLE_BIAS = 2.0
_ACES = (2.51, 0.03, 2.43, 0.59, 0.14)


def film(x: Tensor, which: Film) -> Tensor:
    """Send linear light through a film curve: a toe that deepens shadows, a shoulder that saves highlights.

    Args:
        x: linear light, 1 is display white before mapping; below 0 the curve is continued oddly.
        which: `hable`, whose 11.2 / 2 becomes 1, or `aces`, which has its limit near 1.03.

    Returns:
        Linear light of the display.

    Example:
        >>> round(film(torch.tensor(5.6), "hable").item(), 4)
        1.0
    """
    size = x.abs()
    if which == "hable":
        white = _uncharted(torch.tensor(_HABLE_WHITE, dtype=torch.float64)).item()
        # black stays black exactly: E / F is subtracted from what it equals
        curve = _uncharted(size * _HABLE_BIAS) / white
    else:
        a, b, c, d, e = _ACES
        curve = (size * (a * size + b)) / (size * (c * size + d) + e)
    return torch.copysign(curve, x)


def _uncharted(x: Tensor) -> Tensor:
    a, b, c, d, e, f = _HABLE
    # ((x (A x + C B) + D E) / (x (A x + B) + D F)) - E / F, over one denominator
    return x * (a * (1 - e / f) * x + b * (c - e / f)) / (x * (a * x + b) + d * f)
