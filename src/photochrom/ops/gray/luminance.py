"""Grey by named weights."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from photochrom.color.lab import rgb_to_lab
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Space

_WEIGHTS = {
    "rec601": (0.299, 0.587, 0.114), "rec709": (0.2126, 0.7152, 0.0722), "rec2020": (0.2627, 0.6780, 0.0593),
    "average": (1 / 3, 1 / 3, 1 / 3), "red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0),
}


@op(reach="pixel", channels=3, gives=1, light=(srgb_to_linear, linear_to_srgb))
def luminance(image: Image, *,
              weights: Literal["rec601", "rec709", "rec2020", "average", "red", "green", "blue", "value",
                               "middle", "lightness"] = "rec601",
              space: Space = "encoded") -> Tensor:
    """Turn a picture grey by weighing its channels.

    Rec. 601 (0.299, 0.587, 0.114) is what television and most programs take, Rec. 709 (0.2126, 0.7152, 0.0722) the
    luminance of sRGB's primaries. A single channel looks as through a filter of that colour. `value` is the largest
    channel, `middle` the mean of the largest and the smallest. `lightness` is L* of CIELAB, on a scale of 0 to 1.
    All but `lightness` leave a grey picture as it is.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        weights: what the grey is made of.
        space: `linear` weighs light, as an eye or a black-and-white film does, and encodes the result again; `encoded`
            weighs the stored values. `lightness` is always of light.

    Returns:
        (B, 1, H, W), sRGB-encoded grey, or L* / 100.

    Raises:
        ControlError: a picture without three channels, or an unknown choice.

    Reference:
        ITU-R BT.601-7 (2011), BT.709-6 (2015), BT.2020-2 (2015); CIE 15:2018 for L*.

    Example:
        >>> import torch
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(luminance(red, weights=name).item(), 4) for name in ("rec601", "average", "lightness")]
        [0.299, 0.3333, 0.5324]
    """
    if weights == "lightness":
        return rgb_to_lab(image)[:, :1] / 100
    values = srgb_to_linear(image) if space == "linear" else image
    if weights == "value":
        grey = values.amax(1, keepdim=True)
    elif weights == "middle":
        grey = (values.amax(1, keepdim=True) + values.amin(1, keepdim=True)) / 2
    else:
        red, green, blue = values.split(1, 1)
        r, g, b = _WEIGHTS[weights]
        grey = red * r + green * g + blue * b
    return linear_to_srgb(grey) if space == "linear" else grey
