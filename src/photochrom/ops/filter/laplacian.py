"""The Laplacian."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Border, Image
from photochrom.num.edges import laplacian as bent


def _halo(*, border: Border, **_: object) -> int | None:
    return None if border == "circular" else 1


def _on_alpha(**_: object) -> None:
    """The weights do not add up to 1: alpha stays as it is."""


@op(reach="window", halo=_halo, on_alpha=_on_alpha)
def laplacian(image: Image, *,
              neighbours: Literal["4", "8"] = "4",
              border: Border = "reflect") -> Tensor:
    """Tell how much lighter the neighbours of a pixel are than the pixel itself.

    The sum of the neighbours less as many times the pixel: 0 on every ramp, positive in valleys and on the dark side of
    an edge, negative on ridges and on the light side.

    Args:
        image: (B, C, H, W), in whatever encoding it has; each channel apart.
        neighbours: the four beside, above and below a pixel, or the eight around it.
        border: what lies outside the picture.

    Returns:
        (B, C, H, W), about 0, of either sign.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 3.6.

    Example:
        >>> import torch
        >>> dot = torch.zeros(1, 1, 3, 3)
        >>> dot[..., 1, 1] = 1
        >>> laplacian(dot, border="constant")[0, 0].tolist()
        [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]
    """
    wide = image.float() if image.dtype.itemsize == 2 else image
    return bent(wide, neighbours == "8", border).to(image.dtype)
