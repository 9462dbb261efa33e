"""Colour transfer by mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from photochrom.color.axes import NO_SPREAD, Axes, axes_to_rgb, rgb_to_axes
from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Reference, Weights
from photochrom.num.moments import Moments, moments


def _measure(picture: Tensor, weights: Tensor | None = None, *, axes: Axes = "l_alpha_beta") -> Moments:
    return moments(rgb_to_axes(picture, axes), weights)


def _apply(image: Tensor, statistics: Mapping[str, Moments], *, axes: Axes = "l_alpha_beta") -> Tensor:
    own, wanted, least = statistics["image"], statistics["reference"], NO_SPREAD[axes]
    # A channel without spread has no shape to stretch: it is moved only.
    spread = torch.where(own.std > least, wanted.std / own.std.clamp(min=least), 1.0)
    shift = wanted.mean - own.mean * spread
    values = rgb_to_axes(image, axes)
    moved = values * spread.to(values)[..., None, None] + shift.to(values)[..., None, None]
    return axes_to_rgb(moved, axes).to(image.dtype)


@op(reach="image", channels=3, measured=Measured(_measure, _apply))
def transfer_statistics(image: Image, reference: Reference, image_mask: ImageWeights = None,
                        reference_mask: Weights = None, *, axes: Axes = "l_alpha_beta") -> Tensor:
    """Give a picture the palette of another by matching mean and spread of each channel.

    In l-alpha-beta, where the channels of natural pictures are nearly independent, each channel is shifted and
    stretched until its mean and standard deviation are those of the reference: a noon beach takes on the light of a
    sunset. A channel without any spread is shifted only.

    Args:
        image: (B, 3, H, W), sRGB-encoded, as in the paper.
        reference: (B or 1, 3, any H, any W), the picture whose palette is wanted.
        image_mask: (B or 1, 1, H, W), the swatch of the image that is measured; the whole image is changed.
        reference_mask: (B or 1, 1, of the reference's size), the swatch of the reference that is measured.
        axes: the colour space whose channels are matched: that of the paper, `lab` (CIELAB), `oklab`, or `rgb`, the
            encoded values themselves.

    Returns:
        (B, 3, H, W), sRGB-encoded; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, or an unknown space.

    Reference:
        Reinhard, Ashikhmin, Gooch, Shirley: Color Transfer between Images. IEEE CG&A 21(5), 2001.
        Differs from the paper in the logarithm near black, see `photochrom.color.l_alpha_beta`.

    Example:
        >>> import torch
        >>> grey, warm = torch.full((1, 3, 2, 2), 0.5), torch.tensor([0.8, 0.5, 0.2]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in transfer_statistics(grey, warm)[0, :, 0, 0].tolist()]
        [0.8, 0.5, 0.2]
    """
    return _apply(image, {"image": _measure(image, image_mask, axes=axes),
                          "reference": _measure(reference, reference_mask, axes=axes)}, axes=axes)
