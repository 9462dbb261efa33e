"""Reinhard's global tone mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor

from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.core.values import per_picture
from photochrom.num.tones import reinhard
from photochrom.num.tones.light import Adaptation
from photochrom.ops.hdr._light import KEY, measured, relit


def _measure(picture: Tensor, weights: Tensor | None = None, **_: object) -> Adaptation:
    return measured(picture, weights)


def _apply(image: Tensor, statistics: Mapping[str, Adaptation], *, key: float | Tensor, white: float,
           saturation: float | Tensor) -> Tensor:
    known, middle = statistics["image"], per_picture(key, image)
    return relit(image, lambda lum: reinhard.gain_global(lum, known, middle, white), per_picture(saturation, image))


@op(reach="image", measured=Measured(_measure, _apply))
def tonemap_reinhard(image: Image, image_mask: ImageWeights = None, *,
                     key: Annotated[float | Tensor, Range(0.001, 10, soft=(0.045, 0.72), scale="log")] = KEY,
                     white: Annotated[float, Range(0, 1e6, soft=(0, 20))] = 0.0,
                     saturation: Annotated[float | Tensor, Range(0, 4, soft=(0, 2))] = 1.0) -> Tensor:
    """Bring a scene of any range to a display as a photographer exposes it: one curve for all pixels.

    The log-average luminance becomes middle grey; then L (1 + L / white^2) / (1 + L) compresses what is light and
    leaves what is dark nearly as it is. Hues are kept.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards; it is decoded to linear light and encoded again.
        image_mask: (B or 1, 1, H, W), where the scene is measured; the whole image is changed.
        key: the value that the log-average becomes; lower for a dark scene, higher for snow.
        white: the luminance, counted so that the log-average is `key`, that becomes white; 0 for the greatest.
        saturation: 1 keeps the proportions of the channels, 0 gives grey.

    Returns:
        (B, C, H, W), sRGB-encoded; luminance within [0, 1] unless `white` burns out; strong colours may pass 1.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Reinhard, Stark, Shirley, Ferwerda: Photographic Tone Reproduction for Digital Images. SIGGRAPH 2002, eq. 1-4.
        Colour: Mantiuk et al., Color correction for tone mapping, 2009, eq. 3.

    Example:
        >>> import torch
        >>> scene = torch.tensor([0.01, 1.0, 9.0]).reshape(1, 1, 1, 3)
        >>> round(tonemap_reinhard(scene).max().item(), 4)
        1.0
    """
    return _apply(image, {"image": measured(image, image_mask)}, key=key, white=white, saturation=saturation)
