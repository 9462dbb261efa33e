"""A picture moved, turned, scaled and sheared at once."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Matrix, Size, Space
from photochrom.ops.geometry._warped import as_matrices, inverse, warped


def _moves(*, resample: str, **_: Any) -> bool:
    return resample == "nearest"


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb), moves=_moves)
def affine(image: Image, *,
           matrix: Matrix | Tensor = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
           size: Size | None = None,
           resample: Literal["bicubic", "bilinear", "nearest"] = "bicubic",
           border: Literal["reflect", "replicate", "circular", "constant"] = "reflect",
           space: Space = "encoded") -> Tensor:
    """Move, turn, scale and shear a picture by a matrix.

    The matrix says where a point (x, y) of the picture goes: x' = m00 x + m01 y + m02, y' = m10 x + m11 y + m12, with x
    to the right and y downwards, the corner of the picture at (0, 0) and the centre of its first pixel at (0.5, 0.5).
    Every pixel of the result is sampled where it comes from; where the picture shrinks nothing is blurred first, so
    that fine detail turns into false patterns below about half the size: use `resize` before.

    Args:
        image: (B, C, H, W).
        matrix: two rows of three numbers, 1,0,0;0,1,0 changing nothing; a tensor (2, 3) or (B, 2, 3) has a gradient.
        size: height and width of the result, whose corner stays at (0, 0); those of the picture if not given.
        resample: what is between pixels; `bicubic` is Keys' with a slope of -0.5 at distance 1.
        border: what lies outside the picture; under `constant` a picture with alpha is transparent there.
        space: `linear` mixes light, `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding; bicubic weights may leave [0, 1] at edges. Moves by whole pixels, mirror images and
        quarter turns take pixels as they are.

    Raises:
        ControlError: a matrix of another shape or one that cannot be inverted, or a result of more than a thousand
            million pixels.

    Reference:
        Keys: Cubic convolution interpolation for digital image processing. IEEE TASSP 29(6), 1981. Jaderberg, Simonyan,
        Zisserman, Kavukcuoglu: Spatial transformer networks. NIPS 2015, for the gradient in the matrix.

    Example:
        >>> import torch
        >>> ramp = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> affine(ramp, matrix=((1, 0, 0.5), (0, 1, 0)), resample="bilinear").flatten().tolist()   # half a pixel right
        [0.5, 0.5, 1.5, 2.5]
    """
    shape = size or (image.shape[-2], image.shape[-1])
    theta = inverse("affine", as_matrices("affine", matrix, 2, image), image)
    return warped("affine", image, theta, None, shape, resample, border, space)
