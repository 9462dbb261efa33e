"""What the spaces share: the way over a picture, a matrix on the channels, quotients and angles that stay finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.plain import is_plain
from photochrom.num.strips import in_strips, pointwise

_CALL = 32768
"""Pixels in one call of a kernel: they stay in a core's second-level cache."""
NEAR = 1e-6
"""Chroma below which a hue has no slope; denominators of saturations keep this distance from 0."""


def convert(name: str, image: Tensor, definition: Callable[[Tensor], Tensor], *matrices: np.ndarray,
            exact: bool = False) -> Tensor:
    """Apply a conversion to a picture: by its kernel where there is one and it can run, else in strips.

    Args:
        name: of the conversion; with `matrices`, that of its kernel in `num.kernels.spaces` too.
        image: (B, 3, H, W), floating; 16 bits are computed in float32.
        definition: the conversion in torch.
        matrices: what the kernel takes after the planes.
        exact: compute the definition in float64 for float32 too: where a primary is nearly 0 it is a small difference
            of large numbers, and the way there and back would lose more than 1e-5.

    Returns:
        (B, 3, H, W), same dtype and device.

    Raises:
        ValueError: not a floating picture of three channels.
    """
    check(name, image)
    if image.dtype in (torch.float16, torch.bfloat16):
        return convert(name, image.float(), definition, *matrices, exact=exact).to(image.dtype)

    def run(part: Tensor) -> Tensor:
        if exact and part.device.type != "mps":   # which has no float64
            return definition(part.double()).to(part.dtype)
        return definition(part)

    if not is_plain(image):
        return run(image)
    if image.dtype != torch.float32 or not matrices:
        return pointwise(run, image)
    batch, _, height, width = image.shape
    source = image.numpy().reshape(batch, 3, height * width)   # a view, unless the picture is cut out of a wider one
    made = empty(image.shape)
    target = made.numpy().reshape(source.shape)
    kernel = getattr(load("spaces"), name)

    def part(start: int, stop: int) -> None:
        for k in range(batch):
            kernel(*map(np.ascontiguousarray, source[k, :, start:stop]), *target[k, :, start:stop], *matrices)

    parallel_rows(part, 0, height * width, _CALL)
    return made


def each(name: str, values: Tensor, definition: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a curve to values of any shape, by its kernel where it can run."""
    if values.dtype in (torch.float16, torch.bfloat16):
        return each(name, values.float(), definition).to(values.dtype)
    if values.dtype != torch.float32 or not is_plain(values) or values.numel() == 0:
        return definition(values)
    source = values.numpy().reshape(-1)
    made = empty(values.shape)
    target = made.numpy().reshape(-1)
    kernel = getattr(load("spaces"), name)
    parallel_rows(lambda a, b: kernel(np.ascontiguousarray(source[a:b]), target[a:b]), 0, len(source), 3 * _CALL)
    return made


def compare(name: str, image: Tensor, reference: Tensor, definition: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Apply a difference of colours to two pictures of one size, in strips; (B, 1, H, W)."""
    check(name, image)
    check(name, reference)
    if image.shape[-2:] != reference.shape[-2:]:
        raise ValueError(f"{name}: expected two pictures of one size; got {tuple(image.shape)} "
                         f"and {tuple(reference.shape)}")
    if image.dtype in (torch.float16, torch.bfloat16):
        return compare(name, image.float(), reference.float(), definition).to(image.dtype)
    if not (is_plain(image) and is_plain(reference)):
        return definition(image, reference)

    def strip(part: Tensor, alpha: Tensor | None, rows: slice) -> tuple[Tensor, Tensor | None]:
        with torch.no_grad():
            return definition(part, reference[..., rows, :]), alpha

    return in_strips(strip, image)[0]


def check(name: str, image: Tensor) -> None:
    """Raise ValueError unless the picture is floating and has three channels."""
    if image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise ValueError(f"{name}: expected a floating picture (B, 3, H, W); got {image.dtype} {tuple(image.shape)}")


def mix(image: Tensor, matrix: np.ndarray) -> Tensor:
    """Apply a 3x3 matrix to the channels."""
    first, second, third = image[:, 0], image[:, 1], image[:, 2]
    # sums of products and not a matrix product: nothing rounds differently by where a pixel stands, or to 10 bits on
    # a graphics card
    return torch.stack([first * row[0] + second * row[1] + third * row[2] for row in matrix.tolist()], 1)


def inverse(matrix: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """Return the inverse of a matrix in float64."""
    return np.linalg.inv(np.asarray(matrix, dtype=np.float64))


def away(value: Tensor, least: float) -> Tensor:
    """Return a denominator: the value, moved away from 0 to `least` of its sign where it is nearer."""
    return torch.where(value.abs() < least, torch.copysign(torch.full_like(value, least), value), value)


def length(a: Tensor, b: Tensor) -> Tensor:
    """Return sqrt(a^2 + b^2); its slope is 0 where it is below `NEAR`."""
    exact = torch.hypot(a.detach(), b.detach())
    near = exact < NEAR
    return torch.where(near, exact, torch.hypot(torch.where(near, 1, a), b))


def root(square: Tensor) -> Tensor:
    """Return the square root, 0 of negative values; its slope is 0 where it is below `NEAR`."""
    near = square < NEAR ** 2
    return torch.where(near, square.detach().clamp(min=0).sqrt(), torch.where(near, 1, square).sqrt())


def hue(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle of (a, b) in degrees, 0 <= h < 360; its slope is 0 where the length is below `NEAR`."""
    near = torch.hypot(a.detach(), b.detach()) < NEAR
    angle = torch.where(near, torch.atan2(b.detach(), a.detach()), torch.atan2(b, torch.where(near, 1, a)))
    return turn(torch.rad2deg(angle))


def turn(angle: Tensor) -> Tensor:
    """Return an angle in degrees as 0 <= h < 360."""
    whole = torch.remainder(angle, 360)
    return torch.where(whole >= 360, whole - 360, whole)   # a tiny negative angle rounds to 360
