"""A picture turned about its middle."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range, Space
from photochrom.ops.geometry._warped import warped


def _moves(*, angle: Any, grow: bool, resample: str, **_: Any) -> bool:
    # a quarter turn that keeps the frame may lay pixels between pixels
    return resample == "nearest" or (not isinstance(angle, Tensor) and angle % (90 if grow else 180) == 0)


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb), moves=_moves)
def rotate(image: Image, *,
           angle: Annotated[float | Tensor, Range(-360, 360, soft=(-45, 45), unit="deg", neutral=0)] = 0.0,
           grow: bool = False,
           resample: Literal["bicubic", "bilinear", "nearest"] = "bicubic",
           border: Literal["reflect", "replicate", "circular", "constant"] = "reflect",
           space: Space = "encoded") -> Tensor:
    """Turn a picture about its middle.

    Corners that come from outside the picture show what `border` says: its mirror image, so that a horizon made level
    leaves no black wedges, or nothing under `constant`.

    Args:
        image: (B, C, H, W).
        angle: counter-clockwise as seen, in degrees; 0 changes nothing; a tensor () or (B,) has a gradient.
        grow: make the result so large that the whole turned picture has room.
        resample: what is between pixels; see `affine`.
        border: what lies outside the picture; under `constant` a picture with alpha is transparent there.
        space: `linear` mixes light, `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding; bicubic weights may leave [0, 1] at edges. Half turns take pixels as they are, and
        so do quarter turns, except where they keep the frame of a picture of which one side is even and the other odd.

    Raises:
        ControlError: an angle outside its range, a tensor of another shape or not finite, or a result of more than a
            thousand million pixels.

    Reference:
        Keys: Cubic convolution interpolation for digital image processing. IEEE TASSP 29(6), 1981.

    Example:
        >>> import torch
        >>> rotate(torch.tensor([[[[1.0, 2.0, 3.0]]]]), angle=90, grow=True).flatten().tolist()
        [3.0, 2.0, 1.0]
    """
    height, width = image.shape[-2:]
    angles = torch.as_tensor(angle).to(device=image.device, dtype=torch.float64)
    if angles.ndim > 1 or (angles.ndim == 1 and len(angles) not in (1, len(image))):
        raise ControlError(f"rotate: angle must be a number or a tensor () or ({len(image)},), got "
                           f"{tuple(angles.shape)}")
    angles = angles.reshape(-1)
    if not bool(angles.detach().isfinite().all()):
        raise ControlError(f"rotate: angle must be finite, got {angles.detach().tolist()}")
    cos, sin = _direction(angles)
    tall, wide = height, width
    if grow:
        c, s = cos.detach().abs(), sin.detach().abs()   # a hair's breadth of rounding adds no row
        tall = math.ceil(float((s * width + c * height).max()) - 1e-6)
        wide = math.ceil(float((c * width + s * height).max()) - 1e-6)
    # (x, y) goes to (c x + s y, -s x + c y) about the middle, y pointing downwards; this is the way back
    dx, dy = wide / 2, tall / 2
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    theta = torch.stack([torch.stack([cos, -sin, width / 2 - cos * dx + sin * dy], -1),
                         torch.stack([sin, cos, height / 2 - sin * dx - cos * dy], -1),
                         torch.stack([zero, zero, one], -1)], -2)
    return warped("rotate", image, theta, None, (tall, wide), resample, border, space)


def _direction(angles: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine, exact at multiples of 90 degrees."""
    turns = (angles.detach() / 90).round()
    rest = torch.deg2rad(angles - 90 * turns)
    c, s, quarter = torch.cos(rest), torch.sin(rest), turns.remainder(4)
    cos = torch.where(quarter == 0, c, torch.where(quarter == 1, -s, torch.where(quarter == 2, -c, s)))
    sin = torch.where(quarter == 0, s, torch.where(quarter == 1, c, torch.where(quarter == 2, -s, -c)))
    return cos, sin
