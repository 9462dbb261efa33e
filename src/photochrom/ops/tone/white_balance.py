"""White balance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import torch
from torch import Tensor

from photochrom.color.adaptation import adaptation_to_grey
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import Measured, op
from photochrom.core.types import Color, Image, ImageWeights, Point, Range

_NORM = 6
"""Finlayson and Trezzi's best exponent for the shades of grey."""
_NOTHING = torch.finfo(torch.float32).min


class Light(NamedTuple):
    """What is known of the light of a part of a picture, in linear RGB and float64."""

    weight: Tensor
    """(B, 1)"""
    total: Tensor
    """(B, 3): the weighted sum, or that of the sixth powers."""
    largest: Tensor
    """(B, 3)"""

    def merge(self, other: Light) -> Light:
        """Return what is known of both parts together."""
        return Light(self.weight + other.weight, self.total + other.total, torch.maximum(self.largest, other.largest))


def _measure(picture: Tensor, weights: Tensor | None = None, first_row: int = 0, *, estimate: str = "shades_of_grey",
             point: tuple[float, float] = (0.0, 0.0), radius: int = 0, **_: Any) -> Light:
    batch, channels, height, width = picture.shape
    if estimate == "neutral":
        nothing = picture.new_zeros(batch, 1, dtype=torch.float64)
        return Light(nothing, nothing.expand(-1, channels), nothing.expand(-1, channels))
    if estimate == "point":   # the pixel the point lies in, and those around it
        row, column = int(point[1] // 1) - first_row, int(point[0] // 1)
        top, bottom = (min(max(0, edge), height) for edge in (row - radius, row + radius + 1))
        left, right = (min(max(0, edge), width) for edge in (column - radius, column + radius + 1))
        picture = picture[..., top:bottom, left:right]
        weights = None if weights is None else weights[..., top:bottom, left:right]
    light = srgb_to_linear(picture)
    if estimate == "shades_of_grey":
        light = light.clamp(min=0) ** _NORM
    share = torch.ones_like(light[:, :1]) if weights is None else weights.to(light).expand(batch, 1, *light.shape[-2:])
    seen = torch.where(share > 0, light, _NOTHING).flatten(2)
    if not seen.shape[-1]:
        seen = light.new_full((batch, channels, 1), _NOTHING)
    return Light(share.sum((-2, -1), dtype=torch.float64), (light * share).sum((-2, -1), dtype=torch.float64),
                 seen.amax(-1).double())


def _apply(image: Tensor, statistics: Mapping[str, Light], *, estimate: str = "shades_of_grey",
           neutral: tuple[float, float, float] = (0.5, 0.5, 0.5), **_: Any) -> Tensor:
    light = statistics["image"]
    mean = light.total / torch.where(light.weight > 0, light.weight, 1)
    if estimate == "neutral":
        white = srgb_to_linear(torch.tensor([neutral], dtype=torch.float64, device=image.device))
    elif estimate == "white_patch":
        white = light.largest
    elif estimate == "shades_of_grey":
        lit = mean > 0
        white = torch.where(lit, torch.where(lit, mean, 1) ** (1 / _NORM), 0)
    else:
        white = mean
    matrix = adaptation_to_grey(white).to(image)
    wide = image.float() if image.dtype.itemsize < 4 else image
    linear = srgb_to_linear(wide)
    red, green, blue = linear.unbind(1)
    rows = matrix.to(wide)[..., None, None].expand(len(image), 3, 3, 1, 1)
    mixed = torch.stack([red * rows[:, i, 0] + green * rows[:, i, 1] + blue * rows[:, i, 2] for i in range(3)], 1)
    return linear_to_srgb(mixed).to(image.dtype)


@op(reach="image", channels=3, measured=Measured(_measure, _apply, placed=True))
def white_balance(image: Image, image_mask: ImageWeights = None, *,
                  estimate: Literal["shades_of_grey", "grey_world", "white_patch", "neutral",
                                    "point"] = "shades_of_grey",
                  neutral: Color = (0.5, 0.5, 0.5), point: Point = (0.5, 0.5),
                  radius: Annotated[int, Range(0, 1000, soft=(0, 20), unit="px")] = 2) -> Tensor:
    """Take away the colour of the light, so that what was white looks white.

    The colour of the light is estimated or picked, and each cone response is divided by the light's (von Kries), so
    that the light becomes a grey of its own luminance: the picture gets neither lighter nor darker. Shades of grey
    takes for grey the mean of sixth powers, which listens to the bright parts, grey world the plain mean, which a
    picture full of one colour misleads, and the white patch the largest value of each channel. Or a neutral colour, or
    a place that should be neutral, is given.

    Args:
        image: (B, 3, H, W), sRGB-encoded; the work is done in linear light.
        image_mask: (B or 1, 1, H, W), the part that is measured, such as a grey card; the whole image is changed.
        estimate: how the light is found.
        neutral: for `neutral`: the colour that should be grey, sRGB-encoded; a grey leaves the picture as it is.
        point: for `point`: a place (x, y) in pixels that should be grey; outside the picture nothing is changed.
        radius: for `point`: how many pixels around the place are averaged on each side.

    Returns:
        (B, 3, H, W), sRGB-encoded; values may leave [0, 1]. Where the light found is black, the picture as it is.

    Raises:
        ControlError: a control outside its range, or a picture without three channels.

    Reference:
        Finlayson, Trezzi: Shades of Gray and Colour Constancy. CIC 12, 2004. Buchsbaum 1980 (grey world), Land 1977
        (white patch); cone responses after Bradford, see `photochrom.color.adaptation`.

    Example:
        >>> import torch
        >>> warm = torch.tensor([0.8, 0.6, 0.4]).reshape(1, 3, 1, 1).expand(-1, -1, 2, 2)
        >>> [round(v, 3) for v in white_balance(warm)[0, :, 0, 0].tolist()]
        [0.639, 0.639, 0.639]
    """
    controls = {"estimate": estimate, "neutral": neutral, "point": point, "radius": radius}
    return _apply(image, {"image": _measure(image, image_mask, **controls)}, **controls)   # type: ignore[arg-type]
