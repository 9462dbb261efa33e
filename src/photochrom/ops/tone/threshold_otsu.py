"""Black and white by Otsu's threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor

from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.num.otsu import Counts, count_levels, otsu_threshold
from photochrom.num.steps import parted


def _measure(picture: Tensor, weights: Tensor | None = None, *, levels: int, softness: float) -> Counts:
    return count_levels(picture, weights, levels)


def _apply(image: Tensor, statistics: Mapping[str, Counts], *, levels: int, softness: float) -> Tensor:
    limit = otsu_threshold(statistics["image"].counts)
    wide = image.float() if image.dtype.itemsize < 4 else image   # 16 bits would round the threshold onto a level
    return parted(wide, limit.to(wide)[..., None, None], softness).to(image.dtype)


@op(reach="image", measured=Measured(_measure, _apply))
def threshold_otsu(image: Image, image_mask: ImageWeights = None, *,
                   levels: Annotated[int, Range(2, 65536, soft=(16, 1024), scale="log")] = 256,
                   softness: Annotated[float, Range(0, 10, soft=(0, 0.25))] = 0.0) -> Tensor:
    """Turn a picture black and white at the threshold that parts its histogram best.

    In each channel the threshold is the one whose two classes, the dark and the light, differ most in their means,
    weighted by their sizes. A channel of one value becomes black. Make a colour picture grey first if one threshold is
    wanted for all channels.

    Args:
        image: (B, C, H, W), in whatever encoding it has; values outside 0..1 count as 0 and 1.
        image_mask: (B or 1, 1, H, W), the part whose histogram is taken; the whole image is changed.
        levels: how many levels the histogram has from 0 to 1; 256 is every level of 8 bits.
        softness: how far the passage from black to white is spread, see `threshold`; 0 is a hard step.

    Returns:
        (B, C, H, W), 0 or 1; in between where soft. The threshold itself is a constant to the gradient.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Otsu: A Threshold Selection Method from Gray-Level Histograms. IEEE Trans. SMC 9(1), 1979.

    Example:
        >>> import torch
        >>> threshold_otsu(torch.tensor([0.1, 0.2, 0.3, 0.8]).reshape(1, 1, 1, 4)).flatten().tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    counts = {"image": _measure(image, image_mask, levels=levels, softness=softness)}
    return _apply(image, counts, levels=levels, softness=softness)
