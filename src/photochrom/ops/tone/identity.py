"""Nothing."""

from __future__ import annotations

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image


@op(reach="pixel", channelwise=True)
def identity(image: Image) -> Tensor:
    """Leave the picture as it is.

    s = r: the straight line among the curves. It shows that a way through the library changes nothing, and holds a
    place in a recipe.

    Args:
        image: (B, C, H, W), in whatever encoding it has.

    Returns:
        (B, C, H, W), the same values in memory of their own.

    Raises:
        ControlError: the picture is not one the door takes.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> identity(torch.full((1, 1, 1, 1), 0.25)).item()
        0.25
    """
    return image.clone()
