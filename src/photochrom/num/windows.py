"""Least squares over the differences within windows: the graph Laplacian of a window, and its solution."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

STEPS = 300
"""At most; a picture takes about ten."""


def box_sum(image: Tensor, radius: int) -> Tensor:
    """Return the sum over windows (2 radius + 1)^2, cut at the edge, of (B, 1, H, W)."""
    for axis in (-2, -1):
        size = image.shape[axis]
        sums = torch.nn.functional.pad(image.cumsum(axis), (1, 0) if axis == -1 else (0, 0, 1, 0))
        place = torch.arange(size, device=image.device)
        image = (sums.index_select(axis, (place + radius + 1).clamp(max=size))
                 - sums.index_select(axis, (place - radius).clamp(min=0)))
    return image


def window_laplacian(image: Tensor, radius: int) -> Tensor:
    """Return, at i, the sum over the window of x_i - x_j."""
    return box_sum(torch.ones_like(image[:1]), radius) * image - box_sum(image, radius)


def solve_windows(asked: Tensor, start: Tensor, radius: int, tolerance: float) -> Tensor:
    """Return x of the mean of `start` with window_laplacian(x) = asked, by preconditioned conjugate gradients.

    Every step lowers the sum over pairs of ((x_i - x_j) - delta_ij)^2, so that wherever it stops this is at most that
    of `start`. The slope in `asked` is another solution; `start` passes its mean.

    Args:
        asked: (B, 1, H, W), of sum 0.
        start: (B, 1, H, W).
        radius: of the windows.
        tolerance: the largest residual left, of the length of `asked`.

    Returns:
        (B, 1, H, W), float64.
    """
    mean = start.double().mean((-2, -1), keepdim=True)
    return mean + _Solve.apply(asked.double(), (start.double() - mean).detach(), radius, tolerance)


class _Solve(torch.autograd.Function):
    """The solution of mean 0. The system is symmetric, so the same solution takes the slope back."""

    @staticmethod
    def forward(ctx: Any, asked: Tensor, start: Tensor, radius: int, tolerance: float) -> Tensor:
        ctx.radius, ctx.tolerance = radius, tolerance
        return _conjugate_gradients(asked, start, radius, tolerance)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:   # type: ignore[override]
        centred = slope - slope.mean((-2, -1), keepdim=True)
        return _conjugate_gradients(centred, torch.zeros_like(slope), ctx.radius, ctx.tolerance), None, None, None


def _conjugate_gradients(asked: Tensor, start: Tensor, radius: int, tolerance: float) -> Tensor:
    weight, inverse = box_sum(torch.ones_like(asked[:1]), radius), _eigenvalues(asked, radius)
    # scaling saves most steps where many windows are cut, and costs some where few are
    wide, total = 8 * radius >= min(asked.shape[-2:]), (-2, -1)
    scale = (weight.amax() / weight).sqrt() if wide else torch.ones_like(weight)

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(total, keepdim=True)

    x = start
    rest = asked - (weight * x - box_sum(x, radius))
    goal = tolerance ** 2 * dot(asked, asked)
    ready = _precondition(rest, inverse, scale)
    way, size = ready, dot(rest, ready)
    for _ in range(STEPS):
        open_ = dot(rest, rest) > goal   # a picture that is done stays as it is
        if not open_.any():
            break
        image = weight * way - box_sum(way, radius)
        under = dot(way, image)
        step = torch.where(open_ & (under > 0), size / torch.where(under > 0, under, 1), 0)
        x, rest = x + step * way, rest - step * image
        ready = _precondition(rest, inverse, scale)
        new = dot(rest, ready)
        way, size = ready + torch.where(size > 0, new / torch.where(size > 0, size, 1), 0) * way, new
    return x - x.mean(total, keepdim=True)


def _eigenvalues(image: Tensor, radius: int) -> Tensor:
    """Return the inverse eigenvalues of the Laplacian of a mirrored picture, for the transform of its mirror image."""
    sums = []
    for size, count in ((image.shape[-2], 2 * image.shape[-2]), (image.shape[-1], image.shape[-1] + 1)):
        reach = min(radius, size - 1)
        angle = torch.arange(count, dtype=image.dtype, device=image.device) * (torch.pi / size)
        sums.append((2 * torch.cos(angle[:, None] * torch.arange(1, reach + 1, device=image.device)).sum(1) + 1)
                    / (2 * reach + 1))
    inside = 1 - sums[0][:, None] * sums[1]
    area = (2 * min(radius, image.shape[-2] - 1) + 1) * (2 * min(radius, image.shape[-1] - 1) + 1)
    inverse = torch.where(inside > 1e-12, 1 / (area * torch.where(inside > 1e-12, inside, 1)), 0)
    inverse[0, 0] = 1 / area
    return inverse


def _precondition(rest: Tensor, inverse: Tensor, scale: Tensor) -> Tensor:
    """Solve the mirrored picture, whose windows are whole, in place of the picture; scaled where windows are cut."""
    height, width = rest.shape[-2:]
    rest = rest * scale
    mirrored = torch.cat([rest, rest.flip(-2)], -2)
    mirrored = torch.cat([mirrored, mirrored.flip(-1)], -1)
    back = torch.fft.irfft2(torch.fft.rfft2(mirrored) * inverse, s=mirrored.shape[-2:])
    return back[..., :height, :width] * scale
