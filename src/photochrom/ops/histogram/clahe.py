"""Contrast limited adaptive histogram equalisation."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range, Size
from photochrom.num.histograms import luminance
from photochrom.num.tiles import blend, grid, level_samples, tile_curves


def _on_samples(samples: np.ndarray, *, clip_limit: float, tiles: tuple[int, int], bins: int,
                acts_on: str) -> np.ndarray | None:
    if samples.shape[2] == 3 and acts_on == "luminance":
        return None
    return level_samples(samples, tiles, bins, clip_limit)


@op(reach="image", on_samples=_on_samples)
def clahe(image: Image, *,
          clip_limit: Annotated[float, Range(0, 1000, soft=(1, 10))] = 2.0,
          tiles: Size = (8, 8),
          bins: Annotated[int, Range(2, 65536, soft=(16, 4096), scale="log")] = 256,
          acts_on: Literal["luminance", "bands"] = "luminance") -> Tensor:
    """Equalise a picture place by place, with a limit to how far contrast may rise.

    The picture is laid out in tiles and each is given the curve that would equalise it alone. What exceeds the limit
    in the histogram of a tile is cut off and shared out over all levels, which bounds the slope of its curve and so the
    noise it can bring out. A pixel goes through the curves of the four tiles around it, blended by its distance from
    their centres. A picture of one tone comes back as it is. Between two levels a curve is straight, so that 16 bits
    keep their gradation; below 0 and above 1 it goes on with slope 1.

    Args:
        image: (B, C, H, W), encoded values.
        clip_limit: the most a level may hold, as a multiple of what it would hold if all held the same; about the
            steepest slope of a curve. 0 sets no limit.
        tiles: how many tiles down and across; no more than there are pixels are laid.
        bins: levels of a tile's histogram; 256 suit 8 bits and most 16-bit pictures.
        acts_on: `luminance` works on 0.299 R + 0.587 G + 0.114 B and moves the three bands by as much as it moves;
            `bands` works on each band by itself. A picture that has not three bands is always treated band by band.

    Returns:
        (B, C, H, W), same encoding. A single band within [0, 1] stays there; colours may leave it.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Zuiderveld: Contrast Limited Adaptive Histogram Equalization. Graphics Gems IV, 1994; tiles, limit and blending
        as in OpenCV's createCLAHE. Differs from it in that the curve of a tile is not rounded to whole levels before it
        is blended (at most one level of 8 bits), and for a picture of one tone.

    Example:
        >>> import torch
        >>> ramp = torch.linspace(0.4, 0.6, 64).reshape(1, 1, 8, 8)
        >>> wide = clahe(ramp, tiles=(1, 1), clip_limit=0)
        >>> round((wide.max() - wide.min()).item(), 2)
        0.98
    """
    down, across = grid(image.shape[-2], image.shape[-1], tiles)
    if acts_on == "luminance" and image.shape[1] == 3:
        wide = image if image.dtype == torch.float64 else image.float()
        before = luminance(wide)
        after = blend(before, tile_curves(before, down, across, bins, clip_limit), down, across)
        return (wide + (after - before)).to(image.dtype)
    return blend(image, tile_curves(image, down, across, bins, clip_limit), down, across)
