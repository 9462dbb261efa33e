"""Curves through points: monotone cubic pieces."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST = 1e-6
"""Inputs nearer than this are taken as this far apart: two points above one another make a steep step, not a wall."""


def monotone_cubic(points: Tensor) -> tuple[Tensor, Tensor]:
    """Lay cubic pieces through points so that the curve rises and falls only where the points do.

    The slope at a point is the weighted harmonic mean of the slopes of the two chords that meet there, and 0 where they
    differ in sign; at the ends it is that of a parabola through three points, limited likewise.

    Args:
        points: (..., N, 2), inputs and outputs, N at least 2. Points are sorted by their input.

    Returns:
        The inputs (..., N), and (..., N + 1, 4), the coefficients a + b t + c t^2 + d t^3 of the straight piece below
        the first point, of the N - 1 pieces between, and of the straight piece above the last; t is counted from the
        point at the left, for the first piece from the first point.

    Reference:
        Fritsch, Butland: A Method for Constructing Local Monotone Piecewise Cubic Interpolants. SIAM J. Sci. Stat.
        Comput. 5(2), 1984; after Fritsch, Carlson 1980. The end slopes are those of SciPy's and MATLAB's PCHIP.

    Example:
        >>> x, pieces = monotone_cubic(torch.tensor([[0.0, 0.0], [0.5, 0.75], [1.0, 1.0]]))
        >>> [round(v, 4) for v in pieces[:, 1].tolist()]
        [2.0, 2.0, 0.75, 0.0]
    """
    order = points[..., 0].detach().argsort(dim=-1, stable=True)
    x = points[..., 0].gather(-1, order)
    y = points[..., 1].gather(-1, order)
    h = x.diff(dim=-1).clamp(min=_LEAST)
    chord = y.diff(dim=-1) / h
    if x.shape[-1] == 2:
        slope = chord.expand(*chord.shape[:-1], 2)
    else:
        left, right = chord[..., :-1], chord[..., 1:]
        near, far = 2 * h[..., 1:] + h[..., :-1], h[..., 1:] + 2 * h[..., :-1]
        same = left * right > 0
        below = near * torch.where(same, right, 1) + far * torch.where(same, left, 1)
        inner = torch.where(same, (near + far) * left * right / torch.where(same, below, 1), 0)
        slope = torch.cat([_end(h[..., :1], h[..., 1:2], left[..., :1], right[..., :1]), inner,
                           _end(h[..., -1:], h[..., -2:-1], right[..., -1:], left[..., -1:])], -1)
    first, second = slope[..., :-1], slope[..., 1:]
    c = (3 * chord - 2 * first - second) / h
    d = (first + second - 2 * chord) / h ** 2
    nought = torch.zeros_like(y[..., :1])
    a = torch.cat([y[..., :1], y], -1)
    b = torch.cat([slope[..., :1], slope], -1)
    return x, torch.stack([a, b, torch.cat([nought, c, nought], -1), torch.cat([nought, d, nought], -1)], -1)


def _end(h0: Tensor, h1: Tensor, chord: Tensor, beyond: Tensor) -> Tensor:
    """The slope at an end from the two chords next to it, so limited that the curve does not turn."""
    slope = ((2 * h0 + h1) * chord - h0 * beyond) / (h0 + h1)
    slope = torch.where(slope * chord <= 0, 0, slope)
    return torch.where((chord * beyond <= 0) & (slope.abs() > 3 * chord.abs()), 3 * chord, slope)


def evaluate(values: Tensor, x: Tensor, pieces: Tensor) -> Tensor:
    """Return a curve of `monotone_cubic` at `values` (any shape), for one curve: x (N,), pieces (N + 1, 4)."""
    flat = values.reshape(-1)
    place = torch.bucketize(flat.detach().contiguous(), x.detach(), right=True, out_int32=True)
    t = flat - torch.cat([x[:1], x]).index_select(0, place)
    # Gathered one coefficient at a time: rows of four would be strided in all that follows.
    a, b, c, d = (column.contiguous().index_select(0, place) for column in pieces.unbind(-1))
    return (a + t * (b + t * (c + t * d))).reshape(values.shape)
