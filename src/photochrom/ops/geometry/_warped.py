"""What the operations that sample at any place share: matrices, light, limits."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.num.strips import pointwise
from photochrom.num.warping import centred, moves_whole, warp_planes

MOST = 1 << 30
"""Pixels of a result, as many as are read."""
_SINGULAR = 1e12
"""The greatest condition of a matrix, places measured in halves of the longer side: beyond, little more than rounding
is left of what it says."""


def check_size(who: str, tall: int, wide: int) -> None:
    """Raise if a result would be too large to be a mistake worth computing."""
    if tall * wide > MOST:
        raise ControlError(f"{who}: the result would have {wide} x {tall} pixels, more than a thousand million")


def as_matrices(who: str, matrix: tuple[tuple[float, ...], ...] | Tensor, rows: int, image: Tensor) -> Tensor:
    """Return a control as matrices (1 or B, 3, 3) in float64 on the picture's device, with its gradient."""
    given = matrix if isinstance(matrix, Tensor) else torch.tensor(matrix, dtype=torch.float64)
    batch = len(image)
    if given.ndim not in (2, 3) or given.shape[-2:] != (rows, 3) or (given.ndim == 3 and len(given) not in (1, batch)):
        raise ControlError(f"{who}: matrix must have {rows} rows of 3 numbers, got the shape {tuple(given.shape)}")
    whole = given.to(device=image.device, dtype=torch.float64).reshape(-1, rows, 3)
    if not bool(whole.detach().isfinite().all()):
        raise ControlError(f"{who}: matrix must hold finite numbers, got {given.detach().flatten().tolist()}")
    if rows == 2:
        last = whole.new_tensor([0.0, 0.0, 1.0]).expand(len(whole), 1, 3)
        whole = torch.cat([whole, last], 1)
    return whole


def inverse(who: str, matrices: Tensor, image: Tensor) -> Tensor:
    """Return the inverses (n, 3, 3), exact for matrices of whole numbers that keep areas, or raise."""
    height, width = image.shape[-2:]
    half = max(height, width) / 2
    scale = torch.diag(matrices.new_tensor([1 / half, 1 / half, 1.0]))
    plain = scale @ matrices.detach() @ scale.inverse()
    moved = plain.clone()
    moved[..., :2, 2] = 0   # a move alone makes no matrix singular
    if not bool((torch.linalg.cond(moved) < _SINGULAR).all()):
        raise ControlError(f"{who}: matrix cannot be inverted, because it maps the picture onto a line or a point: got "
                           f"{matrices.detach().tolist()}")
    a, b, c = matrices.unbind(-2)
    columns = [torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)]
    return torch.stack(columns, -1) / (a * columns[0]).sum(-1)[..., None, None]


def warped(who: str, image: Tensor, theta: Tensor | None, flow: Tensor | None, size: tuple[int, int], resample: str,
           border: str, space: str) -> Tensor:
    """Sample a picture by matrices from points of the result to points of the picture, or by a flow."""
    check_size(who, *size)
    if theta is not None:
        theta = centred(theta)
        if not theta.requires_grad and moves_whole(theta):
            resample = "nearest"   # nothing lies between pixels: they are taken as they are
            if size == image.shape[-2:] and bool((theta == torch.eye(3).to(theta)).all()):
                return image.clone()
    if space == "linear" and resample != "nearest":
        light = warp_planes(pointwise(srgb_to_linear, image), theta, flow, size, resample, border)
        return pointwise(linear_to_srgb, light)
    return warp_planes(image, theta, flow, size, resample, border)
