"""Black and white by a fixed threshold."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture
from photochrom.num.steps import parted


@op(reach="pixel", channelwise=True)
def threshold(image: Image, *,
              threshold: Annotated[float | Tensor, Range(-10, 10, soft=(0, 1))] = 0.5,
              softness: Annotated[float, Range(0, 10, soft=(0, 0.25))] = 0.0) -> Tensor:
    """Turn everything above a threshold white and the rest black.

    s = 1 where r > threshold, else 0, in each channel apart: a grey picture becomes black and white, a colour picture
    takes on the eight colours of the corners. With softness the step is the S-curve 1 / (1 + exp((threshold - r) /
    softness)), which has a gradient; the hard step has none (0 everywhere).

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        threshold: the value above which a pixel is white.
        softness: how far the passage from black to white is spread; 0 is a hard step.

    Returns:
        (B, C, H, W), 0 or 1; in between where soft.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., sections 3.2 and 10.3.

    Example:
        >>> import torch
        >>> threshold(torch.tensor([0.2, 0.5, 0.8]).reshape(1, 1, 1, 3)).flatten().tolist()
        [0.0, 0.0, 1.0]
    """
    return parted(image, per_picture(threshold, image), softness)
