"""Colour transfer by mean and covariance."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from photochrom.color.axes import NO_SPREAD, Axes, axes_to_rgb, rgb_to_axes
from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Reference, Weights
from photochrom.num.covariance import Covariance, covariance, linear_map
from photochrom.num.strips import pointwise


def _measure(picture: Tensor, weights: Tensor | None = None, *, axes: Axes = "lab") -> Covariance:
    return covariance(rgb_to_axes(picture, axes), weights)


def _apply(image: Tensor, statistics: Mapping[str, Covariance], *, axes: Axes = "lab") -> Tensor:
    own, wanted = statistics["image"], statistics["reference"]
    matrix = linear_map(own.matrix, wanted.matrix, NO_SPREAD[axes] ** 2)
    shift = wanted.mean - (matrix @ own.mean[..., None])[..., 0]

    def move(part: Tensor) -> Tensor:
        values = rgb_to_axes(part, axes)
        rows = matrix.to(values)[..., None, None].unbind(1)   # (B, 3, 1, 1) each
        mixed = torch.stack([(row * values).sum(1) for row in rows], 1) + shift.to(values)[..., None, None]
        return axes_to_rgb(mixed, axes).to(image.dtype)

    if matrix.requires_grad and torch.is_grad_enabled():
        return move(image)
    return pointwise(move, image)


@op(reach="image", channels=3, measured=Measured(_measure, _apply))
def transfer_covariance(image: Image, reference: Reference, image_mask: ImageWeights = None,
                        reference_mask: Weights = None, *, axes: Axes = "lab") -> Tensor:
    """Give a picture the palette of another by matching means and covariance of its channels.

    Of all linear maps that give the picture the means, spreads and correlations of the reference it is the one that
    moves colours least (Monge-Kantorovich). Colours that vary along a line or not at all have no shape across it:
    there they are moved only.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        reference: (B or 1, 3, any H, any W), sRGB-encoded, the picture whose palette is wanted.
        image_mask: (B or 1, 1, H, W), the swatch of the image that is measured; the whole image is changed.
        reference_mask: (B or 1, 1, of the reference's size), the swatch of the reference that is measured.
        axes: the colour space in which the covariances are matched; `rgb` is that of the encoded values.

    Returns:
        (B, 3, H, W), sRGB-encoded; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, or an unknown space.

    Reference:
        Pitie, Kokaram: The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer. CVMP
        2007.

    Example:
        >>> import torch
        >>> grey, warm = torch.full((1, 3, 2, 2), 0.5), torch.tensor([0.8, 0.5, 0.2]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in transfer_covariance(grey, warm)[0, :, 0, 0].tolist()]
        [0.8, 0.5, 0.2]
    """
    return _apply(image, {"image": _measure(image, image_mask, axes=axes),
                          "reference": _measure(reference, reference_mask, axes=axes)}, axes=axes)
