"""Signed differences of colours (Gooch et al. 2005) and their weighted sums over many colours."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

PAIRS = 1 << 22
"""Pairs that torch holds at once."""


class Rule(NamedTuple):
    """How a difference of colours becomes a difference of grey."""

    theta: float
    """The hue, in degrees, towards which colours become lighter."""
    bound: float
    """The largest difference that chroma alone may make."""


def signed(light: Tensor, a: Tensor, b: Tensor, rule: Rule) -> Tensor:
    """Return the difference in grey that a difference in colour asks for.

    The difference of lightness, unless chroma differs more: then bound tanh(chroma / bound), positive towards theta.
    Exactly across theta neither side is the lighter one, and the difference of lightness stays. So swapping two
    colours changes the sign and nothing else.

    Args:
        light: differences of lightness, any shape.
        a: differences along the first axis of chroma.
        b: differences along the second axis of chroma.
        rule: theta and bound.

    Returns:
        Signed differences of the same shape.

    Example:
        >>> round(signed(torch.tensor(1.0), torch.tensor(-3.0), torch.tensor(0.0), Rule(45.0, 10.0)).item(), 5)
        -2.91313
    """
    square = a * a + b * b
    apart = square > 0   # the root has no slope at 0
    size = torch.where(apart, square, 1).sqrt()
    chroma = torch.where(apart, rule.bound * torch.tanh(size / rule.bound), 0)
    side = a * math.cos(math.radians(rule.theta)) + b * math.sin(math.radians(rule.theta))
    return torch.where((light.abs() > chroma) | (side == 0), light, torch.copysign(chroma, side))


def signed_sums(targets: Tensor, sources: Tensor, weight: Tensor, rule: Rule) -> Tensor:
    """Sum the signed differences from every source to each target.

    Args:
        targets: (T, 3), lightness and two axes of chroma.
        sources: (S, 3), the same.
        weight: (S,), how much each source counts.
        rule: theta and bound.

    Returns:
        (T,): the sum over j of weight[j] delta(target, source j), in the dtype of the targets.

    Example:
        >>> one = torch.tensor([[50.0, 0.0, 0.0]])
        >>> signed_sums(one + torch.tensor([10.0, 0.0, 0.0]), one, torch.ones(1), Rule(45.0, 10.0)).tolist()
        [10.0]
    """
    wants = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (targets, sources, weight))
    few = len(targets) * len(sources) <= PAIRS
    if targets.dtype == torch.float32 and targets.device.type == "cpu" and not wants and not few:
        return _kernel_sums(targets, sources, weight, rule)
    rows = max(1, PAIRS // max(1, len(sources)))
    light, a, b = sources.unbind(1)
    parts = [signed(some[:, :1] - light, some[:, 1:2] - a, some[:, 2:] - b, rule) @ weight
             for some in targets.split(rows)]
    return torch.cat(parts) if parts else targets.new_zeros(0)


def _kernel_sums(targets: Tensor, sources: Tensor, weight: Tensor, rule: Rule) -> Tensor:
    out = torch.empty(len(targets))
    planes = [plane.contiguous().numpy() for plane in sources.unbind(1)]
    aims, counts, result = targets.contiguous().numpy(), weight.contiguous().numpy(), out.numpy()
    angle, kernel = math.radians(rule.theta), load("colours").signed_sums
    cos, sin, bound = np.float32(math.cos(angle)), np.float32(math.sin(angle)), np.float32(rule.bound)
    parallel_rows(lambda first, last: kernel(aims, *planes, counts, cos, sin, bound, first, last, result),
                  0, len(aims), max(1, (1 << 24) // max(1, len(sources))))
    return out


def window_sums(lab: Tensor, radius: int, rule: Rule) -> Tensor:
    """Sum the signed differences from all pixels of a window to the pixel in its middle.

    Args:
        lab: (B, 3, H, W), lightness and two axes of chroma.
        radius: pixels on each side of the middle; windows end at the picture's edge.
        rule: theta and bound.

    Returns:
        (B, 1, H, W): at i, the sum over j of delta_ij.
    """
    height, width = lab.shape[-2:]
    wants = torch.is_grad_enabled() and lab.requires_grad
    if lab.dtype == torch.float32 and lab.device.type == "cpu" and not wants and height * width > 4096:
        angle, kernel = math.radians(rule.theta), load("colours").window_sums
        numbers = (np.float32(math.cos(angle)), np.float32(math.sin(angle)), np.float32(rule.bound))
        out = torch.zeros(len(lab), 1, height, width)
        for picture, made in zip(lab, out, strict=True):
            planes, target = [plane.contiguous().numpy() for plane in picture], made[0].numpy()
            parallel_rows(lambda first, last, planes=planes, target=target:   # type: ignore[misc]
                          kernel(*planes, radius, *numbers, first, last, target), 0, height, 8)
        return out
    total = torch.zeros_like(lab[:, :1])
    for dy in range(min(radius, height - 1) + 1):
        for dx in range(-min(radius, width - 1), min(radius, width - 1) + 1):
            if dy == 0 and dx <= 0:
                continue   # each pair once
            here = lab[..., :height - dy, max(0, -dx):width - max(0, dx)]
            there = lab[..., dy:, max(0, dx):width - max(0, -dx)]
            light, green, blue = (here - there).unbind(1)
            ask = signed(light[:, None], green[:, None], blue[:, None], rule)
            pad = (max(0, -dx), max(0, dx), 0, dy), (max(0, dx), max(0, -dx), dy, 0)
            total = total + torch.nn.functional.pad(ask, pad[0]) - torch.nn.functional.pad(ask, pad[1])
    return total
