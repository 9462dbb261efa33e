"""Median filter."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range
from photochrom.num.medians import median as medians
from photochrom.num.medians import median_samples


def _halo(*, radius: int, border: Border, **_: object) -> int | None:
    return None if border == "circular" else radius


def _on_samples(samples: np.ndarray, *, radius: int, border: Border) -> np.ndarray | None:
    if border == "normalize":
        return None
    planes = [median_samples(np.ascontiguousarray(samples[..., k]), radius, border) for k in range(samples.shape[2])]
    return planes[0][..., None] if len(planes) == 1 else np.stack(planes, -1)


@op(reach="window", halo=_halo, on_samples=_on_samples)
def median(image: Image, *,
           radius: Annotated[int, Range(1, 100, soft=(1, 10), unit="px")] = 1,
           border: Border = "reflect") -> Tensor:
    """Replace every value by the middle one of those around it: specks vanish, edges stay.

    The values of the window are put in order and the middle one is taken, in each channel apart. What is smaller than
    half the window, such as dust and dead pixels, disappears without a trace; edges keep their place and sharpness,
    corners are rounded.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        radius: pixels on each side of the middle; a radius of 2 is the 5 x 5 median.
        border: what lies outside the picture; of `normalize` nothing, and the lower of two middle values is taken.

    Returns:
        (B, C, H, W), same encoding, no value that was not there (but the zeros of `constant`). The gradient goes to the
        pixel whose value is taken.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Tukey: Exploratory Data Analysis, 1977. Huang, Yang, Tang: A fast two-dimensional median filtering algorithm.
        IEEE TASSP 27(1), 1979, for wide windows of 8 bits.

    Example:
        >>> import torch
        >>> speck = torch.zeros(1, 1, 5, 5)
        >>> speck[..., 2, 2] = 1
        >>> median(speck, radius=1).sum().item()
        0.0
    """
    return medians(image, radius, border)
