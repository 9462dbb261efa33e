"""Mirror images."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image


@op(reach="image", resizes=True, moves=lambda **_: True)
def flip(image: Image, *, direction: Literal["horizontal", "vertical", "both"] = "horizontal") -> Tensor:
    """Turn a picture into its mirror image.

    Pixels change places and no value changes. Flipping twice gives the picture back.

    Args:
        image: (B, C, H, W), any encoding.
        direction: `horizontal` exchanges left and right, `vertical` top and bottom, `both` is a half turn.

    Returns:
        (B, C, H, W), same encoding and range.

    Raises:
        ControlError: a control that is none of these.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 2.6, geometric transforms.

    Example:
        >>> import torch
        >>> flip(torch.arange(3.0).reshape(1, 1, 1, 3)).flatten().tolist()
        [2.0, 1.0, 0.0]
    """
    return image.flip({"horizontal": (-1,), "vertical": (-2,), "both": (-2, -1)}[direction])
