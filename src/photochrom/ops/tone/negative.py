"""The photographic negative."""

from __future__ import annotations

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image


@op(reach="pixel", channelwise=True)
def negative(image: Image) -> Tensor:
    """Turn light into dark and dark into light.

    s = 1 - r in every channel, as a film negative shows it; applied twice it gives the picture back.

    Args:
        image: (B, C, H, W), in whatever encoding it has.

    Returns:
        (B, C, H, W), same encoding; [0, 1] stays [0, 1].

    Raises:
        ControlError: the picture is not one the door takes.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> negative(torch.full((1, 1, 1, 1), 0.25)).item()
        0.75
    """
    return 1 - image
