"""Sampling a picture anew: weights of each output sample, and their application down and across.

Positions are measured from the edge of the first pixel, so that the centre of pixel j lies at j + 1/2.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.bands import apply
from photochrom.num.kernels import load
from photochrom.num.matrices import Band
from photochrom.num.parallel import parallel_rows, threads

Resample = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]
_LOBES = 3
"""Of Lanczos' kernel."""


@dataclass(frozen=True, eq=False)
class Windows:
    """For each output sample the weights of some inputs in a row: the first input, and the weights from there on."""

    starts: np.ndarray
    weights: np.ndarray
    n_in: int

    @functools.cached_property
    def band(self) -> Band:
        """Return the same as a banded matrix."""
        return Band.windows(self.starts, self.weights, self.n_in)

    @functools.cached_property
    def single(self) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and weights as the kernel takes them."""
        return self.starts.astype(np.int64), np.ascontiguousarray(self.weights, np.float32)

    @functools.cached_property
    def transpose(self) -> Windows:
        """Return what carries gradients back: the outputs that read an input lie in a row too."""
        n_out, taps = self.weights.shape
        columns = self.starts[:, None] + np.arange(taps)
        used = self.weights != 0
        rows = np.broadcast_to(np.arange(n_out)[:, None], columns.shape)
        first = np.full(self.n_in, n_out)
        last = np.full(self.n_in, -1)
        np.minimum.at(first, columns[used], rows[used])
        np.maximum.at(last, columns[used], rows[used])
        first = np.minimum.accumulate(first[::-1])[::-1]   # in order, for inputs that nobody reads as well
        width = max(1, int((last - first).max()) + 1)
        starts = np.clip(np.minimum(first, n_out - 1), 0, max(0, n_out - width))
        width = min(width, n_out)
        weights = np.zeros((self.n_in, width))
        np.add.at(weights, (columns[used], rows[used] - starts[columns[used]]), self.weights[used])
        return Windows(starts, weights, n_out)

    @property
    def still(self) -> bool:
        """Whether nothing is changed."""
        n_out, taps = self.weights.shape
        return n_out == self.n_in and taps == 1 and bool((self.weights == 1).all())


def cubic(x: Any, a: float) -> Any:
    """Return Keys' cubic kernel of a distance, for arrays and tensors.

    Example:
        >>> cubic(np.array([0.0, 0.5, 1.0, 2.0]), -0.5).tolist()
        [1.0, 0.5625, 0.0, 0.0]
    """
    x = abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return near * (x <= 1) + far * ((x > 1) & (x < 2))


def _lanczos(x: Any) -> Any:
    if isinstance(x, Tensor):
        return torch.sinc(x) * torch.sinc(x / _LOBES) * (x.abs() < _LOBES)
    return np.sinc(x) * np.sinc(x / _LOBES) * (np.abs(x) < _LOBES)


def kernel_of(resample: str, a: float) -> tuple[Callable[[Any], Any], float]:
    """Return an interpolating kernel and how far it reaches."""
    if resample == "bilinear":
        return lambda x: (1 - abs(x)) * (abs(x) < 1), 1.0
    if resample == "bicubic":
        return lambda x: cubic(x, a), 2.0
    if resample == "lanczos":
        return _lanczos, float(_LOBES)
    raise ValueError(f"kernel_of: expected bilinear, bicubic or lanczos; got {resample!r}")


@functools.lru_cache(maxsize=64)
def windows(n_in: int, n_out: int, start: float, stop: float, resample: str, a: float = -0.5, antialias: bool = True,
            outside: Literal["normalize", "replicate"] = "normalize") -> Windows:
    """Return the weights that sample start..stop of `n_in` samples anew in `n_out`.

    Args:
        n_in: number of input samples.
        n_out: number of output samples.
        start: where the first output sample begins.
        stop: where the last one ends.
        resample: "nearest"; "bilinear", "bicubic" and "lanczos", stretched by the factor of a reduction if
            `antialias`; "area", the mean of what an output sample covers.
        a: of "bicubic", the slope at distance 1.
        antialias: see above.
        outside: what lies outside does not count, or repeats the edge.

    Returns:
        windows inside 0..n_in; the weights of each sum to 1.

    Example:
        >>> windows(4, 2, 0, 4, "area").weights.tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    step = (stop - start) / n_out
    centre = start + (np.arange(n_out) + 0.5) * step
    if resample == "nearest":
        return Windows(np.clip(np.floor(centre), 0, n_in - 1).astype(np.int64), np.ones((n_out, 1)), n_in)
    if resample == "area":
        first = np.floor(centre - step / 2 + 1e-9)
        taps = math.ceil(step + 1e-9) + 1
        at = first[:, None] + np.arange(taps)
        low, high = (centre - step / 2)[:, None], (centre + step / 2)[:, None]
        weights = np.clip(np.minimum(at + 1, high) - np.maximum(at, low), 0, None)
    else:
        kernel, reach = kernel_of(resample, a)
        stretch = max(1.0, step) if antialias else 1.0
        first = np.floor(centre - reach * stretch - 0.5 + 1e-9) + 1
        taps = math.ceil(2 * reach * stretch - 1e-9) + 1
        at = first[:, None] + np.arange(taps)
        weights = kernel((centre[:, None] - at - 0.5) / stretch)
    weights = np.where(np.abs(weights) < 1e-12, 0, weights)
    return _inside(at.astype(np.int64), weights, n_in, outside)


def _inside(at: np.ndarray, weights: np.ndarray, n_in: int, outside: str) -> Windows:
    """Fold positions into 0..n_in, let every row sum to 1, and drop columns of zeros."""
    if outside == "normalize":
        weights = np.where((at >= 0) & (at < n_in), weights, 0)
    total = weights.sum(1, keepdims=True)
    lost = np.abs(total) < 1e-9   # wholly outside: the nearest sample
    weights = np.where(lost, (at == np.clip(at, 0, n_in - 1).clip(at.min(1, keepdims=True))), weights)
    total = weights.sum(1, keepdims=True)
    alone = np.abs(total[:, 0]) < 1e-9
    weights = weights / np.where(np.abs(total) < 1e-9, 1, total)
    folded = np.clip(at, 0, n_in - 1)
    used = weights != 0
    low = np.where(used, folded, n_in).min(1)
    high = np.where(used, folded, -1).max(1)
    low, high = np.where(alone, folded[:, 0], low), np.where(alone, folded[:, 0], high)
    width = int((high - low).max()) + 1
    starts = np.minimum(low, n_in - width)
    made = np.zeros((len(at), width))
    rows = np.broadcast_to(np.arange(len(at))[:, None], at.shape)
    np.add.at(made, (rows[used], (folded - starts[:, None])[used]), weights[used])
    made[alone, (folded[:, 0] - starts)[alone]] = 1
    return Windows(starts, made, n_in)


def resample_planes(image: Tensor, rows: Windows, columns: Windows) -> Tensor:
    """Sample every plane anew: rows first, then columns.

    Args:
        image: (B, C, H, W), floating; half precision is computed in float32.
        rows: from H to h samples.
        columns: from W to w samples.

    Returns:
        (B, C, h, w), same dtype and device; differentiable in the image.

    Example:
        >>> half = windows(4, 2, 0, 4, "area")
        >>> resample_planes(torch.arange(16.0).reshape(1, 1, 4, 4), half, half).flatten().tolist()
        [2.5, 4.5, 10.5, 12.5]
    """
    if rows.still and columns.still:
        return image.clone()
    if image.dtype in (torch.float16, torch.bfloat16):
        return resample_planes(image.float(), rows, columns).to(image.dtype)
    if image.dtype != torch.float32 or image.device.type != "cpu":
        return apply(image, rows.band, columns.band)
    made: Tensor = _Resample.apply(image, rows, columns)
    return made


def by_kernel(image: Tensor, rows: Windows, columns: Windows) -> Tensor:
    """As `resample_planes`, of float32 on the processor and without a gradient."""
    source = image.detach().contiguous().flatten(0, 1).numpy()
    result = empty((*image.shape[:2], len(rows.starts), len(columns.starts)))
    target = result.flatten(0, 1).numpy()
    kernel = load("resample")
    units = len(source) * -(-target.shape[1] // kernel.ROWS)
    given = (source, *rows.single, *columns.single, columns.still, target)
    parallel_rows(lambda a, b: kernel.resample(*given, a, b), 0, units, max(1, units // (8 * threads())))
    return result


class _Resample(torch.autograd.Function):
    """`A_y X A_x^T` by the kernel; the derivative is the same with the transposed windows."""

    @staticmethod
    def forward(image: Tensor, rows: Windows, columns: Windows) -> Tensor:
        return by_kernel(image, rows, columns)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.rows, ctx.columns = inputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        made: Tensor = _Resample.apply(grads[0], ctx.rows.transpose, ctx.columns.transpose)
        return made, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        made: Tensor = _Resample.apply(tangents[0], ctx.rows, ctx.columns)
        return made


def by_levels(image: Tensor, rows: Windows, columns: Windows, levels: int = 256) -> Tensor:
    """As `resample_planes`, but after the rows and after the columns values become whole levels, as 8-bit pictures do.

    Half a level is rounded away from zero. Computed in float64; the gradient is that without rounding.
    """
    top = levels - 1

    def whole(values: Tensor) -> Tensor:
        rounded = (values.detach() + 0.5).floor().clamp(0, top)
        return values + (rounded - values.detach()) if values.requires_grad else rounded

    # In levels, not in 0..1: weights of a whole factor are sums of powers of two, and halves stay halves.
    tall = whole(apply(whole(image.double() * top), rows.band, still(columns.n_in).band))
    return (whole(apply(tall, still(tall.shape[-2]).band, columns.band)) / top).to(image.dtype)


def still(n: int) -> Windows:
    """Return the windows that change nothing."""
    return Windows(np.arange(n), np.ones((n, 1)), n)
