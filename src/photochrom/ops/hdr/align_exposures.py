"""Alignment of hand-held exposures."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Images, Range
from photochrom.num.bitmaps import find_shifts


class Shifts(NamedTuple):
    """By how much each picture must be moved."""

    shifts: Tensor
    """(N, 2): pixels to the right and down."""
    fixed: int
    """Which picture stays: the one of middle brightness."""


@op(reach="image")
def align_exposures(images: Images, *,
                    largest_shift: Annotated[int, Range(1, 1024, soft=(8, 128), scale="log", unit="px")] = 64
                    ) -> Shifts:
    """Find how hand-held pictures of different exposure must be moved to lie on each other.

    Each picture is turned into a bitmap, lighter or darker than its median, which hardly depends on the exposure. From
    coarse to fine the move is sought for which the bitmaps of neighbours in brightness differ least. Turns of the
    camera are not found. `merge_hdr` and `fuse_exposures` do this and move the pictures when told to align.

    Args:
        images: the exposures in any order, each (1, C, H, W), encoded as they are.
        largest_shift: the greatest move between neighbours in brightness that is looked for, in pixels.

    Returns:
        `shifts`, (right, down) in pixels for each picture, and `fixed`, the number of the one that stays. Pictures
        without structure, black or white ones, stay where their neighbour is.

    Raises:
        ControlError: pictures of several sizes, or more than one picture in a tensor.

    Reference:
        Ward: Fast, Robust Image Registration for Compositing High Dynamic Range Photographs from Hand-Held Exposures.
        Journal of Graphics Tools 8(2), 2003.

    Example:
        >>> import torch
        >>> scene = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))
        >>> align_exposures([scene, scene.roll((2, -3), (-2, -1)) * 0.5]).shifts.abs().amax(0).tolist()
        [3, 2]
    """
    if images[0].shape[0] != 1:
        raise ControlError(f"align_exposures: each exposure must be one picture, got {images[0].shape[0]} in a tensor")
    shifts, fixed = find_shifts([image[0] for image in images], largest_shift)
    return Shifts(torch.tensor(shifts), fixed)
