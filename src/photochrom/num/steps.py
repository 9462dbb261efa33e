"""Values in steps: rounding to few levels, dither patterns, and the gradient that passes through all of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows


class _Straight(torch.autograd.Function):
    """Forwards the second argument, backwards the gradient as if it had been the first."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, stepped: Tensor) -> Tensor:
        return stepped.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def straight_through(value: Tensor, stepped: Tensor) -> Tensor:
    """Return `stepped`, with the gradient of `value` (Bengio, Léonard, Courville 2013).

    Example:
        >>> x = torch.tensor(0.3, requires_grad=True)
        >>> straight_through(x, x.detach().round()).backward()
        >>> x.grad.item()
        1.0
    """
    if not (torch.is_grad_enabled() and value.requires_grad):
        return stepped
    return _Straight.apply(value, stepped.detach())   # type: ignore[no-any-return, no-untyped-call]


def parted(image: Tensor, limit: float | Tensor, softness: float) -> Tensor:
    """Return 1 where `image` exceeds `limit` and 0 elsewhere, with the passage as soft as wanted."""
    if softness > 0:
        return torch.sigmoid((image - limit) / softness)
    hard = (image > limit).to(image.dtype)
    if not torch.is_grad_enabled():
        return hard
    apart = image - limit
    return hard + apart.clamp(-1, 1) * 0 if apart.requires_grad else hard   # part of the graph, with slope 0


def to_levels(values: Tensor, levels: int, offset: float | Tensor = 0.5) -> Tensor:
    """Round to multiples of 1 / (levels - 1): floor(v (levels - 1) + offset) / (levels - 1).

    Example:
        >>> to_levels(torch.tensor([0.0, 0.49, 0.5, 1.2]), 2).tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    return torch.floor(values * (levels - 1) + offset) / (levels - 1)


def ordered(height: int, width: int, like: Tensor) -> Tensor:
    """Return Bayer's 8 x 8 pattern over a frame: offsets of mean 1/2 in (0, 1) for `to_levels`, (height, width)."""
    pattern = torch.zeros(1, 1, dtype=torch.float64)
    for _ in range(3):
        pattern = torch.cat([torch.cat([4 * pattern, 4 * pattern + 2], 1),
                             torch.cat([4 * pattern + 3, 4 * pattern + 1], 1)], 0)
    return ((pattern + 0.5) / 64).repeat(-(-height // 8), -(-width // 8))[:height, :width].to(like)


def diffused(image: Tensor, levels: int) -> Tensor:
    """Round pixel by pixel in reading order, handing each error on: 7/16 to the right, 3, 5 and 1/16 below.

    Args:
        image: (B, C, H, W), floating.
        levels: at least 2.

    Returns:
        The same shape and dtype, multiples of 1 / (levels - 1).

    Reference:
        Floyd, Steinberg: An Adaptive Algorithm for Spatial Grey Scale. Proc. SID 17(2), 1976.

    Example:
        >>> diffused(torch.full((1, 1, 8, 8), 0.25), 2).mean().item()
        0.21875
    """
    image = image.detach()
    if image.device.type == "cpu" and image.dtype == torch.float32:
        source = image.contiguous()
        result = torch.empty_like(source)
        planes, out = source.flatten(0, 1).numpy(), result.flatten(0, 1).numpy()
        kernel = load("diffusion")
        parallel_rows(lambda a, b: kernel.diffuse(planes[a:b], levels, out[a:b]), 0, len(planes), 1)
        return result
    return _diffused(image, levels)


def _diffused(image: Tensor, levels: int) -> Tensor:
    """The definition. Pixels of one x + 2 y wait only for earlier ones, so each such line is done at once."""
    height, width = image.shape[-2:]
    result, top = torch.empty_like(image), levels - 1
    # The error at row y, column x stands at [y + 1, x + 1]; around the frame there is none.
    error = image.new_zeros(*image.shape[:2], height + 1, width + 2)
    for line in range(width + 2 * height - 2):
        low, high = max(0, -(-(line - width + 1) // 2)), min(height - 1, line // 2)
        y = torch.arange(low, high + 1, device=image.device)
        x = line - 2 * y
        above = error[..., y, x] + error[..., y, x + 1] * 5 + error[..., y, x + 2] * 3
        wanted = image[..., y, x] * top + (above + error[..., y + 1, x] * 7) / 16
        rounded = torch.floor(wanted + 0.5)
        error[..., y + 1, x + 1] = wanted - rounded
        result[..., y, x] = rounded / top
    return result
