"""The pyramids of a picture: what each halving keeps, and what it loses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.num.pyramids import collapse, depth, gaussian_pyramid, laplacian_pyramid
from photochrom.views.plot import as_shown, draw, picture, smaller

MOST = 512
"""Pixels on the longer side of the finest level: what is drawn is no larger."""


class Pyramids(NamedTuple):
    """What is plotted, from fine to coarse."""

    kept: list[Tensor]
    """The picture and its halvings."""
    lost: list[Tensor]
    """What each halving loses; the last is the coarsest picture itself."""
    apart: float
    """The largest difference of the picture and the sum of what was lost."""


def pyramids(image: Tensor, levels: int) -> Pyramids:
    """Return both pyramids of a picture (1, C, H, W).

    Raises:
        ControlError: more levels than halvings leave pixels for.

    Example:
        >>> import torch
        >>> [part.shape[-1] for part in pyramids(torch.rand(1, 1, 8, 8), 3).kept]
        [8, 4, 2]
    """
    most = depth(*image.shape[-2:])
    if levels > most:
        raise ControlError(f"view pyramid: a picture of {image.shape[-1]} x {image.shape[-2]} pixels has at most "
                           f"{most} levels, got {levels}")
    lost = laplacian_pyramid(image, levels)
    return Pyramids(gaussian_pyramid(image, levels), lost, float((collapse(lost) - image).abs().max()))


def view_pyramid(source: str | Path, target: str | Path, *, levels: int | None = None, overwrite: bool = False) -> None:
    """Draw the Gaussian pyramid of a picture above its Laplacian pyramid, every level as large as its pixels.

    Args:
        source: the picture file.
        target: the PNG or SVG to write.
        levels: of both pyramids; as many as there are down to 8 pixels, and at most 6, if not given.
        overwrite: replace a file that is there.
    """
    image = smaller(picture(source), MOST)
    height, width = image.shape[-2:]
    count = max(1, min(6, depth(height, width) - 2)) if levels is None else levels
    found = pyramids(image, count)
    gap, left, head = 14, 24, 46
    across = left + sum(part.shape[-1] + gap for part in found.kept) + left - gap
    wide, row = max(across, 520), height + head
    high = 2 * row + 20
    # One scale for all bands: grey is nothing lost; all but 2 in 1000 of the finest detail lies within.
    bands = [band.abs().flatten() for band in found.lost[:-1]]
    top = max([float(np.quantile(band.numpy(), 0.998)) for band in bands], default=1.0) or 1.0

    def fill(figure: Any) -> None:
        for line, parts in enumerate((found.kept, found.lost)):
            x, base = left, high - row * (line + 1)
            for k, part in enumerate(parts):
                detail = line == 1 and k < count - 1
                shown = as_shown(0.5 + 0.5 * part / top if detail else part)
                tall, broad = part.shape[-2:]
                axes = figure.add_axes((x / wide, base / high, broad / wide, tall / high))
                axes.imshow(shown, interpolation="nearest", aspect="auto")
                axes.set_axis_off()
                x += broad + gap
            text = ("Gaussian pyramid: every level halves the one before" if line == 0 else
                    "Laplacian pyramid: what each halving loses (grey: nothing), and the coarsest level; "
                    f"added up, the picture within {found.apart:.1g}")
            figure.text(left / wide, (base + height + 12) / high, text, fontsize=9)

    draw(target, wide, high, fill, overwrite=overwrite, protect=[source])
