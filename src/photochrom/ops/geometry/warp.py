"""A picture bent by a field of moves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Port, Space
from photochrom.ops.geometry._warped import warped


def _moves(*, resample: str, **_: Any) -> bool:
    return resample == "nearest"


@op(reach="image", resizes=True, light=(srgb_to_linear, linear_to_srgb), moves=_moves)
def warp(image: Image, flow: Annotated[Tensor, Port(aligned=True)], *,
         resample: Literal["bicubic", "bilinear", "nearest"] = "bicubic",
         border: Literal["reflect", "replicate", "circular", "constant"] = "reflect",
         space: Space = "encoded") -> Tensor:
    """Bend a picture: every pixel is fetched from as far away as a second picture says.

    The pixel of the result at (x, y) shows what the picture holds at (x, y) + flow(x, y). That is the convention of
    optical flow from the result to the picture. Where the flow is not a finite number, so is the result.

    Args:
        image: (B, C, H, W).
        flow: (B or 1, 2, H, W), moves in pixels, to the right and downwards; 0 changes nothing. Further channels do not
            count. As a file take a floating TIFF with three channels, whose numbers are read as they are; those of
            OpenEXR and Radiance HDR stand for light and are encoded on reading, those of integer formats lie in 0..1.
        resample: what is between pixels; see `affine`.
        border: what lies outside the picture; under `constant` a picture with alpha is transparent there.
        space: `linear` mixes light, `encoded` the values of the file.

    Returns:
        (B, C, H, W), same encoding; bicubic weights may leave [0, 1] at edges.

    Raises:
        ControlError: a flow of another size or of fewer than two channels.

    Reference:
        Jaderberg, Simonyan, Zisserman, Kavukcuoglu: Spatial transformer networks. NIPS 2015, for the gradient in it.

    Example:
        >>> import torch
        >>> ramp = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> flow = torch.tensor([0.5, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 1, 4)
        >>> warp(ramp, flow, resample="bilinear").flatten().tolist()
        [0.5, 1.5, 2.5, 2.5]
    """
    if flow.shape[1] < 2 or flow.shape[0] not in (1, image.shape[0]) or flow.shape[-2:] != image.shape[-2:]:
        raise ControlError(f"warp: flow must be (B or 1, 2, H, W) of the size of the picture, {tuple(image.shape)}, "
                           f"got {tuple(flow.shape)}")
    shape = (image.shape[-2], image.shape[-1])
    return warped("warp", image, None, flow[:, :2].to(image), shape, resample, border, space)
