"""What the filters by frequency share: units, and the way through light."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.num.frequency import Response, Ring, filtered
from photochrom.num.strips import pointwise


def like_the_colours(**_: object) -> dict[str, Any] | None:
    """Say that alpha goes through with the same controls."""
    return {}


def as_it_is(**_: object) -> dict[str, Any] | None:
    """Say that alpha stays as it is: what remains of a picture without its mean is no coverage."""
    return None


def per_pixel(value: float, unit: str, image: Tensor) -> float:
    """Return a frequency in cycles per pixel; "picture" counts cycles along the longer side."""
    return value if unit == "pixel" else value / max(image.shape[-2:])


def through(image: Tensor, response: Response, mirror: bool, space: str) -> Tensor:
    """Filter the values, or the light they stand for."""
    border: Ring = "reflect" if mirror else "circular"
    if space == "linear":
        return pointwise(linear_to_srgb, filtered(pointwise(srgb_to_linear, image), response, border))
    return filtered(image, response, border)
