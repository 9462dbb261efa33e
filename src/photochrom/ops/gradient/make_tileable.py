"""Pictures that repeat without a seam."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Space
from photochrom.num.poisson import edit


@op(reach="image", copies=12)
def make_tileable(image: Image, *, space: Space = "encoded") -> Tensor:
    """Change a picture so that copies of it side by side show no seam.

    Opposite edges are set to their mean, and what lies between keeps its changes from pixel to pixel as nearly as it
    can: a slow difference of brightness from one side to the other vanishes, the texture stays. The first and the last
    row come out equal, and so do the first and the last column.

    Args:
        image: (B, C, H, W), any encoding; a texture that covers the picture evenly suits best.
        space: `linear` takes the mean of light, `encoded` of the values of the file.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1].

    Raises:
        ControlError: a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, section 4, seamless tiling.

    Example:
        >>> import torch
        >>> ramp = torch.linspace(0, 1, 6).expand(1, 1, 6, 6)
        >>> tile = make_tileable(ramp)
        >>> [round(v, 3) for v in tile[0, 0, 3, [0, 5]].tolist()]
        [0.5, 0.5]
    """
    wide = image if image.dtype in (torch.float32, torch.float64) else image.float()
    light = (srgb_to_linear, linear_to_srgb) if space == "linear" else None
    framed = _framed(wide if light is None else light[0](wide))
    framed = framed if light is None else light[1](framed)
    height, width = image.shape[-2:]
    region = torch.zeros(1, 1, height, width, dtype=torch.bool, device=image.device)
    region[..., 1:height - 1, 1:width - 1] = True
    return edit("make_tileable", framed, region, None, source=wide, light=light).to(image)


def _framed(image: Tensor) -> Tensor:
    """Set opposite edges to their mean, and the corners to the mean of all four."""
    made = image.clone()
    rows = (image[..., 0, :] + image[..., -1, :]) / 2
    columns = (image[..., :, 0] + image[..., :, -1]) / 2
    corner = (rows[..., 0] + rows[..., -1]) / 2
    for edge in (0, -1):
        made[..., edge, :] = rows
    for edge in (0, -1):
        made[..., :, edge] = columns
    for y in (0, -1):
        for x in (0, -1):
            made[..., y, x] = corner
    return made
