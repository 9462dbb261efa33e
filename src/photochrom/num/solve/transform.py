"""Exact solutions on plain rectangles with weights of 1: sines and cosines are the eigenvectors."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from photochrom.num.parallel import threads


def rectangle(rhs: Tensor, free: tuple[bool, bool, bool, bool], screen: float) -> Tensor:
    """Solve (s + Laplacian) f = rhs on a full rectangle.

    f vanishes one pixel outside a side, or, where the side is free, has no equation across it. A rectangle free on
    one side only is mirrored there: twice as long, it vanishes beyond both ends.

    Args:
        rhs: (N, h, w), float32 or float64. On four free sides without a screen its mean is taken off first, and the
            solution has mean 0.
        free: top, bottom, left, right.
        screen: at least 0.

    Returns:
        (N, h, w).
    """
    h, w = rhs.shape[-2:]
    top, bottom, left, right = free
    if top != bottom:
        rhs = torch.cat([rhs.flip(1), rhs] if top else [rhs, rhs.flip(1)], 1)
    if left != right:
        rhs = torch.cat([rhs.flip(2), rhs] if left else [rhs, rhs.flip(2)], 2)
    down, across = top and bottom, left and right
    if rhs.device.type == "cpu":
        made = _fast(rhs, down, across, screen)
    else:
        basis = [_basis(n, kind, rhs) for n, kind in ((rhs.shape[1], down), (rhs.shape[2], across))]
        made = basis[0].T @ ((basis[0] @ rhs @ basis[1].T) * _inverse(rhs, down, across, screen)) @ basis[1]
    if top != bottom:
        made = made[:, h:] if top else made[:, :h]
    if left != right:
        made = made[:, :, w:] if left else made[:, :, :w]
    return made


def _eigenvalues(n: int, free: bool, like: Tensor) -> Tensor:
    """Return 2 - 2 cos(theta) as 4 sin^2(theta / 2): the difference would lose the smallest ones to rounding."""
    k = torch.arange(n, dtype=torch.float64, device=like.device)
    theta = math.pi * k / n if free else math.pi * (k + 1) / (n + 1)
    return 4 * torch.sin(theta / 2) ** 2


def _inverse(rhs: Tensor, down: bool, across: bool, screen: float) -> Tensor:
    values = _eigenvalues(rhs.shape[1], down, rhs)[:, None] + _eigenvalues(rhs.shape[2], across, rhs) + screen
    if down and across and not screen:
        values[0, 0] = math.inf  # the constant
    return values.reciprocal().to(rhs.dtype)


def _fast(rhs: Tensor, down: bool, across: bool, screen: float) -> Tensor:
    import scipy.fft

    kind = {True: (scipy.fft.dct, scipy.fft.idct, 2), False: (scipy.fft.dst, scipy.fft.idst, 1)}
    values: np.ndarray = rhs.numpy()
    for axis, free in ((1, down), (2, across)):
        values = kind[free][0](values, kind[free][2], axis=axis, norm="ortho", workers=threads())
    values = values * _inverse(rhs, down, across, screen).numpy()
    for axis, free in ((1, down), (2, across)):
        values = kind[free][1](values, kind[free][2], axis=axis, norm="ortho", workers=threads())
    return torch.from_numpy(np.ascontiguousarray(values))


def _basis(n: int, free: bool, like: Tensor) -> Tensor:
    """Return the orthonormal eigenvectors as rows: what `_fast` does without writing them down."""
    k = torch.arange(n, dtype=torch.float64, device=like.device)
    if free:
        made = torch.cos(math.pi / n * k[:, None] * (k + 0.5)) * math.sqrt(2 / n)
        made[0] /= math.sqrt(2)
    else:
        made = torch.sin(math.pi / (n + 1) * (k[:, None] + 1) * (k + 1)) * math.sqrt(2 / (n + 1))
    return made.to(like.dtype)
