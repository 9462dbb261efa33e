"""Histogram equalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.num.histograms import Counts, count_levels, equalizing, luminance, through_knots
from photochrom.num.leveling import by_table, equalize_bytes


def _whole(image: Tensor, acts_on: str) -> bool:
    """Tell whether one curve of luminance moves all bands; only red, green and blue have a luminance."""
    return acts_on == "luminance" and image.shape[1] == 3


def _measure(picture: Tensor, weights: Tensor | None = None, *, bins: int, acts_on: str) -> Counts:
    if _whole(picture, acts_on):
        picture = luminance(picture if picture.dtype == torch.float64 else picture.float())
    return count_levels(picture, weights, bins)


def _apply(image: Tensor, statistics: Mapping[str, Counts], *, bins: int, acts_on: str) -> Tensor:
    curves = equalizing(statistics["image"].counts)
    if not _whole(image, acts_on):
        return through_knots(image, curves)
    wide = image if image.dtype == torch.float64 else image.float()
    before = luminance(wide)
    return (wide + (through_knots(before, curves) - before)).to(image.dtype)


def _on_samples(samples: np.ndarray, *, bins: int, acts_on: str) -> np.ndarray | None:
    if samples.shape[2] == 3 and acts_on == "luminance":
        return None
    if samples.dtype == np.uint8 and bins == 256:
        return equalize_bytes(samples)
    return by_table(samples, bins, equalizing)


@op(reach="image", measured=Measured(_measure, _apply), on_samples=_on_samples)
def equalize(image: Image, image_mask: ImageWeights = None, *,
             bins: Annotated[int, Range(2, 65536, soft=(16, 4096), scale="log")] = 256,
             acts_on: Literal["luminance", "bands"] = "luminance") -> Tensor:
    """Spread the tones of a picture so that each occurs about equally often.

    A tone goes to the share of pixels that are darker: s(i) = (N(i) - N(first)) / (N - N(first)), where N(i) pixels lie
    at or below the level i. Crowded tones are drawn apart, rare ones pushed together; the darkest becomes black and the
    lightest white. A picture of one tone comes back as it is. Between two levels the curve is straight, so that a
    16-bit picture keeps its gradation; below 0 and above 1 it goes on with slope 1. The gradient is that of the curve:
    counts are constant but for jumps.

    Args:
        image: (B, C, H, W), encoded values; linear ones have few tones in the dark levels.
        image_mask: (B or 1, 1, H, W), how much a pixel counts in the histogram; the whole picture is changed.
        bins: levels of the histogram; 256 are the levels of 8 bits, 65536 those of 16.
        acts_on: `luminance` equalises 0.299 R + 0.587 G + 0.114 B and moves the three bands by as much as it moves,
            which keeps the differences of colour; `bands` equalises each band by itself, which removes a cast and may
            bring another. A picture that has not three bands is always treated band by band.

    Returns:
        (B, C, H, W), same encoding. A single band within [0, 1] stays there; colours may leave it.

    Raises:
        ControlError: `bins` outside its range, or a mask of another size.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 3.3; the darkest level to 0 as in OpenCV's
        equalizeHist, whose result on 8-bit arrays of one band is this one bit for bit.

    Example:
        >>> import torch
        >>> even = equalize(torch.tensor([0.4, 0.5, 0.5, 0.6]).reshape(1, 1, 2, 2), bins=11)
        >>> [round(v, 3) for v in even.flatten().tolist()]
        [0.0, 0.667, 0.667, 1.0]
    """
    return _apply(image, {"image": _measure(image, image_mask, bins=bins, acts_on=acts_on)}, bins=bins, acts_on=acts_on)
