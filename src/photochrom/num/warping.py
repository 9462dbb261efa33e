"""Sampling a picture at any place: by a matrix or by a flow, in three kinds, with every border.

Places are those of pixel centres counted from 0: what a user calls (x, y) lies here at (x - 1/2, y - 1/2). A place that
is NaN gives NaN; one at infinity, where a matrix leads behind the viewer, gives 0 with any border.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows, threads

TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
BORDERS = ("reflect", "replicate", "circular", "constant")
_FAR = 2.0**30
"""Places further away are moved here: their whole part must fit 32 bits."""
_BANDS = 16
"""Of rows of a source that share out its gradient."""


def places_of_matrix(theta: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return where the pixels of a result come from.

    Args:
        theta: (3, 3), from the pixel centres of the result to those of the source.
        size: height and width of the result.

    Returns:
        x and y, each (h, w); x is infinite where the third coordinate is not positive.

    Example:
        >>> x, y = places_of_matrix(torch.eye(3, dtype=torch.float64), (1, 2))
        >>> x.tolist(), y.tolist()
        ([[0.0, 1.0]], [[0.0, 0.0]])
    """
    i = torch.arange(size[0], dtype=theta.dtype, device=theta.device)[:, None]
    j = torch.arange(size[1], dtype=theta.dtype, device=theta.device)
    x = theta[0, 0] * j + (theta[0, 1] * i + theta[0, 2])
    y = theta[1, 0] * j + (theta[1, 1] * i + theta[1, 2])
    last = theta[2].detach()
    if theta.requires_grad or last[0] != 0 or last[1] != 0 or last[2] != 1:
        w = theta[2, 0] * j + (theta[2, 1] * i + theta[2, 2])
        seen = w > 0
        w = torch.where(seen, w, torch.ones_like(w))
        x, y = torch.where(seen, x / w, torch.inf), y / w
    return x, y


def places_of_flow(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the pixels of a result come from that lie `flow` (2, h, w) away; NaN where it is not finite."""
    wide = flow.double()
    x = wide[0] + torch.arange(flow.shape[2], dtype=wide.dtype, device=flow.device)
    y = wide[1] + torch.arange(flow.shape[1], dtype=wide.dtype, device=flow.device)[:, None]
    return torch.where(x.isfinite() & y.isfinite(), x, torch.nan), y


def sample(image: Tensor, x: Tensor, y: Tensor, resample: str, a: float, border: str) -> Tensor:
    """Sample a picture at places: the definition, on any device and in any dtype, with every derivative.

    Args:
        image: (C, H, W), float32 or float64.
        x: (h, w), float64.
        y: (h, w).
        resample: nearest, bilinear or bicubic.
        a: slope of the cubic kernel at distance 1.
        border: one of `BORDERS`.

    Returns:
        (C, h, w).

    Example:
        >>> x, y = torch.tensor([[0.25]]).double(), torch.tensor([[0.0]]).double()
        >>> sample(torch.tensor([[[1.0, 3.0]]]), x, y, "bilinear", -0.5, "reflect").item()
        1.5
    """
    channels, height, width = image.shape
    nothing, bad = x.detach() == torch.inf, (x + y).detach().isnan()
    off = nothing | bad
    columns = _along(torch.where(off, 0.0, x), width, resample, a, border, image.dtype)
    rows = _along(torch.where(off, 0.0, y), height, resample, a, border, image.dtype)
    flat, made = image.reshape(channels, height * width), torch.zeros((), dtype=image.dtype, device=image.device)
    for row, down in rows:
        for column, across in columns:
            inside = (row >= 0) & (column >= 0)
            at = (row * width + column).where(inside, 0).flatten()
            # a border of zeros is chosen, not weighed: NaN in the pixel that stands in for it must not come through
            value = _take(flat, at).reshape(channels, *x.shape)
            made = made + torch.where(inside, value, 0.0) * (down * across)
    made = torch.where(nothing & ~y.isnan(), torch.zeros_like(made), made)
    return torch.where(bad, torch.full_like(made, torch.nan), made)


def _take(flat: Tensor, at: Tensor) -> Tensor:
    # both ways back add in a fixed order: on a graphics card that of indexing does, on the processor that of gather
    return flat[:, at] if flat.is_cuda else flat.gather(1, at.expand(len(flat), -1))


def _along(x: Tensor, n: int, resample: str, a: float, border: str, dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
    """Return the pixels around x and their weights, one pair a tap; -1 is no pixel."""
    x = x.clamp(-_FAR, _FAR)
    taps = TAPS[resample]
    low = (x.detach() + (0.5 if taps == 1 else 0.0)).floor()
    t = (x - low).to(dtype)
    if taps == 1:
        weights = [torch.ones_like(t.detach())]
    elif taps == 2:
        weights = [1 - t, t]
    else:
        before, here = a * t * (1 - t) * (1 - t), ((a + 2) * t - (a + 3)) * t * t + 1
        after = a * t * t * (1 - t)
        weights = [before, here, 1 - before - here - after, after]
    return [(fold_places(low.long() + k - taps // 4, n, border), weight) for k, weight in enumerate(weights)]


def fold_places(index: Tensor, n: int, border: str) -> Tensor:
    """Map pixels that may lie outside 0..n to those whose values they take, -1 for none.

    Example:
        >>> fold_places(torch.tensor([-2, 4]), 4, "reflect").tolist()
        [2, 2]
    """
    if border == "replicate":
        return index.clamp(0, n - 1)
    if border == "circular":
        return index.remainder(n)
    if border == "reflect":
        turn = index.remainder(max(2 * (n - 1), 1))
        return torch.minimum(turn, 2 * (n - 1) - turn)
    return torch.where((index >= 0) & (index < n), index, -1)


def warp_planes(image: Tensor, theta: Tensor | None, flow: Tensor | None, size: tuple[int, int], resample: str,
                border: str, a: float = -0.5) -> Tensor:
    """Sample every picture of a batch by its matrix or its flow.

    Args:
        image: (B, C, H, W); half precision is computed in float32.
        theta: (3, 3) or (B, 3, 3), float64, from pixel centres of the result to those of the source; or None.
        flow: (B or 1, 2, h, w), added to the place of each pixel; or None.
        size: height and width of the result.
        resample: nearest, bilinear or bicubic.
        border: one of `BORDERS`.
        a: slope of the cubic kernel at distance 1.

    Returns:
        (B, C, h, w), same dtype and device; differentiable in image, theta and flow.

    Example:
        >>> warp_planes(torch.tensor([[[[1.0, 3.0]]]]), None, torch.full((1, 2, 1, 2), 0.0), (1, 2), "bilinear",
        ...             "reflect").flatten().tolist()
        [1.0, 3.0]
    """
    if image.dtype in (torch.float16, torch.bfloat16):
        moved = None if flow is None else flow.float()
        return warp_planes(image.float(), theta, moved, size, resample, border, a).to(image.dtype)
    settings = (size, resample, border, a)
    thetas = None if theta is None else theta.expand(len(image), 3, 3)
    flows = None if flow is None else flow.expand(len(image), 2, *size)
    fast = image.dtype == torch.float32 and image.device.type == "cpu" and (flow is None or flow.dtype == image.dtype)
    made: list[Tensor] = [
        (_Warp.apply if fast else _defined)(picture, None if thetas is None else thetas[b],
                                            None if flows is None else flows[b], settings)
        for b, picture in enumerate(image)]
    return made[0][None] if len(made) == 1 else torch.stack(made)


def _defined(picture: Tensor, theta: Tensor | None, flow: Tensor | None, settings: tuple[Any, ...]) -> Tensor:
    size, resample, border, a = settings
    if theta is not None:
        x, y = places_of_matrix(theta, size)
    else:
        assert flow is not None
        x, y = places_of_flow(flow)
    return sample(picture, x, y, resample, a, border)


def _given(picture: Tensor, theta: Tensor | None, flow: Tensor | None, settings: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return source, theta, flow, taps, a and border as the kernel takes them."""
    import numpy as np

    _, resample, border, a = settings
    matrix = torch.eye(3, dtype=torch.float64) if theta is None else theta.detach().double()
    moved = torch.empty(2, 0, 0) if flow is None else flow.detach().contiguous()
    return (picture.detach().contiguous().numpy(), matrix.flatten().numpy().copy(), moved.numpy(), TAPS[resample],
            np.float32(a), BORDERS.index(border))


class _Warp(torch.autograd.Function):
    """`_defined` by the kernel, float32 on the processor."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, theta: Tensor | None, flow: Tensor | None,
                settings: tuple[Any, ...]) -> Tensor:
        ctx.save_for_backward(picture, theta, flow)
        ctx.settings = settings
        given = _given(picture, theta, flow, settings)
        made = empty((len(picture), *settings[0]))
        target, kernel = made.numpy(), load("warp")
        parallel_rows(lambda start, stop: kernel.sample(*given, target, start, stop), 0, settings[0][0], 16)
        return made

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        picture, theta, flow = ctx.saved_tensors
        if torch.is_grad_enabled():   # a derivative of the derivative is wanted
            inputs = [one for one, needed in zip((picture, theta, flow), ctx.needs_input_grad, strict=False) if needed]
            found = iter(torch.autograd.grad(_defined(picture, theta, flow, ctx.settings), inputs, grads[0],
                                             create_graph=True))
            return (*(next(found) if needed else None for needed in ctx.needs_input_grad[:3]), None)
        source, *place = _given(picture, theta, flow, ctx.settings)
        grad, kernel, size = grads[0].contiguous().numpy(), load("warp_back"), ctx.settings[0]
        of_picture = of_theta = of_flow = None
        if ctx.needs_input_grad[0]:
            of_picture = empty(picture.shape)
            spread = of_picture.numpy()

            def add(start: int, stop: int) -> None:
                spread[:, start:stop] = 0
                kernel.spread(grad, *place, spread, start, stop)

            # which rows a worker has changes no bit, see there
            height = picture.shape[-2]
            parallel_rows(add, 0, height, max(1, -(-height // (_BANDS if threads() > 1 else 1))))
        if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            flow_grad = empty((2, *size) if flow is not None else (2, 0, 0))
            sums = torch.zeros(size[0], 9, dtype=torch.float64)
            moves, rows = flow_grad.numpy(), sums.numpy()
            parallel_rows(lambda start, stop: kernel.slopes_of(grad, source, *place, moves, rows, start, stop),
                          0, size[0], 16)
            of_flow = flow_grad if flow is not None else None
            of_theta = None if theta is None else sums.sum(0).reshape(3, 3).to(theta)
        return of_picture, of_theta, of_flow, None


def centred(matrix: Tensor) -> Tensor:
    """Return a 3x3 matrix between points (x, y) as one between pixel centres counted from 0."""
    half = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    half[:2, 2] = 0.5
    back = half.clone()
    back[:2, 2] = -0.5
    return back @ matrix @ half


def moves_whole(theta: Tensor) -> bool:
    """Whether a matrix between pixel centres leads from each to one: nothing is between pixels then.

    Example:
        >>> moves_whole(torch.eye(3)), moves_whole(2.5 * torch.eye(3))
        (True, False)
    """
    return bool((theta == theta.round()).all()) and theta[..., 2, :].flatten().tolist() == [0, 0, 1] * (
        theta.numel() // 9)


def homography(before: Tensor, after: Tensor) -> Tensor:
    """Return the 3x3 matrix that leads four points to four points.

    Args:
        before: (4, 2), float64.
        after: (4, 2).

    Returns:
        (3, 3), its last entry 1. Points of which three lie on a line give no matrix: entries that are not finite.

    Example:
        >>> square = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1.0]]).double()
        >>> homography(square, 2 * square).diag().tolist()
        [2.0, 2.0, 1.0]
    """
    zero, one = torch.zeros_like(before[:, 0]), torch.ones_like(before[:, 0])
    x, y, u, v = before[:, 0], before[:, 1], after[:, 0], after[:, 1]
    upper = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], 1)
    lower = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], 1)
    found, failed = torch.linalg.solve_ex(torch.cat([upper, lower]), torch.cat([u, v]))
    found = torch.where(failed > 0, torch.nan, found)
    return torch.cat([found, one[:1]]).reshape(3, 3)
