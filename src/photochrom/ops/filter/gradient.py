"""Derivatives."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Border, Image
from photochrom.num.edges import angle, derivatives, magnitude


def _halo(*, border: Border, **_: object) -> int | None:
    return None if border == "circular" else 1


def _on_alpha(**_: object) -> None:
    """The weights do not add up to 1: alpha stays as it is."""


@op(reach="window", halo=_halo, copies=14, on_alpha=_on_alpha)
def gradient(image: Image, *,
             part: Literal["magnitude", "angle", "x", "y"] = "magnitude",
             scheme: Literal["sobel", "scharr", "prewitt", "central", "forward", "backward"] = "sobel",
             border: Border = "reflect") -> Tensor:
    """Tell how fast a picture changes from pixel to pixel, and in which direction.

    All schemes are scaled alike: a ramp that rises by 1 a pixel has the derivative 1. The first three smooth across the
    direction they differ in, the others take two pixels and nothing else.

    Args:
        image: (B, C, H, W), in whatever encoding it has; each channel apart.
        part: `magnitude` is sqrt(dx^2 + dy^2); `x` the rise to the right, `y` downwards; `angle` the direction of the
            steepest rise, counter-clockwise as seen, in turns: 0.25 is up, and 0 where nothing changes.
        scheme: the weights: `sobel` 1 2 1, `scharr` 3 10 3 and `prewitt` 1 1 1 across; `central` half the difference of
            both neighbours; `forward` and `backward` that to the next or from the one before.
        border: what lies outside the picture.

    Returns:
        (B, C, H, W); derivatives have either sign, magnitudes are at least 0, angles from 0 to 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 10.2. Scharr: Optimale Operatoren in der
        digitalen Bildverarbeitung. Heidelberg 2000.

    Example:
        >>> import torch
        >>> ramp = 0.1 * torch.arange(5.0).expand(1, 1, 5, 5)
        >>> round(gradient(ramp)[0, 0, 2, 2].item(), 4)
        0.1
    """
    wide = image.float() if image.dtype.itemsize == 2 else image
    dx, dy = derivatives(wide, scheme, border)
    made = {"x": lambda: dx, "y": lambda: dy, "magnitude": lambda: magnitude(dx, dy),
            "angle": lambda: angle(dx, dy) / 360}[part]()
    return made.to(image.dtype)
