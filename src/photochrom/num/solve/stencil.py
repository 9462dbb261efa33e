"""The operator of a system on a cropped frame, and what both hierarchies take from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Rows and columns to the neighbour of each weight; pairs of opposites, so that 2k + 1 undoes 2k.
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
COARSEST = 100  # pixels of a grid that is solved by a dense inverse

# Damped Jacobi steps at the Chebyshev roots of [a, b], for eigenvalues of D^-1 A. They vectorise, as Gauss-Seidel does
# not, and leave less. By trial: a cycle with three steps takes an error to 0.09 on an ellipse and to 0.10 on a mask of
# random pixels; two steps on the coarser grids, or on the finest, cost a cycle more in the end.
_RANGE = (0.3, 2.0)
_COARSE = (0.2, 1.6)  # of weights of 1, whose bilinear 9-point operators have lower eigenvalues
# Of systems that are not symmetric, whose eigenvalues are not real and whose bound is far off: no step before the
# coarse grid, six after it. By trial on photographs: as many cycles as with three and three, which read the weights
# twice as often.
_AFTER = (0.1, 2.2)
_LOW, _HIGH = 0.4, 4.0  # of weights that vary


@dataclass
class Stencil:
    """An operator on a frame: D - W, restricted to unknown pixels.

    Attributes:
        unknown: (H, W), bool.
        diagonal: (H, W), the sum of a pixel's weights inside the picture, known neighbours included, plus its screen.
        weights: None (four ones), (2, H, W) or (4, H, W) forward weights of a symmetric operator, (8, H, W) else.
        excess: (H, W), the screen alone, or None.
        symmetric: whether weights are shared by two pixels.
        nine: whether diagonal neighbours count.
    """

    unknown: Tensor
    diagonal: Tensor
    weights: Tensor | None
    excess: Tensor | None
    symmetric: bool
    nine: bool


@functools.lru_cache(64)
def smoothing(
    dtype: torch.dtype, symmetric: bool, *, coarse: bool = False, bound: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the damping of the smoothing steps before the coarse grid, and of those after it.

    Args:
        dtype: of the result.
        symmetric: whether the operator is.
        coarse: whether it belongs to a coarse grid.
        bound: of the eigenvalues of D^-1 A, for a coarse grid of weights that vary: their operators may have negative
            weights, and eigenvalues above 2, on which steps made for less would grow. None: plain weights.
    """
    steps, (low, high) = 3, _RANGE
    if not symmetric:
        steps, (low, high) = 6, _AFTER
    elif bound is not None:
        low, high = _LOW, min(max(high, bound), _HIGH)
    elif coarse:
        low, high = _COARSE
    angles = np.pi * (np.arange(steps) + 0.5) / steps
    roots = (high + low) / 2 + (high - low) / 2 * np.cos(angles)
    after = (1 / roots).astype(np.float32 if dtype == torch.float32 else np.float64)
    return after if symmetric else after[:0], after


@functools.lru_cache(64)
def _neighbours(h: int, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of all neighbours inside (h, w) the number of the weight, the pixel's place and the neighbour's."""
    number, y, x = (part.ravel() for part in np.mgrid[:8, :h, :w])
    dy, dx = np.array(NEIGHBOURS).T
    v, u = y + dy[number], x + dx[number]
    inside = (v >= 0) & (v < h) & (u >= 0) & (u < w)
    return number[inside], (y * w + x)[inside], (v * w + u)[inside]


def coarse_inverse(
    weights: np.ndarray, diagonal: np.ndarray, live: np.ndarray, labels: np.ndarray | None, held: np.ndarray
) -> np.ndarray:
    """Return the transposed dense inverse of a small operator, for rows of right-hand sides.

    In a region that nothing holds A 1 = 0; there (A + s 1 1^T) is inverted instead, which solves the same equations
    and gives the solution of mean 0.

    Args:
        weights: (8, h, w).
        diagonal: (h, w).
        live: (h, w), where there is an equation.
        labels: (h, w), region of each pixel, or None.
        held: by label.
    """
    h, w = diagonal.shape
    dense, flat = np.zeros((h * w, h * w)), live.reshape(-1)
    number, here, there = _neighbours(h, w)
    dense[here, there] = -weights.reshape(8, -1)[number, here] * (flat[here] & flat[there])
    dense[np.arange(h * w), np.arange(h * w)] = np.where(flat, diagonal.reshape(-1), 1.0)
    if labels is not None:
        for label in np.flatnonzero(~held):
            one = (labels.reshape(-1) == label) & flat
            if one.any():
                dense += np.outer(one, one) * (diagonal.reshape(-1)[one].mean() / one.sum())
    inverse = np.linalg.inv(dense)
    inverse[~flat] = 0
    inverse[:, ~flat] = 0
    return np.ascontiguousarray(inverse.T)


def close_range(dtype: torch.dtype) -> tuple[float, float]:
    """Return between what two weights' product, in parts of the diagonals, makes a close pair: above it is rounding."""
    return 0.9, 1 - tiny(dtype)


def tiny(dtype: torch.dtype) -> float:
    """Return the part of a fine diagonal below which a coarse one is rounding: nothing holds what it stands for."""
    return 4e-6 if dtype == torch.float32 else 1e-13
