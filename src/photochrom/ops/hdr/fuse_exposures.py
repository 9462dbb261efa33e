"""Exposure fusion."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Images, Range
from photochrom.num.exposures import fusion_weights
from photochrom.num.pyramids import blend
from photochrom.num.strips import pointwise
from photochrom.ops.hdr._stack import aligned


@op(reach="image")
def fuse_exposures(images: Images, *,
                   contrast_weight: Annotated[float, Range(0, 10, soft=(0, 2))] = 1.0,
                   saturation_weight: Annotated[float, Range(0, 10, soft=(0, 2))] = 1.0,
                   exposedness_weight: Annotated[float, Range(0, 10, soft=(0, 2))] = 1.0,
                   clipped: Annotated[float, Range(0, 20, soft=(0, 2), unit="%")] = 0.0,
                   align: bool = False) -> Tensor:
    """Fuse pictures of different exposure to one that is well exposed everywhere, without times or radiance.

    Each pixel of each picture is weighed by its contrast, its saturation and its nearness to middle grey, each to a
    power; the pictures are blended band by band, so that no seam is seen. The result is ready to be shown.

    Args:
        images: the exposures in any order, each (B, C, H, W) of one size, encoded.
        contrast_weight: exponent of the size of the Laplacian; 0 leaves the measure out.
        saturation_weight: exponent of the standard deviation of the channels; of no effect on one channel.
        exposedness_weight: exponent of exp(-(x - 1/2)^2 / 0.08), over the channels.
        clipped: stretch the result so that this share of pixels, in %, lies below black, as much above white; at 0 it
            is left as the blend made it.
        align: move hand-held pictures onto each other first (by up to 64 pixels; see `align_exposures`).

    Returns:
        (B, C, H, W), encoded; near strong edges a little outside the range of the pictures. One exposure comes back as
        it is, up to rounding; where no exposure has any quality they count alike.

    Raises:
        ControlError: pictures of several sizes, a control outside its range.

    Reference:
        Mertens, Kautz, Van Reeth: Exposure Fusion. Pacific Graphics 2007; the authors' program for borders and depth.
        Stretching: Limare et al., Simplest Color Balance. IPOL 1, 2011, a pixel counted by its extreme channel.

    Example:
        >>> import torch
        >>> dark, light = torch.full((1, 3, 8, 8), 0.1), torch.full((1, 3, 8, 8), 0.5)
        >>> round(fuse_exposures([dark, light], contrast_weight=0, saturation_weight=0).mean().item(), 3)
        0.499
    """
    exposures = aligned(images) if align else images
    fused = []
    for b in range(images[0].shape[0]):
        stack = torch.stack([image[b] for image in exposures])
        wide = stack if stack.dtype in (torch.float32, torch.float64) else stack.float()
        shares = fusion_weights(wide, contrast_weight, saturation_weight, exposedness_weight)
        fused.append(_stretched(blend(wide, shares), clipped / 100))
    return (fused[0] if len(fused) == 1 else torch.cat(fused)).to(images[0].dtype)


def _stretched(image: Tensor, share: float) -> Tensor:
    if share == 0:
        return image
    count = image.shape[-2] * image.shape[-1]
    low = image.amin(1).flatten().kthvalue(min(count, int(1 + share * count))).values
    high = image.amax(1).flatten().kthvalue(max(1, -int(-(1 - share) * count // 1))).values
    if not high > low:   # nothing to stretch
        return image
    return pointwise(lambda part: (part - low) / (high - low), image)
