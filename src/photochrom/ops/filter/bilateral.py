"""Bilateral filter."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range
from photochrom.num.nearness import bilateral_exact, bilateral_radius


def _halo(*, sigma: float, border: Border, **_: object) -> int | None:
    return None if border == "circular" else bilateral_radius(sigma)


@op(reach="window", halo=_halo)
def bilateral(image: Image, *,
              sigma: Annotated[float, Range(0.1, 30, soft=(0.5, 8), scale="log", unit="px")] = 2.0,
              sigma_range: Annotated[float, Range(1e-4, 100, soft=(0.01, 0.5), scale="log")] = 0.1,
              border: Border = "reflect") -> Tensor:
    """Smooth a picture and keep its edges: neighbours count the less the more their colour differs.

    Every pixel becomes the mean of those in the disc around it, weighted by a Gaussian of their distance and by one of
    the difference of their colours. Texture and noise below `sigma_range` melt away, edges above it stay sharp.

    Args:
        image: (B, C, H, W), encoded values; equal differences should look equal.
        sigma: standard deviation of the distance in pixels; the disc reaches to twice that. The time grows with its
            square.
        sigma_range: standard deviation of the difference of colours, over all channels together, in values.
        border: what lies outside the picture.

    Returns:
        (B, C, H, W), same encoding and range.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Tomasi, Manduchi: Bilateral filtering for gray and color images. ICCV 1998. Differs from the paper in that
        colours are compared in the encoding of the image; convert to CIELAB first for its way.

    Example:
        >>> import torch
        >>> edge = torch.tensor([0.2, 0.22, 0.8, 0.78]).reshape(1, 1, 1, 4)
        >>> [round(v, 2) for v in bilateral(edge, sigma_range=0.05).flatten().tolist()]
        [0.21, 0.21, 0.79, 0.79]
    """
    if image.dtype.itemsize == 2:
        return bilateral_exact(image.float(), sigma, sigma_range, border).to(image.dtype)
    return bilateral_exact(image, sigma, sigma_range, border)
