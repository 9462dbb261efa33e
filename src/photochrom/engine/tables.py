"""A chain that treats channels apart becomes one table for 8- and 16-bit samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photochrom.core.door import to_depth
from photochrom.core.step import Step


def fusible(step: Step) -> bool:
    """Tell whether a step acts on every sample alike: channelwise, unmasked and with plain numbers as controls."""
    plain = all(tensor.numel() == 1 for tensor in step.tensors.items().values())
    alone = step.operation.reaches(step.controls) == 0
    return step.operation.channelwise and alone and plain and "mask" not in step.pictures


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
