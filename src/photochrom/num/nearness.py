"""Means over neighbours that are near in place and in value: the bilateral filter, the guided filter."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.bands import box
from photochrom.num.borders import Border, fold
from photochrom.num.kernels import load
from photochrom.num.medians import padded
from photochrom.num.parallel import parallel_rows, threads
from photochrom.num.plain import is_plain_float
from photochrom.num.strips import pointwise


def bilateral_radius(sigma: float) -> int:
    """Return where the Gaussian of place is cut: at 2 sigma, rounded, at least one pixel."""
    return max(1, int(2 * sigma + 0.5))


def bilateral_exact(image: Tensor, sigma: float, sigma_range: float, border: Border) -> Tensor:
    """Average each pixel with the pixels of the disc around it, weighted by nearness in place and in colour.

    w = exp(-|p - q|^2 / 2 sigma^2 - |I_p - I_q|^2 / 2 sigma_range^2), |I_p - I_q| the distance over all channels.

    Args:
        image: (B, C, H, W), floating.
        sigma: of the Gaussian of place.
        sigma_range: of the Gaussian of colour.
        border: what lies outside.

    Returns:
        (B, C, H, W).
    """
    radius = bilateral_radius(sigma)
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    disc = x * x + y * y <= radius * radius
    offsets = np.stack([y[disc], x[disc]], 1) + radius
    place = -(x[disc] ** 2 + y[disc] ** 2) / (2 * sigma ** 2) * math.log2(math.e)
    rate = -math.log2(math.e) / (2 * sigma_range ** 2)
    if not is_plain_float(image) or border == "normalize":
        return _definition(image, radius, offsets, place, rate, border)
    result = empty(image.shape)
    kernel, height = load("bilateral").filter_rows, image.shape[-2]
    for picture, target in zip(image, result, strict=True):
        around = np.stack([padded(plane.numpy(), radius, border) for plane in picture])
        run = functools.partial(kernel, around, offsets.astype(np.int64), place.astype(np.float32), np.float32(rate),
                                target.numpy())
        parallel_rows(run, 0, height, max(1, height // (8 * threads())))
    return result


def _definition(image: Tensor, radius: int, offsets: np.ndarray, place: np.ndarray, rate: float,
                border: Border) -> Tensor:
    height, width = image.shape[-2:]
    rows, columns = (torch.from_numpy(fold(np.arange(-radius, n + radius), n, border)).to(image.device)
                     for n in (height, width))
    around = image[..., rows.clamp(min=0), :][..., columns.clamp(min=0)]
    outside = ((rows < 0)[:, None] | (columns < 0)).to(image.dtype)
    if border == "constant":
        around = around * (1 - outside)
    total, sums = torch.zeros_like(image[:, :1]), torch.zeros_like(image)
    for (top, left), far in zip(offsets, place, strict=True):
        there = around[..., top:top + height, left:left + width]
        weight = torch.exp2(far + rate * (there - image).square().sum(1, keepdim=True))
        if border == "normalize":
            weight = weight * (1 - outside[top:top + height, left:left + width])
        total, sums = total + weight, sums + weight * there
    return sums / total


def guided(image: Tensor, guide: Tensor, radius: int, eps: float, border: Border) -> Tensor:
    """Smooth a picture so that in every window it is a linear function of a guide.

    In each window q = a . I + b with (a, b) of least squares, a = (Sigma + eps)^-1 cov(I, p); the result takes the mean
    of a and b over all windows a pixel lies in.

    Args:
        image: p, (B, C, H, W), floating.
        guide: I, (B, 1 or 3, H, W).
        radius: of the windows.
        eps: variance of the guide below which it counts as flat.
        border: what lies outside.

    Returns:
        (B, C, H, W).
    """
    def mean(values: Tensor) -> Tensor:
        return box(values, radius, border=border)

    if image is guide:
        middle, square = mean(guide), mean(pointwise(torch.square, guide))
        a = pointwise(lambda s, m: _share(s, m, eps), square, middle)
        b = pointwise(lambda m, a: torch.addcmul(m, m, a, value=-1), middle, a)
        return pointwise(lambda a, b, i: torch.addcmul(b, a, i), mean(a), mean(b), guide)
    middle, own = mean(guide), mean(image)
    if guide.shape[1] == 1:
        spread = (mean(guide * guide) - middle * middle).clamp(min=0)
        a = (mean(guide * image) - middle * own) / (spread + eps)
        return mean(a) * guide + mean(own - a * middle)
    return _guided_by_colour(image, guide, middle, own, eps, border, radius)


def _share(square: Tensor, middle: Tensor, eps: float) -> Tensor:
    """Return spread / (spread + eps), 0 where rounding makes a spread negative."""
    spread = torch.addcmul(square, middle, middle, value=-1).clamp(min=0)
    return spread / (spread + eps)


def _guided_by_colour(image: Tensor, guide: Tensor, middle: Tensor, own: Tensor, eps: float, border: Border,
                      radius: int) -> Tensor:
    def mean(values: Tensor) -> Tensor:
        return box(values, radius, border=border)

    r, g, b = guide.unbind(1)
    i, j = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 1, 2, 1, 2, 2])
    products = mean(torch.stack([r * r, r * g, r * b, g * g, g * b, b * b], 1))
    rr, rg, rb, gg, gb, bb = (products - middle[:, i] * middle[:, j]).unbind(1)
    rr, gg, bb = rr + eps, gg + eps, bb + eps
    # the inverse of a symmetric 3 x 3 matrix by its cofactors
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    whole = (rr * c00 + rg * c01 + rb * c02)[:, None]
    made = []
    for channel in range(image.shape[1]):
        p, m = image[:, channel:channel + 1], own[:, channel:channel + 1]
        x, y, z = (mean(guide * p) - middle * m).unbind(1)
        a = torch.stack([c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z], 1)
        a = a / whole
        offset = m - (a * middle).sum(1, keepdim=True)
        made.append((mean(a) * guide).sum(1, keepdim=True) + mean(offset))
    return torch.cat(made, 1)
