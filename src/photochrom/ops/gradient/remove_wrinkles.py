"""Healing skin."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, NeededRegion, Point, Range
from photochrom.num.healing import clean_offset
from photochrom.num.poisson import bounds, check_finite, edit, flat, paste, region_of
from photochrom.num.regions import regions


@op(reach="image")
def remove_wrinkles(image: Image, mask: NeededRegion, *,
                    offset: Point = (0.0, 0.0),
                    search: Annotated[int, Range(1, 1000, soft=(16, 256), scale="log", unit="px")] = 64) -> Tensor:
    """Heal wrinkles, spots and scratches by clean skin of the same picture.

    Each connected part of the mask gets the texture of a place nearby, laid in by its changes from pixel to pixel, so
    that the light of the healed place stays. The place is looked for: of all that fit, the one that meets the
    surroundings best and is calmest. Or it is given by its offset.

    Args:
        image: (B, C, H, W), encoded.
        mask: (B or 1, 1, H, W), what is healed and a little around it, from 1/2 upwards. An empty one changes
            nothing.
        offset: from what is healed to the place that is taken, in whole pixels; 0,0 looks for the best.
        search: how far from what is healed a place is looked for, in pixels of x and of y. Where none fits, the part
            is filled smoothly, as by `fill`.

    Returns:
        (B, C, H, W), same encoding; outside the mask the image bit for bit.

    Raises:
        ControlError: a mask of another size; an offset that leads out of the picture; a
            value that is not finite.

    Reference:
        Perez, Gangnet, Blake: Poisson image editing. ACM TOG 22(3), 2003, section 3, concealment. The choice of the
        place is not in the paper.

    Example:
        >>> import torch
        >>> skin = torch.full((1, 1, 9, 20), 0.5)
        >>> skin[..., 3:6, 4] = 0.2
        >>> spot = torch.zeros(1, 1, 9, 20)
        >>> spot[..., 2:7, 3:6] = 1
        >>> round(remove_wrinkles(skin, spot, search=8)[0, 0, 4, 4].item(), 4)
        0.5
    """
    region = region_of(mask, image).expand(image.shape[0], -1, -1, -1)
    wide = image if image.dtype in (torch.float32, torch.float64) else image.float()
    healed = [_heal(picture[None], inside[0], offset, search) for picture, inside in zip(wide, region, strict=True)]
    return torch.cat(healed).to(image.dtype)


def _heal(image: Tensor, region: Tensor, offset: tuple[float, float], search: int) -> Tensor:
    result = image
    if bool(region.any()):
        check_finite("remove_wrinkles", "image", image)
    for part in regions(region):
        found: tuple[int, int] | None = (round(offset[0]), round(offset[1]))
        if found == (0, 0):
            found = clean_offset(image[0], part, region, search)
        if found is None:
            result = edit("remove_wrinkles", result, part[None, None], flat)
            continue
        rows, columns = bounds(part, 0) or (slice(0), slice(0))
        x, y = found
        height, width = region.shape
        if rows.start + y < 0 or columns.start + x < 0 or rows.stop + y > height or columns.stop + x > width:
            raise ControlError(f"remove_wrinkles: offset {x},{y} leads out of the picture, {width} x {height} pixels")
        window = (slice(max(0, min(rows.start, rows.start + y) - 1), max(rows.stop, rows.stop + y) + 1),
                  slice(max(0, min(columns.start, columns.start + x) - 1), max(columns.stop, columns.stop + x) + 1))
        seen = result[..., window[0], window[1]]
        healed = edit("remove_wrinkles", seen, part[window][None, None], None,
                      source=_moved(image[..., window[0], window[1]], x, y))
        result = paste(result, healed, window)
    return result if result is not image else image.clone()


def _moved(image: Tensor, x: int, y: int) -> Tensor:
    """Return the picture at p + (x, y) for every p; its edge goes on beyond it."""
    height, width = image.shape[-2:]
    wide = functional.pad(image, (max(0, -x), max(0, x), max(0, -y), max(0, y)), mode="replicate")
    return wide[..., max(0, y):max(0, y) + height, max(0, x):max(0, x) + width]
