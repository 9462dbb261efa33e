"""The exponential curve, the inverse of the logarithmic one."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture

_LARGEST = 64.0
"""Exponents above are continued by the tangent: e^64 comes of no picture, and e^89 is infinite in float32."""


@op(reach="pixel", channelwise=True)
def inverse_log(image: Image, *,
                amount: Annotated[float | Tensor,
                                  Range(0, 65535, soft=(1, 1000), scale="log", neutral=0)] = 255.0) -> Tensor:
    """Deepen the shadows by an exponential: the inverse of `log` with the same amount.

    s = ((1 + a)^r - 1) / a: black and white stay, what lies between sinks. Negative values keep their sign, so the
    curve is odd. Beyond an exponent of 64 it goes on straight, so that every value has a finite result.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        amount: the factor a, how far the curve bends; 0 changes nothing.

    Returns:
        (B, C, H, W), same encoding; [0, 1] stays [0, 1].

    Raises:
        ControlError: `amount` outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2.

    Example:
        >>> import torch
        >>> round(inverse_log(torch.full((1, 1, 1, 1), 0.5), amount=255.0).item() * 255, 3)
        15.0
    """
    if not isinstance(amount, Tensor):
        if amount == 0:
            return image.clone()
        a = torch.tensor(amount, dtype=torch.float64)
    else:
        a = amount
    wide = image.float() if image.dtype.itemsize < 4 else image
    a = per_picture(a, wide)   # type: ignore[assignment]
    bent = a > 0
    safe = torch.where(bent, a, 1)
    exponent = wide.abs() * torch.log1p(safe)
    inner = exponent.clamp(max=_LARGEST)
    raised = torch.expm1(inner) + torch.exp(inner) * (exponent - inner)
    return torch.where(bent, torch.copysign(raised / safe, wide), wide).to(image.dtype)
