"""Colours looked up in a table of three inputs, between its entries."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

_PIXELS = 65536
"""Pixels in one call of a kernel."""


def look_up_colours(image: Tensor, table: Tensor, low: Tensor | None = None, high: Tensor | None = None,
                    tetrahedra: bool = True, carry: bool = False) -> Tensor:
    """Send every colour through a table; between entries it is interpolated, beyond its ends it is constant.

    Args:
        image: (B, 3, H, W), floating.
        table: (3, S, S, S), indexed [channel, blue, green, red]; or (3, S), a curve a channel.
        low: (3,), the colour of the first entry; None for 0.
        high: (3,), the colour of the last entry; None for 1.
        tetrahedra: interpolate in the tetrahedron of four entries around the colour, else between all eight.
        carry: add to the result what the colour lies beyond the ends.

    Returns:
        (B, 3, H, W), of the image's dtype.

    Reference:
        Kasson, Plouffe, Nin: A Tetrahedral Interpolation Technique for Color Space Conversion. SPIE 1909, 1993.

    Example:
        >>> grid = torch.linspace(0, 1, 3)
        >>> table = torch.stack(torch.meshgrid(grid, grid, grid, indexing="ij")[::-1])   # every colour is itself
        >>> look_up_colours(torch.tensor([0.1, 0.7, 0.3]).reshape(1, 3, 1, 1), table).flatten().tolist()
        [0.10000000149011612, 0.699999988079071, 0.30000001192092896]
    """
    side = table.shape[-1]
    kind = image.dtype if image.dtype.itemsize >= 4 else torch.float32
    start = torch.zeros(3, dtype=kind, device=image.device) if low is None else low.to(image.device, kind)
    stop = torch.ones(3, dtype=kind, device=image.device) if high is None else high.to(image.device, kind)
    scale = (side - 1) / (stop - start)
    entries = table.to(image.device, kind).movedim(0, -1).reshape(-1, 3)   # red runs fastest
    slope = torch.is_grad_enabled() and any(part.requires_grad for part in (image, table, scale))
    if image.device.type == "cpu" and image.dtype == torch.float32 and not slope:
        return _by_kernel(image, entries, side, (start, stop, scale), table.ndim == 2, tetrahedra, carry)
    way = (image.to(kind).movedim(1, -1).reshape(-1, 3) - start) * scale
    way = way.clamp(0, side - 1)
    cell = way.detach().floor().clamp(max=side - 2)
    part, cell = way - cell, cell.long()
    if table.ndim == 2:
        channel = torch.arange(3, device=image.device)
        below = entries[cell, channel]
        made = below + part * (entries[cell + 1, channel] - below)
    else:
        steps = torch.tensor([1, side, side * side], device=image.device)
        base = (cell * steps).sum(1)
        made = _between_four(entries, base, part, steps) if tetrahedra else _between_eight(entries, base, part, steps)
    shape = (image.shape[0], *image.shape[2:], 3)
    made = made.reshape(shape).movedim(-1, 1)
    if carry:
        wide = image.to(kind)
        made = made + (wide - wide.clamp(start.reshape(1, 3, 1, 1), stop.reshape(1, 3, 1, 1)))
    return made.to(image.dtype).contiguous()


def _between_four(entries: Tensor, base: Tensor, part: Tensor, steps: Tensor) -> Tensor:
    """The corners on the way through the cell, first along the axis of the largest part, last of the least."""
    x, y, z = part.detach().unbind(1)
    along = torch.where((z >= x) & (z >= y), 2, torch.where(y >= x, 1, 0))
    last = torch.where((x <= y) & (x <= z), 0, torch.where(y <= z, 1, 2))
    most, least = part.amax(1), part.amin(1)
    middle = part.sum(1) - most - least
    every = steps.sum()
    corners = (base, base + steps[along], base + every - steps[last], base + every)
    weights = (1 - most, most - middle, middle - least, least)
    made = weights[0][:, None] * entries[corners[0]]
    for corner, weight in zip(corners[1:], weights[1:], strict=True):
        made = made + weight[:, None] * entries[corner]
    return made


def _between_eight(entries: Tensor, base: Tensor, part: Tensor, steps: Tensor) -> Tensor:
    x, y, z = (part[:, axis, None] for axis in range(3))
    red, green, blue = steps.tolist()

    def edge(start: Tensor) -> Tensor:
        near = entries[start]
        return near + x * (entries[start + red] - near)

    def face(start: Tensor) -> Tensor:
        near = edge(start)
        return near + y * (edge(start + green) - near)

    front = face(base)
    return front + z * (face(base + blue) - front)


def _by_kernel(image: Tensor, entries: Tensor, side: int, ends: tuple[Tensor, Tensor, Tensor], flat: bool,
               tetrahedra: bool, carry: bool) -> Tensor:
    kernels = load("cubes")
    source = image.detach().contiguous()
    result = empty(source.shape)
    planes, out = source.flatten(2).numpy(), result.flatten(2).numpy()
    table = entries.detach().contiguous().numpy().reshape(-1)
    low, high, scale = (end.detach().numpy() for end in ends)

    def part(picture: int, a: int, b: int) -> None:
        inside, made = planes[picture, :, a:b], out[picture, :, a:b]
        if flat:
            kernels.curves(inside, table, side, low, high, scale, carry, made)
        else:
            kernels.cube(inside, table, side, low, high, scale, tetrahedra, carry, made)

    for picture in range(len(planes)):
        parallel_rows(lambda a, b, p=picture: part(p, a, b), 0, planes.shape[-1], _PIXELS)   # type: ignore[misc]
    return result


def look_up_samples(samples: np.ndarray, table: Tensor, tetrahedra: bool = True) -> np.ndarray:
    """Send integer samples through a table over 0..1, to the levels that `look_up_colours` gives, rounded.

    Args:
        samples: (H, W, 3), uint8 or uint16.
        table: (3, S, S, S), as in `look_up_colours`.
        tetrahedra: as there.

    Returns:
        (H, W, 3), same type.
    """
    side, top = table.shape[-1], np.float32(np.iinfo(samples.dtype).max)
    levels = np.arange(int(top) + 1, dtype=np.float32) / top
    way = levels * np.float32(side - 1)
    cell = np.minimum(np.floor(way), np.float32(side - 2))
    cells, parts = np.tile(cell.astype(np.int32), (3, 1)), np.tile(way - cell, (3, 1))
    entries = table.detach().to("cpu", torch.float32).movedim(0, -1).contiguous().numpy().reshape(-1)
    source = np.ascontiguousarray(samples).reshape(-1, 3)
    result = empty(source.shape, torch.uint8 if samples.dtype.itemsize == 1 else torch.uint16).numpy()
    kernels = load("cubes")
    parallel_rows(lambda a, b: kernels.samples(source[a:b], entries, side, cells, parts, tetrahedra, top, result[a:b]),
                  0, len(source), _PIXELS)
    return result.reshape(samples.shape)
