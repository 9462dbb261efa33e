"""Washing texture out."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Guide, Image, Range, Region
from photochrom.num.edges import blurred_levels, thin_edges
from photochrom.num.histograms import luminance
from photochrom.num.poisson import Field, bounds, edit, region_of, rises


@op(reach="image")
def flatten_texture(image: Image, mask: Region = None, edges: Guide = None, *,
                    low: Annotated[float, Range(0, 1e4, soft=(0, 500))] = 60.0,
                    high: Annotated[float, Range(0, 1e4, soft=(0, 500))] = 120.0,
                    sigma: Annotated[float, Range(0.1, 10, soft=(0.5, 2), scale="log", unit="px")] = 1.4) -> Tensor:
    """Wash the texture out of a part of a picture and keep its edges.

    Only changes from pixel to pixel that lie on an edge are kept, all others become nothing, and the picture that rises
    so is found by the Poisson equation. What lies between edges turns smooth, as in a drawing.

    Args:
        image: (B, C, H, W), encoded.
        mask: (B or 1, 1, H, W), the part that is flattened, from 1/2 upwards; without it the whole picture. An empty
            one changes nothing.
        edges: (B or 1, 1 or 3, H, W), where changes are kept, from 1/2 upwards, such as a drawing; found by Canny's
            detector if not given.
        low: of the detector, as in `canny`.
        high: of the detector, as in `canny`.
        sigma: of the detector's blur in pixels.

    Returns:
        (B, C, H, W), same encoding; outside the region the image bit for bit. Of a whole picture the mean stays.

    Raises:
        ControlError: a mask or edges of another size, `low` above `high`, or a value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, equation 14, with a change kept where either
        of its two pixels lies on an edge.

    Example:
        >>> import torch
        >>> image = torch.tensor([0.2, 0.25, 0.2, 0.8, 0.75, 0.8]).expand(1, 1, 6, 6)
        >>> drawn = torch.zeros(1, 1, 6, 6)
        >>> drawn[..., 2] = 1
        >>> [round(v, 2) for v in flatten_texture(image, edges=drawn)[0, 0, 3].tolist()]
        [0.23, 0.23, 0.18, 0.78, 0.78, 0.78]
    """
    if low > high:
        raise ControlError(f"flatten_texture: low must not lie above high, got {low:g} above {high:g}")
    if edges is None:
        grey = luminance(image.detach().to(torch.float64 if image.dtype == torch.float64 else torch.float32))
        lower, upper = (torch.full((len(image),), limit, device=image.device) for limit in (low, high))
        marked = thin_edges(blurred_levels(grey, sigma), lower, upper, False)
    else:
        if edges.shape[-2:] != image.shape[-2:] or edges.shape[0] not in (1, image.shape[0]):
            raise ControlError(f"flatten_texture: edges must have the size of the image, {image.shape[-1]} x "
                               f"{image.shape[-2]} pixels, got {edges.shape[-1]} x {edges.shape[-2]}")
        marked = edges[:, :1] >= 0.5
    region = region_of(mask, image)
    place = bounds(region)

    def field(own: Tensor, other: Tensor) -> Field:
        assert place is not None
        on = marked[..., place[0], place[1]]
        right, down = rises(own)
        return (torch.where(on[..., :, 1:] | on[..., :, :-1], right, 0),
                torch.where(on[..., 1:, :] | on[..., :-1, :], down, 0))

    return edit("flatten_texture", image, region, field)
