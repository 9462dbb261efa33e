"""The Numba filters on a tensor of any layout: planes, or interleaved channels, found by their strides."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.borders import Border, fold
from photochrom.num.matrices import weight_inside
from photochrom.num.parallel import parallel_rows, threads


@dataclass(frozen=True)
class _View:
    """A float32 tensor as one flat array and the offsets in it; `step` apart lie neighbours along a row."""

    flat: np.ndarray
    planes: np.ndarray
    row: int
    height: int
    width: int
    step: int


def _view(image: Tensor) -> _View | None:
    """Return the view of (B, C, H, W), or None if its rows are neither planar nor interleaved."""
    batch, channels, height, width = image.shape
    sb, sc, sh, sw = image.stride()
    planes = np.arange(batch)[:, None] * sb
    if sw == 1 or width == 1:
        planes, length, step = planes + np.arange(channels) * sc, width, 1
    elif sc == 1 and sw == channels:
        length, step = width * channels, channels
    else:
        return None
    span = 1 + sum((n - 1) * s for n, s in zip(image.shape, image.stride(), strict=True))
    flat = image.as_strided((span,), (1,), image.storage_offset()).numpy()
    return _View(flat, planes.ravel().astype(np.int64), sh, height, length, step)


def _open(image: Tensor) -> tuple[_View, _View, Tensor]:
    """Return the views of the picture and of its result, and the result, laid out like the picture."""
    image = image.detach()
    source = _view(image)
    if source is None:
        source = _view(image.contiguous())
        assert source is not None
    batch, channels, height, width = image.shape
    if source.step > 1:
        result = empty((batch, height, width, channels)).permute(0, 3, 1, 2)
    else:
        result = empty((batch, channels, height, width))
    target = _view(result)
    assert target is not None
    if target.step != source.step:  # one-pixel axes let a layout pass for the other
        return _open(image.clone(memory_format=torch.contiguous_format))
    return source, target, result


@functools.lru_cache(maxsize=64)
def _folds(n: int, radius: int, border: Border) -> np.ndarray:
    return fold(np.arange(-radius, n + radius), n, border)


@functools.lru_cache(maxsize=64)
def _scales(kernel: bytes, n: int, border: Border, dtype: type) -> np.ndarray:
    """Return the factor of each of n sums: 1, or what re-weighting by the weight inside asks for."""
    taps = np.frombuffer(kernel)
    if border != "normalize":
        return np.ones(n, dtype)
    total, radius = np.concatenate([[0.0], np.cumsum(taps)]), len(taps) // 2
    i = np.arange(n)
    inside = total[np.minimum(len(taps), n + radius - i)] - total[np.maximum(0, radius - i)]
    # rows that lose nothing keep exactly 1
    whole = (i >= radius) & (i < n - radius)
    return np.where(whole, 1.0, weight_inside(taps.sum(), inside)).astype(dtype)


def _grain(units: int) -> int:
    """Return units per range: neighbours share input rows, which then wait in the cache of one core."""
    return max(1, units // (8 * threads()))


def direct(image: Tensor, kernel_y: np.ndarray, kernel_x: np.ndarray, border: Border) -> Tensor:
    """Correlate each plane with kernel_y down and kernel_x across by direct sums.

    Args:
        image: (B, C, H, W), float32, on the processor, not empty; any strides.
        kernel_y: odd length, float64.
        kernel_x: odd length, float64.
        border: what lies outside.

    Returns:
        (B, C, H, W), laid out like the picture.
    """
    from photochrom.num.kernels import separable as kernel

    source, target, result = _open(image)
    pixels = source.width // source.step
    units = len(source.planes) * -(-source.height // kernel.BLOCK)
    # a row may be cut where no piece needs what another holds: circular fetches from the far end
    margin = len(kernel_x) // 2 * source.step
    cut = border != "circular" and 2 * margin + source.step <= kernel.CHUNK
    chunks = max(1, source.width // kernel.CHUNK) if cut else 1
    arguments = (
        source.flat, source.planes, source.row, target.flat, target.planes, target.row,
        source.height, source.width, source.step, kernel_y.astype(np.float32), kernel_x.astype(np.float32),
        _folds(source.height, len(kernel_y) // 2, border), _folds(pixels, len(kernel_x) // 2, border),
        _scales(kernel_y.tobytes(), source.height, border, np.float32),
        _scales(kernel_x.tobytes(), pixels, border, np.float32), border in ("constant", "normalize"), chunks,
    )  # fmt: skip
    run: Any = kernel.direct
    parallel_rows(lambda a, b: run(*arguments, a, b), 0, units, _grain(units))
    return result


def running_box(image: Tensor, radius_y: int, radius_x: int, border: Border) -> Tensor:
    """Take the mean over (2 radius_y + 1) x (2 radius_x + 1) by running sums.

    Args:
        image: (B, C, H, W), float32, on the processor, not empty; any strides.
        radius_y: at least 0.
        radius_x: at least 0.
        border: what lies outside.

    Returns:
        (B, C, H, W), laid out like the picture.
    """
    from photochrom.num.kernels import box as kernel

    source, target, result = _open(image)
    pixels = source.width // source.step
    block = kernel.block_rows(radius_y)
    units = len(source.planes) * -(-source.height // block)
    scales = [
        _scales(np.full(2 * r + 1, 1.0 / (2 * r + 1)).tobytes(), n, border, np.float64) / (2 * r + 1)
        for r, n in ((radius_y, source.height), (radius_x, pixels))
    ]
    arguments = (
        source.flat, source.planes, source.row, target.flat, target.planes, target.row,
        source.height, source.width, source.step,
        _folds(source.height, radius_y, border), _folds(pixels, radius_x, border), *scales, block,
    )  # fmt: skip
    run: Any = kernel.running
    parallel_rows(lambda a, b: run(*arguments, a, b), 0, units, _grain(units))
    return result
