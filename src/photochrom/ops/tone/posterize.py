"""Few levels of brightness."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.steps import diffused, ordered, straight_through, to_levels


def _framed(*, dither: str, **_: Any) -> bool:
    return dither != "none"


@op(reach="pixel", channelwise=True, framed=_framed)
def posterize(image: Image, *,
              levels: Annotated[int, Range(2, 65536, soft=(2, 64), scale="log")] = 4,
              dither: Literal["none", "ordered", "error_diffusion"] = "none") -> Tensor:
    """Reduce each channel to a few evenly spaced levels, as a poster is printed with few inks.

    s = floor(r (k - 1) + 1/2) / (k - 1): the nearest of k levels of which the first is black and the last white; what
    lies midway goes up. 16 levels are 4 bits. Dithering hides the steps in a pattern: an 8 x 8 Bayer matrix, or the
    errors handed on from pixel to pixel. Values outside [0, 1] go to the levels that follow at the same spacing.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        levels: how many levels k there are from black to white.
        dither: `none` takes the nearest level, `ordered` and `error_diffusion` keep the mean brightness of an area.

    Returns:
        (B, C, H, W), same encoding; [0, 1] stays [0, 1]. The gradient passes straight through, as if nothing were done.

    Raises:
        ControlError: a control outside its range.

    Reference:
        Floyd, Steinberg: An Adaptive Algorithm for Spatial Grey Scale. Proc. SID 17(2), 1976. Bayer: An Optimum Method
        for Two-Level Rendition of Continuous-Tone Pictures. IEEE ICC, 1973.

    Example:
        >>> import torch
        >>> posterize(torch.tensor([0.1, 0.2, 0.9]).reshape(1, 1, 1, 3), levels=5).flatten().tolist()
        [0.0, 0.25, 1.0]
    """
    value = image.detach()
    wide = value.float() if value.dtype.itemsize < 4 else value
    if dither == "error_diffusion":
        stepped = diffused(wide, levels)
    elif dither == "ordered":
        stepped = to_levels(wide, levels, ordered(wide.shape[-2], wide.shape[-1], wide))
    else:
        stepped = to_levels(wide, levels)
    return straight_through(image, stepped.to(image.dtype))
