"""Drago's tone mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor

from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.core.values import per_picture
from photochrom.num.tones import drago
from photochrom.num.tones.light import Adaptation
from photochrom.ops.hdr._light import measured, relit


def _measure(picture: Tensor, weights: Tensor | None = None, **_: object) -> Adaptation:
    return measured(picture, weights)


def _apply(image: Tensor, statistics: Mapping[str, Adaptation], *, bias: float, stops: float | Tensor,
           saturation: float | Tensor) -> Tensor:
    known, more = statistics["image"], per_picture(stops, image)
    return relit(image, lambda lum: drago.gain(lum, known, bias, more), per_picture(saturation, image))


@op(reach="image", measured=Measured(_measure, _apply))
def tonemap_drago(image: Image, image_mask: ImageWeights = None, *,
                  bias: Annotated[float, Range(0.1, 0.99, soft=(0.5, 0.95))] = 0.85,
                  stops: Annotated[float | Tensor, Range(-20, 20, soft=(-4, 4), unit="EV")] = 0.0,
                  saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0) -> Tensor:
    """Bring a scene of any range to a display by a logarithm whose base grows with the light.

    Dark parts are compressed by base 2, which keeps their contrast, the lightest by base 10, which keeps them within
    white; `bias` says how the base passes from one to the other. The brightest pixel becomes white.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        image_mask: (B or 1, 1, H, W), where the scene is measured; the whole image is changed.
        bias: lower is lighter in the middle tones; the paper's choice is 0.85.
        stops: doublings of light before the curve; more lightens the dark parts.
        saturation: 1 keeps the proportions of the channels, 0 gives grey.

    Returns:
        (B, C, H, W), sRGB-encoded; luminance within [0, 1]; strong colours may pass 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Drago, Myszkowski, Annen, Chiba: Adaptive Logarithmic Mapping For Displaying High Contrast Scenes. Computer
        Graphics Forum 22(3), 2003, eq. 4. Differs from the paper in the gamma of section 4, in whose place stands sRGB.

    Example:
        >>> import torch
        >>> round(tonemap_drago(torch.tensor([0.01, 1.0, 9.0]).reshape(1, 1, 1, 3)).max().item(), 4)
        1.0
    """
    return _apply(image, {"image": measured(image, image_mask)}, bias=bias, stops=stops, saturation=saturation)
