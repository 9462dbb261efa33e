"""A margin."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.warping import fold_places
from photochrom.ops.geometry._warped import check_size

_Side = Annotated[int, Range(0, 1 << 20, soft=(0, 512), unit="px", neutral=0)]


@op(reach="image", resizes=True, moves=lambda **_: True)
def pad(image: Image, *,
        left: _Side = 0,
        top: _Side = 0,
        right: _Side = 0,
        bottom: _Side = 0,
        border: Literal["reflect", "replicate", "circular", "constant"] = "reflect") -> Tensor:
    """Put a margin around a picture.

    The margin shows what `border` says lies outside: mirror images and repetitions go on as long as the margin is wide.

    Args:
        image: (B, C, H, W), any encoding.
        left: columns of pixels added on the left; 0 changes nothing.
        top: rows of pixels added above; 0 changes nothing.
        right: columns of pixels added on the right; 0 changes nothing.
        bottom: rows of pixels added below; 0 changes nothing.
        border: what the margin shows; under `constant` it is black, and transparent if the picture has alpha.

    Returns:
        (B, C, H + top + bottom, W + left + right), same encoding and range.

    Raises:
        ControlError: a control outside its range, or a result of more than a thousand million pixels.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 3.5, padding of a picture.

    Example:
        >>> import torch
        >>> pad(torch.arange(3.0).reshape(1, 1, 1, 3), left=2).flatten().tolist()
        [2.0, 1.0, 0.0, 1.0, 2.0]
    """
    height, width = image.shape[-2:]
    check_size("pad", height + top + bottom, width + left + right)
    if border == "constant":
        return functional.pad(image, (left, right, top, bottom))
    rows = fold_places(torch.arange(-top, height + bottom, device=image.device), height, border)
    columns = fold_places(torch.arange(-left, width + right, device=image.device), width, border)
    if image.is_cuda:   # where the way back of index_select adds in no fixed order
        return image[..., rows[:, None], columns]
    return image.index_select(-1, columns).index_select(-2, rows)
