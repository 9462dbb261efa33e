"""Guided filter."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Border, Guide, Image, Range
from photochrom.num.nearness import guided as guided_by


def _halo(*, radius: int, border: Border, **_: object) -> int | None:
    return None if border == "circular" else 2 * radius


@op(reach="window", halo=_halo, copies=16)
def guided(image: Image, guide: Guide = None, *,
           radius: Annotated[int, Range(1, 500, soft=(1, 64), scale="log", unit="px")] = 8,
           eps: Annotated[float, Range(1e-8, 10, soft=(1e-4, 0.1), scale="log")] = 0.01,
           border: Border = "reflect") -> Tensor:
    """Smooth a picture where a guide is flat, and keep edges that the guide has.

    In every window the result is a linear function of the guide, so its edges are the guide's, without the halos and
    stairs of other filters. The picture is its own guide unless another is given: then a mask or a coarse map
    takes on the outlines of a photograph. The time does not depend on the radius.

    Args:
        image: (B, C, H, W), any encoding.
        guide: (B or 1, 1 or 3, H, W), whose edges are kept; each channel of the image by itself if not given.
        radius: pixels on each side of the middle of a window.
        eps: variance of the guide below which a window is flat; the square of a contrast.
        border: what lies outside the picture.

    Returns:
        (B, C, H, W), same encoding; values may pass those of the image a little.

    Raises:
        ControlError: a control outside its range, or a guide of another size or with two channels.

    Reference:
        He, Sun, Tang: Guided image filtering. IEEE TPAMI 35(6), 2013.

    Example:
        >>> import torch
        >>> edge = torch.tensor([0.2, 0.2, 0.8, 0.8]).reshape(1, 1, 1, 4)
        >>> [round(v, 2) for v in guided(edge, radius=1, eps=1e-4).flatten().tolist()]
        [0.2, 0.2, 0.8, 0.8]
    """
    half = image.dtype.itemsize == 2
    wide = image.float() if half else image
    if guide is None:
        planes = wide.flatten(0, 1)[:, None]
        found = guided_by(planes, planes, radius, eps, border)
        return found.reshape(image.shape).to(image.dtype)
    if guide.shape[-2:] != image.shape[-2:] or guide.shape[1] not in (1, 3):
        raise ControlError(f"guided: guide must have the size of the image, {image.shape[-1]} x {image.shape[-2]} "
                           f"pixels, and 1 or 3 channels, got {tuple(guide.shape)}")
    if guide.shape[0] not in (1, image.shape[0]):
        raise ControlError(f"guided: {guide.shape[0]} guides do not fit a batch of {image.shape[0]}")
    return guided_by(wide, guide.to(wide).expand(image.shape[0], -1, -1, -1), radius, eps, border).to(image.dtype)
