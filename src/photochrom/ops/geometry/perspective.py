"""A picture seen from elsewhere."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Matrix, Points, Size, Space
from photochrom.num.warping import homography
from photochrom.ops.geometry._warped import as_matrices, inverse, warped


def _moves(*, resample: str, **_: Any) -> bool:
    return resample == "nearest"


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb), moves=_moves)
def perspective(image: Image, *,
                matrix: Matrix | Tensor = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                from_points: Points | None = None,
                to_points: Points | None = None,
                size: Size | None = None,
                resample: Literal["bicubic", "bilinear", "nearest"] = "bicubic",
                border: Literal["reflect", "replicate", "circular", "constant"] = "reflect",
                space: Space = "encoded") -> Tensor:
    """Show a flat picture as from another place, or make a slanted rectangle in it straight.

    The matrix leads a point of the picture to (u, v, w) = M (x, y, 1) and so to (u / w, v / w) in the result. Four
    points and where they go say the same: a house front given by its corners, upper left first and on with the clock,
    fills the result. Points at which w is 0 form the horizon. What lies beyond it, seen from the middle of the picture,
    is not shown; what the result shows above it is black, and transparent if the picture has alpha, with any border.

    Args:
        image: (B, C, H, W).
        matrix: three rows of three numbers, 1,0,0;0,1,0;0,0,1 changing nothing, any multiple meaning the same; a tensor
            (3, 3) or (B, 3, 3) has a gradient. Without effect where points are given.
        from_points: four points (x, y) of the picture; its corners if only `to_points` is given.
        to_points: where they go; the corners of the result if only `from_points` is given.
        size: height and width of the result; those of the picture if not given.
        resample: what is between pixels; see `affine`.
        border: what lies outside the picture; under `constant` a picture with alpha is transparent there.
        space: `linear` mixes light, `encoded` the values of the file.

    Returns:
        (B, C, h, w), same encoding; bicubic weights may leave [0, 1] at edges.

    Raises:
        ControlError: a matrix of another shape, one that cannot be inverted or sends the middle of the picture to
            infinity, other than four points, or three of them on a line.

    Reference:
        Hartley, Zisserman: Multiple View Geometry in Computer Vision, 2nd ed. 2004, sections 2.3 and 4.1.

    Example:
        >>> import torch
        >>> ramp = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> half = ((0, 0), (2, 0), (2, 1), (0, 1))   # the left half, over all
        >>> perspective(ramp, from_points=half, resample="bilinear").flatten().tolist()
        [0.25, 0.25, 0.75, 1.25]
    """
    height, width = image.shape[-2:]
    shape = size or (height, width)
    if from_points is None and to_points is None:
        matrices = as_matrices("perspective", matrix, 3, image)
    else:
        before, after = from_points or _corners(height, width), to_points or _corners(*shape)
        for name, points in (("from_points", before), ("to_points", after)):
            if len(points) != 4:
                raise ControlError(f"perspective: {name} must be four points (x, y), got {len(points)}")
            if _flat(points):
                raise ControlError(f"perspective: {name} must be corners of which no three lie on a line, got {points}")
        found = homography(torch.tensor(before, dtype=torch.float64), torch.tensor(after, dtype=torch.float64))
        matrices = as_matrices("perspective", found, 3, image)
    middle = matrices.detach() @ matrices.new_tensor([width / 2, height / 2, 1.0])
    depth = middle[:, 2]
    if bool((depth.abs() <= 1e-12 * middle.abs().amax(1) / max(height, width)).any()):
        raise ControlError("perspective: matrix must not send the middle of the picture to infinity, got "
                           f"{matrices.detach().tolist()}")
    theta = inverse("perspective", matrices * depth.sign()[:, None, None], image)
    return warped("perspective", image, theta, None, shape, resample, border, space)


def _corners(height: int, width: int) -> tuple[tuple[float, float], ...]:
    return (0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))


def _flat(points: tuple[tuple[float, float], ...]) -> bool:
    """Whether three of four points lie on a line, or nearly: a triangle's area against its longest side."""
    for left_out in range(4):
        (ax, ay), (bx, by), (cx, cy) = (point for k, point in enumerate(points) if k != left_out)
        area = abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
        long = max((bx - ax) ** 2 + (by - ay) ** 2, (cx - ax) ** 2 + (cy - ay) ** 2, (cx - bx) ** 2 + (cy - by) ** 2)
        if area <= 1e-9 * long:
            return True
    return False
