"""A chain that treats channels apart becomes one table for 8- and 16-bit samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photochrom.core.door import to_depth
from photochrom.core.step import Step
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows


def fusible(step: Step) -> bool:
    """Tell whether a step acts on every sample alike: channelwise, unmasked and with plain numbers as controls."""
    plain = all(tensor.numel() == 1 for tensor in step.tensors.items().values())
    return step.operation.channelwise and plain and "mask" not in step.pictures


def leading(steps: Sequence[Step]) -> int:
    """Return how many steps at the front one table can replace."""
    count = 0
    while count < len(steps) and fusible(steps[count]):
        count += 1
    return count


def float_table(steps: Sequence[Step], levels: int) -> Tensor:
    """Return the chain's value (levels,) for each integer sample, by running the chain itself on all of them."""
    image = (torch.arange(levels, dtype=torch.float32) / (levels - 1)).reshape(1, 1, 1, levels)
    with torch.no_grad():
        for step in steps:
            image, _ = step.run(image)
    return image.flatten()


def integer_table(table: Tensor) -> np.ndarray:
    """Return a float table as samples of the depth it was made for."""
    return to_depth(table, np.dtype(np.uint8 if len(table) == 256 else np.uint16))


def look_up(raw: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Send samples (rows, W, bands) through an integer table; alpha (the last of 2 or 4 bands) passes untouched."""
    source = np.ascontiguousarray(raw)
    result = np.empty_like(source)
    rows, bands = source.shape[0], source.shape[-1]
    flat, out = source.reshape(rows, -1), result.reshape(rows, -1)
    kernels = load("tables")
    grain = max(1, 262144 // max(1, flat.shape[1]))
    if bands in (2, 4):
        parallel_rows(lambda a, b: kernels.look_up_colour(flat[a:b], table, bands, out[a:b]), 0, rows, grain)
    else:
        parallel_rows(lambda a, b: kernels.look_up(flat[a:b], table, out[a:b]), 0, rows, grain)
    return result


def look_up_planes(raw: np.ndarray, table: np.ndarray) -> tuple[Tensor, Tensor | None]:
    """Send samples (rows, W, bands) through a float32 table into planes (1, C, rows, W); alpha is only scaled."""
    source = np.ascontiguousarray(raw)
    rows, width, bands = source.shape
    colours = bands - (bands in (2, 4))
    planes = np.empty((bands, rows, width), np.float32)
    kernels = load("tables")
    identity = np.arange(len(table), dtype=np.float32) / np.float32(len(table) - 1)
    parallel_rows(lambda a, b: kernels.look_up_planes(source[a:b], table, identity, colours, planes[:, a:b]), 0, rows,
                  max(1, 65536 // max(1, width)))
    whole = torch.from_numpy(planes)[None]
    return (whole[:, :colours], whole[:, colours:]) if colours < bands else (whole, None)
