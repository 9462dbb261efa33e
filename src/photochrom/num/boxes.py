"""Sampling the part of a picture inside a box, with the gradient in the picture and in the box."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.sampling import Windows, by_kernel, kernel_of

_CHUNKS = 16
"""Parts of a picture summed apart, then in order: the same sum with any number of threads."""


def resample_by_box(image: Tensor, box: Tensor, size: tuple[int, int], resample: str, a: float,
                    antialias: bool) -> Tensor:
    """Sample the part of a picture inside a box anew, with the gradient in the box's four numbers.

    Args:
        image: (1, C, H, W), floating.
        box: (4,): x0, y0, x1, y1, positions from the edge of the first pixel.
        size: height and width of the result.
        resample: as in `photochrom.num.sampling.windows`; "nearest" has a gradient of 0.
        a: of "bicubic".
        antialias: as in `photochrom.num.sampling.windows`.

    Returns:
        (1, C, h, w); the edge is repeated outside.

    Example:
        >>> ramp = torch.arange(6.0).expand(1, 1, 2, 6)
        >>> resample_by_box(ramp, torch.tensor([1.0, 0, 5, 2]), (1, 2), "area", -0.5, True).flatten().tolist()
        [1.5, 3.5]
    """
    wide = image if image.dtype in (torch.float32, torch.float64) else image.float()
    # Weights are worked out in float64: at column 4000 a position in float32 is off by 2^-12.
    edges = box.to(device=wide.device, dtype=torch.float64)
    top, down = _weights(edges[1], edges[3], size[0], wide.shape[-2], resample, a, antialias)
    left, across = _weights(edges[0], edges[2], size[1], wide.shape[-1], resample, a, antialias)
    down, across = down.to(wide.dtype), across.to(wide.dtype)
    if wide.dtype == torch.float32 and wide.device.type == "cpu":
        made: Tensor = _ByWeights.apply(wide, down, across, top, left)
    else:
        made = _along(_along(wide.transpose(-1, -2), top, down).transpose(-1, -2), left, across)
    return made.to(image.dtype)


def _weights(start: Tensor, stop: Tensor, count: int, n: int, resample: str, a: float,
             antialias: bool) -> tuple[Tensor, Tensor]:
    """Return for each output the first input read, and the weights from there on, which have the gradient."""
    step = (stop - start) / count
    centre = start + (torch.arange(count, dtype=start.dtype, device=start.device) + 0.5) * step
    if resample == "nearest":
        at = centre.detach().floor().clamp(0, n - 1).long()
        return at, torch.ones_like(centre)[:, None] + 0 * centre[:, None]
    known = float(step.detach())
    if resample == "area":
        first = (centre.detach() - known / 2).floor()
        at = first[:, None] + torch.arange(math.ceil(known) + 1, device=start.device)
        low, high = (centre - step / 2)[:, None], (centre + step / 2)[:, None]
        weights = (torch.minimum(at + 1, high) - torch.maximum(at, low)).clamp(min=0)
    else:
        kernel, reach = kernel_of(resample, a)
        stretch = torch.maximum(step, torch.ones_like(step)) if antialias else torch.ones_like(step)
        span = reach * float(stretch.detach())
        first = (centre.detach() - span - 0.5).floor() + 1   # the kernel is 0 where its reach ends
        at = first[:, None] + torch.arange(math.ceil(2 * span), device=start.device)
        weights = kernel((centre[:, None] - at - 0.5) / stretch)
    weights = weights / weights.sum(1, keepdim=True)
    # What lies outside is added to the edge, so that every output reads inputs that lie in a row.
    width = min(at.shape[1], n)
    starts = first.long().clamp(0, n - width)
    folded = torch.zeros(count, width, dtype=weights.dtype, device=start.device)
    return starts, folded.scatter_add(1, at.long().clamp(0, n - 1) - starts[:, None], weights)


def _along(image: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
    """Sample the last axis anew: a sum over the taps of gathered columns, all of it differentiable."""
    total = image[..., starts] * weights[:, 0]
    for k in range(1, weights.shape[1]):
        total = total + image[..., starts + k] * weights[:, k]
    return total


class _ByWeights(torch.autograd.Function):
    """`A X B^T` by the kernel, with the gradient in X, in the weights of A (down) and in those of B (across)."""

    @staticmethod
    def forward(image: Tensor, down: Tensor, across: Tensor, top: Tensor, left: Tensor) -> Tensor:
        return by_kernel(image, _windows(top, down, image.shape[-2]), _windows(left, across, image.shape[-1]))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        image, down, across, top, left = ctx.saved_tensors
        rows, columns = _windows(top, down, image.shape[-2]), _windows(left, across, image.shape[-1])
        grad = grads[0]
        wanted = ctx.needs_input_grad
        if wanted[1] or wanted[2]:
            return (*_gradients(image, grad, rows, columns, wanted[0]), None, None)
        in_image = by_kernel(grad, rows.transpose, columns.transpose) if wanted[0] else None
        return in_image, None, None, None, None


def _windows(starts: Tensor, weights: Tensor, n: int) -> Windows:
    return Windows(starts.numpy(), weights.detach().numpy(), n)


def _gradients(image: Tensor, grad: Tensor, rows: Windows, columns: Windows,
               in_image: bool) -> tuple[Tensor | None, Tensor, Tensor]:
    """Return the gradients in the picture, in the weights down, <X, G B>, and in those across, <A X, G>."""
    source, given = (tensor.detach().contiguous().flatten(0, 1).numpy() for tensor in (image, grad))
    kernel = load("resample")
    blocks = -(-given.shape[1] // kernel.ROWS)
    length = -(-blocks // _CHUNKS)
    into = empty(image.shape) if in_image else empty((0, 0, *image.shape[2:]))
    down, (width, taps) = empty(rows.weights.shape), columns.weights.shape
    parts = np.zeros((_CHUNKS, width, -(-taps // kernel.SUMS) * kernel.SUMS), np.float32)
    args = (source, given, *rows.single, columns.single[0], *rows.transpose.single, *columns.transpose.single,
            into.flatten(0, 1).numpy(), down.numpy())

    def chunks(first: int, last: int) -> None:
        for part in range(first, last):
            kernel.gradients(*args, parts[part], min(blocks, part * length), min(blocks, (part + 1) * length))

    parallel_rows(chunks, 0, _CHUNKS, 1)
    across = torch.from_numpy(parts[..., :taps].sum(0, dtype=np.float64).astype(np.float32))
    return into if in_image else None, down, across
