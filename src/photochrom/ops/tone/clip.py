"""Clipping, as a step that can be seen."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def clip(image: Image, *,
         low: Annotated[float | Tensor, Range(-100, 100, soft=(0, 0.5))] = 0.0,
         high: Annotated[float | Tensor, Range(-100, 100, soft=(0.5, 1))] = 1.0) -> Tensor:
    """Cut values off below one limit and above another.

    No other operation clips; whoever wants values to stay in display range in the middle of a recipe says so with this
    step. What is cut off is lost, and has no gradient.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        low: smaller values become this one.
        high: larger values become this one; at least `low`.

    Returns:
        (B, C, H, W), same encoding, within `low`..`high`.

    Raises:
        ControlError: a control outside its range, or `low` above `high`.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> clip(torch.tensor([-0.5, 0.25, 7.0]).reshape(1, 1, 1, 3)).flatten().tolist()
        [0.0, 0.25, 1.0]
    """
    if isinstance(low, float) and isinstance(high, float):
        if low > high:
            raise ControlError(f"clip: low must not be above high, got {low:g} and {high:g}")
        return image.clamp(low, high)
    bottom, top = (torch.as_tensor(per_picture(limit, image)).to(image) for limit in (low, high))
    return torch.minimum(torch.maximum(image, bottom), top)
