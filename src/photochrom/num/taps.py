"""Correlation by sums over the taps of a kernel, and what its derivative needs."""

from typing import Any

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num import bands
from photochrom.num.matrices import Band
from photochrom.num.parallel import parallel_rows, threads
from photochrom.num.places import Place
from photochrom.num.strided import _view

_FEW = 36
"""Up to so many taps their derivatives are sums one by one, beyond by Fourier transforms."""


def direct(image: Tensor, kernel: np.ndarray, place: Place) -> Tensor:
    """Correlate by sums over the taps.

    Args:
        image: (B, C, H, W), float32 or float64, not empty.
        kernel: (kh, kw) float64.
        place: where the result lies.

    Returns:
        (B, C, h, w), laid out like the picture.
    """
    if image.dtype == torch.float32 and image.device.type == "cpu":
        return _kernel(image.detach(), kernel, place)
    wide = extended(image, place.fold_y, place.fold_x)
    made = torch.zeros((*image.shape[:2], place.h, place.w), dtype=image.dtype, device=image.device)
    for (u, v), weight in np.ndenumerate(kernel):
        if weight != 0:
            made.add_(wide[..., u : u + place.h, v : v + place.w], alpha=float(weight))
    return made


def _kernel(image: Tensor, kernel: np.ndarray, place: Place) -> Tensor:
    from photochrom.num.kernels import correlate

    source = _view(image)
    if source is None:
        image = image.contiguous()
        source = _view(image)
    assert source is not None
    batch, channels = image.shape[:2]
    if source.step > 1:
        result = empty((batch, place.h, place.w, channels)).permute(0, 3, 1, 2)
    else:
        result = empty((batch, channels, place.h, place.w))
    target = _view(result)
    assert target is not None
    if target.step != source.step:   # one-pixel axes let a layout pass for the other
        return _kernel(image.clone(memory_format=torch.contiguous_format), kernel, place)
    units = len(source.planes) * -(-place.h // correlate.BLOCK)
    run: Any = correlate.correlate
    arguments = (
        source.flat, source.planes, source.row, target.flat, target.planes, target.row, place.h, target.width,
        source.step, kernel.astype(np.float32), place.fold_y, place.fold_x, place.left, place.width, 2048,
    )  # fmt: skip
    # neighbours share input rows, which then wait in the cache of one core
    parallel_rows(lambda a, b: run(*arguments, a, b), 0, units, max(1, units // (8 * threads())))
    return result


def separable(image: Tensor, parts: list[tuple[np.ndarray, np.ndarray]], place: Place) -> Tensor:
    """Correlate with a sum of outer products.

    Args:
        image: (B, C, H, W), float32 or float64, not empty.
        parts: pairs (down, across).
        place: where the result lies.

    Returns:
        (B, C, h, w).
    """
    centred = (place.rows, place.columns) == (2 * place.top + 1, 2 * place.left + 1)
    total = None
    for down, across in parts:
        if centred and (place.h, place.w) == (place.height, place.width):
            made = bands.separable(image, down, across, place.border)
        else:
            made = bands.apply(image, _band(down, place.fold_y, place.height), _band(across, place.fold_x, place.width))
        total = made if total is None else total.add_(made)
    return total if total is not None else image.new_zeros((*image.shape[:2], place.h, place.w))


def _band(weights: np.ndarray, folded: np.ndarray, n: int) -> Band:
    columns = np.lib.stride_tricks.sliding_window_view(folded, len(weights))
    rows = np.broadcast_to(np.arange(len(columns))[:, None], columns.shape)
    keep = columns >= 0
    return Band(rows[keep], columns[keep], np.broadcast_to(weights, columns.shape)[keep], len(columns), n)


def extended(image: Tensor, fold_y: np.ndarray, fold_x: np.ndarray) -> Tensor:
    """Return the picture continued by its border.

    Args:
        image: (B, C, H, W).
        fold_y: the row at each row of the result, -1 for zeros.
        fold_x: the column at each column.

    Returns:
        (B, C, len(fold_y), len(fold_x)); differentiable.
    """
    for folded, dim in ((fold_y, -2), (fold_x, -1)):
        if len(folded) == image.shape[dim] and (folded == np.arange(len(folded))).all():
            continue
        index = torch.from_numpy(folded).to(image.device)
        image = image.index_select(dim, index.clamp(min=0))
        if (folded < 0).any():
            outside = index < 0
            image = image.masked_fill(outside if dim == -1 else outside[:, None], 0.0)
    return image


def fold_back(wide: Tensor, folded: np.ndarray, n: int, dim: int) -> Tensor:
    """Add what lies outside the picture to the samples it was taken from: the transpose of `extended`.

    Args:
        wide: (B, C, h, w).
        folded: the sample at each place of the axis, -1 for none; all of the n lie side by side in it.
        n: samples of the axis.
        dim: the axis, -2 or -1.

    Returns:
        The same with n samples along the axis.
    """
    inside = int(np.flatnonzero(_inside(folded, n))[0])
    made = wide.narrow(dim, inside, n)
    outside = np.concatenate([np.arange(inside), np.arange(inside + n, len(folded))])
    outside = outside[folded[outside] >= 0]
    if not len(outside):
        return made
    # a product gives the same sums in the same order on every device; each sample is then added to once
    targets, which = np.unique(folded[outside], return_inverse=True)
    matrix = np.zeros((len(targets), len(outside)))
    matrix[which, np.arange(len(outside))] = 1
    strip = wide.index_select(dim, torch.from_numpy(outside).to(wide.device))
    weights = torch.from_numpy(matrix).to(wide)
    added = weights @ strip if dim == -2 else strip @ weights.T
    return made.index_add(dim, torch.from_numpy(targets).to(wide.device), added)


def _inside(folded: np.ndarray, n: int) -> np.ndarray:
    """Tell for each place whether the whole picture begins there."""
    return (np.lib.stride_tricks.sliding_window_view(folded, n) == np.arange(n)).all(1)


def products(wide: Tensor, grad: Tensor, rows: int, columns: int) -> Tensor:
    """Return `sum over i, j of grad[i, j] wide[i + u, j + v]` over all planes: the gradient of a kernel.

    Args:
        wide: (B, C, h + rows - 1, w + columns - 1).
        grad: (B, C, h, w).
        rows: of the kernel.
        columns: of the kernel.

    Returns:
        (rows, columns), float64; differentiable.
    """
    h, w = grad.shape[-2:]
    if rows * columns <= _FEW:
        sums = [(grad * wide[..., u : u + h, v : v + w]).sum(dtype=torch.float64)
                for u in range(rows) for v in range(columns)]  # fmt: skip
        return torch.stack(sums).reshape(rows, columns)
    step = max(256, 4 * rows)
    size = (int(next_fast_len(min(step, h) + rows - 1, real=True)), int(next_fast_len(w + columns - 1, real=True)))
    total: Tensor | None = None
    for i in range(0, h, step):
        part = torch.fft.rfft2(grad[..., i : i + step, :], s=size).conj()
        part = (part * torch.fft.rfft2(wide[..., i : i + step + rows - 1, :], s=size)).sum((0, 1))
        total = part if total is None else total + part
    assert total is not None
    return torch.fft.irfft2(total, s=size)[:rows, :columns].double()
