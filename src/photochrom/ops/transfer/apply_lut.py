"""A colour table, such as a `.cube` file."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Domain, Image, Table
from photochrom.num.cubes import look_up_colours, look_up_samples
from photochrom.num.strips import pointwise


def _on_samples(samples: np.ndarray, *, lut: Tensor, lut_domain: Tensor | None = None, interpolation: str,
                **_: Any) -> np.ndarray | None:
    if lut_domain is not None or lut.ndim == 2:
        return None
    return look_up_samples(samples, lut, interpolation == "tetrahedral")


@op(reach="pixel", channels=3, on_samples=_on_samples)
def apply_lut(image: Image, lut: Table, lut_domain: Domain = None, *,
              interpolation: Literal["tetrahedral", "trilinear"] = "tetrahedral",
              beyond: Literal["carry", "clip"] = "carry") -> Tensor:
    """Change colours by a table: a look of a photo or film editor, in a `.cube` file.

    The table holds a colour for each point of a grid of colours, or a curve a channel; between its entries it is
    interpolated. What a colour lies beyond the table's ends is carried over as it is, so that a table that changes
    nothing changes nothing out there either, or it is clipped as most programs do.

    Args:
        image: (B, 3, H, W), in the encoding the table is made for, as a rule sRGB-encoded.
        lut: (3, S, S, S), the table, such as a `.cube` file; indexed [channel, blue, green, red], or (3, S), a curve a
            channel.
        lut_domain: (6,), red, green and blue of the table's first entry, then of its last; without it 0 and 1; a
            `.cube` file brings its own.
        interpolation: between the four entries of a tetrahedron, which keeps greys grey, or all eight of a cell.
        beyond: what becomes of colours outside the table's domain.

    Returns:
        (B, 3, H, W), in the encoding the table gives.

    Raises:
        ControlError: a picture without three channels, or a table of another shape.

    Reference:
        Adobe: Cube LUT Specification 1.0 (2013). Kasson, Plouffe, Nin: A Tetrahedral Interpolation Technique for Color
        Space Conversion. SPIE 1909, 1993.

    Example:
        >>> import torch
        >>> negative = torch.tensor([1.0, 0.0]).expand(3, 2)   # a curve of two entries for each channel
        >>> apply_lut(torch.tensor([0.25, 0.5, 1.5]).reshape(1, 3, 1, 1), negative).flatten().tolist()
        [0.75, 0.5, 0.5]
    """
    low, high = _ends(lut_domain)

    def look(part: Tensor) -> Tensor:
        return look_up_colours(part, lut, low, high, interpolation == "tetrahedral", beyond == "carry")

    learnt = lut.requires_grad or (lut_domain is not None and lut_domain.requires_grad)
    return look(image) if learnt else pointwise(look, image)


def _ends(domain: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    if domain is None:
        return None, None
    if domain.shape != (6,) or bool((domain[:3] >= domain[3:]).any()):
        raise ControlError("apply_lut: lut_domain must be six numbers, the lowest red, green and blue and then the "
                           f"highest, got {domain.tolist()}")
    return domain[:3], domain[3:]
