"""The power law s = c r^gamma."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def power(image: Image, *,
          gamma: Annotated[float | Tensor, Range(0.01, 100, soft=(0.2, 5), scale="log", neutral=1)] = 0.8,
          coefficient: Annotated[float | Tensor, Range(0, 100, soft=(0.5, 2), scale="log", neutral=1)] = 1.0) -> Tensor:
    """Raise values to a power: below 1 lifts the shadows, above 1 deepens them.

    Black and white stay where they are (for coefficient 1) while the middle tones move: s = c r^gamma. Gamma 1/n is the
    n-th root. Negative values keep their sign, so the curve is odd.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        gamma: the exponent; 1 changes nothing.
        coefficient: the factor c; 1 changes nothing.

    Returns:
        (B, C, H, W), same encoding; [0, 1] stays [0, 1] for coefficient 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> power(torch.full((1, 1, 1, 1), 0.25), gamma=0.5).item()
        0.5
    """
    exponent, factor = per_picture(gamma, image), per_picture(coefficient, image)
    size = image.abs()
    if image.requires_grad:
        # At 0 a root has an infinite slope and log(0) no value: the power is taken elsewhere and the slope there is 0.
        raised = torch.where(size > 0, size.clamp(min=torch.finfo(image.dtype).tiny) ** exponent, 0)
    else:
        raised = size ** exponent
    return torch.copysign(raised, image) * factor
