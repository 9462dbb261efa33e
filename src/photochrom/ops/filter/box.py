"""The box blur."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range, Space
from photochrom.num import bands
from photochrom.num.strips import pointwise


def _halo(*, radius: int, border: Border, **_: object) -> int | None:
    return None if border == "circular" else radius


@op(reach="window", halo=_halo, light=(srgb_to_linear, linear_to_srgb))
def box(image: Image, *,
        radius: Annotated[int, Range(0, 1000, soft=(1, 50), scale="linear", unit="px", neutral=0)] = 2,
        border: Border = "reflect",
        space: Space = "encoded") -> Tensor:
    """Blur by the plain mean over a square.

    Every pixel becomes the mean of the (2 radius + 1)^2 pixels around it. The fastest blur; it leaves faint squares
    where a Gaussian leaves none.

    Args:
        image: (B, C, H, W).
        radius: pixels on each side of the centre; 0 changes nothing.
        border: what lies outside the picture.
        space: `linear` mixes light; `encoded` mixes the values of the file.

    Returns:
        (B, C, H, W), same encoding and range.

    Raises:
        ControlError: a control outside its range.

    Reference:
        McDonnell: Box-filtering techniques. Computer Graphics and Image Processing 17(1), 1981.

    Example:
        >>> import torch
        >>> round(box(torch.eye(3)[None, None], radius=1, border="normalize")[0, 0, 0, 0].item(), 4)
        0.5
    """
    if radius == 0:
        return image
    if space == "linear":
        return pointwise(linear_to_srgb, bands.box(pointwise(srgb_to_linear, image), radius, radius, border))
    return bands.box(image, radius, radius, border)
