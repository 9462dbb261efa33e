"""More pixels."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.sampling import resample_planes, windows


@op(reach="image", resizes=True)
def upsample(image: Image, *,
             factor: Annotated[int, Range(1, 256, soft=(2, 8), neutral=1)] = 2,
             between: Literal["zeros", "nearest", "bilinear", "bicubic", "lanczos"] = "bicubic") -> Tensor:
    """Put pixels between the pixels, zeros or interpolated ones.

    With `zeros` nothing is added but room: the picture's frequencies appear several times over in the
    spectrum, and an interpolation is the filter that takes the copies away. The other kinds are such filters.

    Args:
        image: (B, C, H, W), any encoding.
        factor: how many pixels stand for one, in x and in y; 1 changes nothing.
        between: what is put there. Of `zeros`, the pixels stand where `downsample` takes them.

    Returns:
        (B, C, factor H, factor W), same encoding; cubic and lanczos may leave [0, 1] at edges.

    Raises:
        ControlError: a control outside its range, or a result of more than a thousand million pixels.

    Reference:
        Oppenheim, Schafer: Discrete-Time Signal Processing, 3rd ed. 2010, section 4.6.

    Example:
        >>> import torch
        >>> upsample(torch.ones(1, 1, 1, 2), between="zeros").flatten().tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]
    """
    if factor == 1:
        return image.clone()
    height, width = image.shape[-2:]
    if height * width * factor * factor > 1 << 30:
        raise ControlError(f"upsample: the result would have {width * factor} x {height * factor} pixels, more than a "
                           "thousand million")
    if between == "zeros":
        made = image.new_zeros((*image.shape[:2], height * factor, width * factor))
        made[..., factor // 2::factor, factor // 2::factor] = image
        return made
    return resample_planes(image, windows(height, height * factor, 0, height, between),
                           windows(width, width * factor, 0, width, between))
