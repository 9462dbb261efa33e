"""The logarithmic curve."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="pixel", channelwise=True)
def log(image: Image, *,
        amount: Annotated[float | Tensor,
                          Range(0, 65535, soft=(1, 1000), scale="log", neutral=0)] = 255.0) -> Tensor:
    """Lift the shadows by a logarithm: a wide range of values is squeezed into a narrow one.

    s = log(1 + a r) / log(1 + a): black and white stay, what lies between is raised, the dark most. With a = 255 it is
    the textbook's s = c log(1 + r) for values 0 to 255. Negative values keep their sign, so the curve is odd.

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
        >>> round(log(torch.full((1, 1, 1, 1), 15 / 255), amount=255.0).item(), 4)
        0.5
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
    curve = torch.copysign(torch.log1p(wide.abs() * safe) / torch.log1p(safe), wide)
    return torch.where(bent, curve, wide).to(image.dtype)
