"""What every score does first: checks, the channels that count, borders, rounding."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from photochrom.color.ycbcr import rgb_to_ycbcr
from photochrom.core.errors import ControlError

Channel = Literal["all", "y", "luma"]
"""All channels alike; studio-range Y of BT.601, as MATLAB's rgb2ycbcr gives it; or its full-range luma."""

Rounding = Literal["none", "8-bit"]

_LEAST, _MOST = -0.01, 1.01
_WIDE = (-0.5, 1.5)
"""What a prediction may reach: a network overshoots, but does not double the range."""


def check_pair(metric: str, image: Tensor, reference: Tensor) -> None:
    """Raise unless both are pictures of one size, of numbers, in the display range.

    Raises:
        ControlError: shapes, dtypes or ranges that do not fit; NaN or infinity.
    """
    for name, values in (("image", image), ("reference", reference)):
        if not isinstance(values, Tensor) or not values.is_floating_point() or values.ndim != 4 or values.numel() == 0:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ControlError(f"{metric}: {name} must be a floating tensor (B, C, H, W), got {got}")
    if image.shape != reference.shape:
        raise ControlError(f"{metric}: image and reference must have one size, got {_size(image)} and "
                           f"{_size(reference)}")
    for name, values, (low, high) in (("image", image, _WIDE), ("reference", reference, (_LEAST, _MOST))):
        least, most = (float(end) for end in values.detach().aminmax())
        if not (torch.isfinite(torch.tensor([least, most])).all()):
            raise ControlError(f"{metric}: {name} holds values that are not numbers (NaN or infinite)")
        if least < low or most > high:
            raise ControlError(f"{metric}: {name} must lie in the display range 0..1, got {least:.3g}..{most:.3g}")


def _size(values: Tensor) -> str:
    return f"{values.shape[-1]} x {values.shape[-2]} of {values.shape[1]} channels"


def prepare(metric: str, image: Tensor, reference: Tensor, channel: Channel, border: int, rounding: Rounding,
            least: int = 1) -> tuple[Tensor, Tensor]:
    """Return both pictures as they are compared.

    Args:
        metric: for messages.
        image: (B, C, H, W), 0..1.
        reference: likewise.
        channel: what is compared; pictures of one channel are taken as they are.
        border: pixels left out on every side.
        rounding: "8-bit" brings both to whole levels first, without a gradient there.
        least: pixels that must be left in each direction.

    Raises:
        ControlError: see `check_pair`; fewer pixels than `least` are left.
    """
    check_pair(metric, image, reference)
    across = least + 2 * border
    if min(image.shape[-2:]) < across:
        raise ControlError(f"{metric}: a picture must have at least {across} x {across} pixels, got "
                           f"{image.shape[-1]} x {image.shape[-2]}")
    pair = []
    for values in (image, reference):
        part = values[..., border:values.shape[-2] - border, border:values.shape[-1] - border]
        if rounding == "8-bit":
            part = whole_levels(part)
        if channel != "all" and part.shape[1] == 3:
            part = rgb_to_ycbcr(part, levels="studio" if channel == "y" else "full")[:, :1]
            if rounding == "8-bit":
                part = whole_levels(part)
        pair.append(part)
    return pair[0], pair[1]


def whole_levels(values: Tensor) -> Tensor:
    """Return the nearest of 256 levels, half away from zero as MATLAB rounds; the gradient is that without rounding.

    Example:
        >>> (whole_levels(torch.tensor([0.5 / 255, 2.0])) * 255).tolist()
        [1.0, 255.0]
    """
    levels = (values.detach().double() * 255 + 0.5).floor().clamp(0, 255) / 255
    return values + (levels.to(values) - values.detach()) if values.requires_grad else levels.to(values)
