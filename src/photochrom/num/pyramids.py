"""Image pyramids (Burt and Adelson 1983): halving, doubling, and blending band by band.

The low-pass filter is 1 4 6 4 1 / 16. Outside the picture lies its mirror with the edge pixel repeated when it is
halved, its edge pixel when it is doubled. All maps are linear and separable: two banded matrices each.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.bands import apply
from photochrom.num.kernels import load
from photochrom.num.matrices import Band
from photochrom.num.parallel import parallel_rows
from photochrom.num.plain import is_plain_float

_TAPS = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
_GRAIN = 1 << 16
"""Samples in one call of a kernel."""


def depth(height: int, width: int) -> int:
    """Return the usual number of levels, floor(log2 of the shorter side), at least 1.

    Example:
        >>> depth(800, 1200)
        9
    """
    return max(1, min(height, width).bit_length() - 1)


def reduce(image: Tensor) -> Tensor:
    """Halve a picture: low-pass, then every second pixel from the first.

    Args:
        image: (B, C, H, W), floating.

    Returns:
        (B, C, ceil(H / 2), ceil(W / 2)).

    Example:
        >>> import torch
        >>> reduce(torch.ones(1, 1, 5, 4)).shape
        torch.Size([1, 1, 3, 2])
    """
    height, width = image.shape[-2:]
    if not is_plain_float(image):
        return apply(image, _halving(height), _halving(width))
    source = image.contiguous().flatten(0, 1).numpy()
    result = empty((*image.shape[:2], (height + 1) // 2, (width + 1) // 2))
    target, rows = result.flatten(0, 1).numpy(), result.shape[-2]
    kernel = load("pyramids").reduce
    parallel_rows(lambda a, b: kernel(source, target, a, b), 0, len(source) * rows, max(1, _GRAIN // width))
    return result


def expand(image: Tensor, height: int, width: int) -> Tensor:
    """Double a picture: the value of a new pixel is interpolated with the low-pass filter.

    Args:
        image: (B, C, ceil(height / 2), ceil(width / 2)), floating.
        height: of the result.
        width: of the result.

    Returns:
        (B, C, height, width).

    Example:
        >>> import torch
        >>> expand(torch.ones(1, 1, 3, 2), 5, 4).mean().item()
        1.0
    """
    return apply(image, _doubling(height), _doubling(width))


def gaussian_pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """Return the picture and its halvings, `levels` pictures in all.

    Example:
        >>> import torch
        >>> [part.shape[-1] for part in gaussian_pyramid(torch.ones(1, 1, 4, 10), 3)]
        [10, 5, 3]
    """
    made = [image]
    for _ in range(levels - 1):
        made.append(reduce(made[-1]))
    return made


def laplacian_pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """Return what each halving loses, from fine to coarse, and the last halving itself; `collapse` undoes it.

    Example:
        >>> import torch
        >>> picture = torch.rand(1, 1, 9, 6, dtype=torch.float64)
        >>> torch.allclose(collapse(laplacian_pyramid(picture, 3)), picture)
        True
    """
    steps = gaussian_pyramid(image, levels)
    lost = [fine - expand(coarse, *fine.shape[-2:]) for fine, coarse in itertools.pairwise(steps)]
    return [*lost, steps[-1]]


def collapse(bands: Sequence[Tensor]) -> Tensor:
    """Add up a Laplacian pyramid."""
    whole = bands[-1]
    for band in reversed(bands[:-1]):
        whole = band + expand(whole, *band.shape[-2:])
    return whole


def blend(pictures: Tensor, weights: Tensor, levels: int | None = None) -> Tensor:
    """Mix pictures band by band: each band of each picture with its weights blurred to the coarseness of the band.

    Args:
        pictures: (N, C, H, W), floating.
        weights: (N, 1, H, W); at each pixel they sum to 1.
        levels: of the pyramids; None for `depth`.

    Returns:
        (1, C, H, W). Seams are as wide as the detail they cross, so none is seen.

    Example:
        >>> import torch
        >>> blend(torch.ones(2, 3, 8, 8), torch.full((2, 1, 8, 8), 0.5)).mean().item()
        1.0
    """
    height, width = pictures.shape[-2:]
    count = depth(height, width) if levels is None else levels
    steps, shares = gaussian_pyramid(pictures, count), gaussian_pyramid(weights, count)
    whole = (steps[-1] * shares[-1]).sum(0, keepdim=True)
    for fine, coarse, share in zip(steps[-2::-1], steps[:0:-1], shares[-2::-1], strict=True):
        whole = _mixed(fine, coarse, share, whole)
    return whole


def _mixed(fine: Tensor, coarse: Tensor, share: Tensor, below: Tensor) -> Tensor:
    """Return the sum over pictures of share (fine - expand(coarse)), plus expand(below)."""
    height, width = fine.shape[-2:]
    if not all(map(is_plain_float, (fine, coarse, share, below))):
        detail = fine - expand(coarse, height, width)
        return (detail * share).sum(0, keepdim=True) + expand(below, height, width)
    result = empty((1, *fine.shape[1:]))
    arrays = [part.contiguous().numpy() for part in (fine, coarse, share, below, result)]
    kernel = load("pyramids").mix
    parallel_rows(lambda a, b: kernel(*arrays, a, b), 0, fine.shape[1] * height,
                  max(1, _GRAIN // (width * len(fine))))
    return result


@functools.lru_cache(maxsize=64)
def _halving(n: int) -> Band:
    half = (n + 1) // 2
    at = np.mod(2 * np.arange(half)[:, None] + np.arange(-2, 3), 2 * n)
    columns = np.minimum(at, 2 * n - 1 - at)   # mirrored, the edge sample repeated
    rows = np.broadcast_to(np.arange(half)[:, None], at.shape)
    return Band(rows.ravel(), columns.ravel(), np.broadcast_to(_TAPS, at.shape).ravel(), half, n)


@functools.lru_cache(maxsize=64)
def _doubling(n: int) -> Band:
    half = (n + 1) // 2
    i = np.arange(n)
    # even samples take 1 6 1 / 8 of the three around them, odd ones the mean of the two beside them
    even = i % 2 == 0
    columns = np.clip(i[:, None] // 2 + np.arange(-1, 2), 0, half - 1)
    weights = np.where(even[:, None], np.array([1.0, 6.0, 1.0]) / 8, np.array([0.0, 4.0, 4.0]) / 8)
    rows = np.broadcast_to(i[:, None], columns.shape)
    return Band(rows.ravel(), columns.ravel(), weights.ravel(), n, half)
