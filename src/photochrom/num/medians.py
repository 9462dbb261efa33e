"""Medians of square windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.num.borders import Border, fold
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows, threads
from photochrom.num.plain import is_plain_float

_DTYPES = {np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)}


def median(image: Tensor, radius: int, border: Border) -> Tensor:
    """Return the median of the (2 radius + 1)^2 values around each pixel, channel by channel.

    Args:
        image: (B, C, H, W), floating.
        radius: at least 1.
        border: what lies outside; `normalize` takes the middle of what is inside (the lower of two).

    Returns:
        (B, C, H, W); the gradient goes to the pixel whose value was taken.
    """
    if not is_plain_float(image) or border == "normalize":
        return _definition(image, radius, border)
    planes = image.flatten(0, 1).numpy()
    return torch.from_numpy(np.stack([median_samples(plane, radius, border) for plane in planes])).reshape(image.shape)


def median_samples(plane: np.ndarray, radius: int, border: Border) -> np.ndarray:
    """As `median`, of one plane (H, W) of uint8, uint16 or float32; border not `normalize`."""
    height, width = plane.shape
    around = padded(plane, radius, border)
    out = np.empty((height, width), plane.dtype)
    kernels = load("medians")
    if radius <= 2 and width >= kernels.BYTES // plane.itemsize:
        run: Any = kernels.small
    else:
        run = kernels.of_bytes if plane.dtype == np.uint8 else kernels.selected
    parallel_rows(lambda a, b: run(around, radius, out, a, b), 0, height, max(1, height // (8 * threads())))
    return out


def padded(plane: np.ndarray, radius: int, border: Border) -> np.ndarray:
    """Return a plane (H, W) with `radius` more rows and columns on each side, contiguous."""
    rows, columns = (fold(np.arange(-radius, n + radius), n, border) for n in plane.shape)
    height, width = plane.shape
    made = np.empty((height + 2 * radius, width + 2 * radius), plane.dtype)
    middle = made[radius:radius + height]
    middle[:, radius:radius + width] = plane
    for edge in (np.s_[:radius], np.s_[radius + width:]):
        middle[:, edge] = plane[:, columns[edge]]
    if border == "constant":
        middle[:, columns < 0] = 0
    for edge in (np.s_[:radius], np.s_[radius + height:]):
        made[edge] = middle[rows[edge]]
    if border == "constant":
        made[rows < 0] = 0
    return made


def _definition(image: Tensor, radius: int, border: Border) -> Tensor:
    height, width = image.shape[-2:]
    rows, columns = (torch.from_numpy(fold(np.arange(-radius, n + radius), n, border)).to(image.device)
                     for n in (height, width))
    around = image[..., rows.clamp(min=0), :][..., columns.clamp(min=0)]
    outside = (rows < 0)[:, None] | (columns < 0)
    if border in ("constant", "normalize"):
        around = torch.where(outside, torch.nan if border == "normalize" else 0.0, around)
    side = 2 * radius + 1
    stack = torch.stack([around[..., y:y + height, x:x + width] for y in range(side) for x in range(side)])
    return stack.nanmedian(0).values if border == "normalize" else stack.median(0).values
