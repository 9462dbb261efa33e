"""Cutting a part out."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Box, Image, Range, Size, Space
from photochrom.num.boxes import resample_by_box
from photochrom.num.sampling import resample_planes, windows
from photochrom.num.strips import pointwise


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb))
def crop(image: Image, *,
         box: Box | Tensor | None = None,
         size: Size | None = None,
         resample: Literal["bicubic", "bilinear", "nearest", "lanczos", "area"] = "bicubic",
         a: Annotated[float, Range(-1, 0)] = -0.5,
         antialias: bool = True,
         space: Space = "encoded") -> Tensor:
    """Cut a box out of a picture, and bring it to any size.

    A box of whole pixels without another size is taken as it is. Any other is sampled anew: the pixels of the result
    divide the box evenly, and what they cover is weighted as in `resize`, with what lies around the box. The result
    changes smoothly as the box moves, so a network or a search can learn where to look.

    Args:
        image: (B, C, H, W).
        box: x0, y0, x1, y1 in pixels, 0,0,W,H being the whole picture and the default; a tensor (4,) or (B, 4) has a
            gradient. It may reach beyond the picture, where the edge is repeated, but must touch it.
        size: height and width of the result; those of the box, rounded, if not given.
        resample: what is between pixels; see `resize`.
        a: slope of `bicubic` at distance 1.
        antialias: widen the weights where the box shrinks.
        space: `linear` mixes light, `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding; the box that is the whole picture at its own size is the picture bit for bit.

    Raises:
        ControlError: a box that is inverted, empty or wholly outside the picture, or that would give more than a
            thousand million pixels.

    Reference:
        Jaderberg, Simonyan, Zisserman, Kavukcuoglu: Spatial transformer networks. NIPS 2015, for a crop with a gradient
        in its box. Differs from the paper in that the weights widen where the box shrinks.

    Example:
        >>> import torch
        >>> ramp = torch.arange(6.0).reshape(1, 1, 1, 6).expand(1, 1, 4, 6)
        >>> crop(ramp, box=(1, 0, 5, 2), size=(1, 2), resample="area").flatten().tolist()
        [1.5, 3.5]
    """
    height, width = image.shape[-2:]
    if isinstance(box, Tensor):
        if space == "linear":
            light = pointwise(srgb_to_linear, image)
            return pointwise(linear_to_srgb, _learnt(light, box, size, resample, a, antialias))
        return _learnt(image, box, size, resample, a, antialias)
    x0, y0, x1, y1 = box or (0.0, 0.0, float(width), float(height))
    _check((x0, y0, x1, y1), width, height)
    tall, wide = size or (max(1, round(y1 - y0)), max(1, round(x1 - x0)))
    if tall * wide > 1 << 30:
        raise ControlError(f"crop: the result would have {wide} x {tall} pixels, more than a thousand million")
    inside = x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height
    if inside and all(edge == int(edge) for edge in (x0, y0, x1, y1)) and (tall, wide) == (y1 - y0, x1 - x0):
        return image[..., int(y0):int(y1), int(x0):int(x1)].clone()
    rows = windows(height, tall, y0, y1, resample, a, antialias, "replicate")
    columns = windows(width, wide, x0, x1, resample, a, antialias, "replicate")
    if space == "linear":
        return pointwise(linear_to_srgb, resample_planes(pointwise(srgb_to_linear, image), rows, columns))
    return resample_planes(image, rows, columns)


def _learnt(image: Tensor, box: Tensor, size: tuple[int, int] | None, resample: str, a: float,
            antialias: bool) -> Tensor:
    if box.ndim not in (1, 2) or box.shape[-1] != 4 or (box.ndim == 2 and box.shape[0] != image.shape[0]):
        raise ControlError(f"crop: box must be a tensor (4,) or ({image.shape[0]}, 4), got {tuple(box.shape)}")
    height, width = image.shape[-2:]
    boxes = box.expand(image.shape[0], 4)
    plain = [tuple(float(edge) for edge in one) for one in boxes.detach().cpu()]
    for one in plain:
        _check(one, width, height)
    x0, y0, x1, y1 = plain[0]
    shape = size or (max(1, round(y1 - y0)), max(1, round(x1 - x0)))
    if len(image) == 1:   # taking a batch apart and putting it together copies the picture's gradient
        return resample_by_box(image, boxes[0], shape, resample, a, antialias)
    return torch.cat([resample_by_box(picture[None], one, shape, resample, a, antialias)
                      for picture, one in zip(image, boxes, strict=True)])


def _check(box: tuple[float, ...], width: int, height: int) -> None:
    x0, y0, x1, y1 = box
    if not (x1 > x0 and y1 > y0):
        raise ControlError(f"crop: box must be (x0, y0, x1, y1) with x0 < x1 and y0 < y1, got {box}")
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise ControlError(f"crop: the box {box} lies wholly outside the picture, {width} x {height} pixels")
