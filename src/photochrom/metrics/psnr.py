"""Peak signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from photochrom.metrics.pairs import Channel, Rounding, prepare
from photochrom.metrics.protocol import Protocol
from photochrom.metrics.running import Running
from photochrom.num.parallel import parallel_rows
from photochrom.num.plain import is_plain_float

_PIECE = 1 << 16
"""Values whose differences stay in a cache."""


def psnr(image: Tensor, reference: Tensor, *, channel: Channel = "all", border: int = 0,
         rounding: Rounding = "none") -> Tensor:
    """Return how far pictures are from their references, 10 log10(1 / mean squared difference).

    Args:
        image: (B, C, H, W), display range 0..1.
        reference: likewise.
        channel: "all", "y" (studio-range luma of BT.601, as super-resolution is scored) or "luma" (full range).
        border: pixels left out on every side.
        rounding: "8-bit" compares whole levels.

    Returns:
        (B,), decibels; infinite where the pictures are equal. Differentiable where they are not.

    Raises:
        ControlError: sizes, ranges or values that do not fit.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 8.1, fidelity criteria.

    Example:
        >>> round(psnr(torch.full((1, 1, 4, 4), 0.6), torch.full((1, 1, 4, 4), 0.5)).item(), 3)
        20.0
    """
    return -10 * torch.log10(mean_square(*prepare("psnr", image, reference, channel, border, rounding)))


def mean_square(image: Tensor, reference: Tensor) -> Tensor:
    """Return the mean squared difference of each picture, (B,), float64 inside."""
    if not (is_plain_float(image) and is_plain_float(reference)):
        return (image - reference).square().flatten(1).mean(1, dtype=torch.float64).to(image)
    made = []
    for one, other in zip(image, reference, strict=True):
        # rows of a crop lie apart; a whole picture is one row
        whole = one.is_contiguous() and other.is_contiguous()
        a, b = ((part.reshape(1, -1) if whole else part.flatten(0, 1)).numpy() for part in (one, other))
        made.append(_sum(a, b) / one.numel())
    return torch.tensor(made, dtype=image.dtype)


def _sum(a: np.ndarray, b: np.ndarray) -> float:
    rows, width = a.shape
    tall, wide = max(1, _PIECE // width), min(width, _PIECE)
    across = -(-width // wide)
    parts = np.zeros(-(-rows // tall) * across)

    def work(first: int, last: int) -> None:
        for k in range(first, last):
            i, j = k // across * tall, k % across * wide
            apart = (a[i:i + tall, j:j + wide] - b[i:i + tall, j:j + wide]).ravel()
            parts[k] = np.dot(apart, apart)

    parallel_rows(work, 0, len(parts), max(1, len(parts) // 16))
    return float(parts.sum())


class PSNR(Running):
    """The mean PSNR of many pictures.

    Example:
        >>> score = PSNR(channel="y", border=1)
        >>> _ = score.update(torch.full((1, 3, 8, 8), 0.6), torch.full((1, 3, 8, 8), 0.5))
        >>> print(f"{score.compute().value:.2f} dB", score.protocol)
        21.32 dB psnr: channel y, border 1, rounding none
    """

    def __init__(self, channel: Channel = "all", border: int = 0, rounding: Rounding = "none") -> None:
        """Score as `psnr` does with the same settings."""
        how = {"channel": channel, "border": border, "rounding": rounding}
        super().__init__(Protocol.of("psnr", "dB", **how), lambda image, reference: psnr(
            image, reference, channel=channel, border=border, rounding=rounding))
