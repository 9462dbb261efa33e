"""Colour transfer by the whole distribution of colours."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.axes import NO_SPREAD, Axes, axes_to_rgb, rgb_to_axes
from photochrom.core.op import op
from photochrom.core.types import Image, ImageWeights, Range, Reference, Weights
from photochrom.num.parallel import limit_threads
from photochrom.num.regrain import regrain as repair
from photochrom.num.transport import cloud, through, transport

_FEW = 16384
"""Pixels up to which a picture is computed in float64."""


@op(reach="image", channels=3)
def transfer_distribution(image: Image, reference: Reference, image_mask: ImageWeights = None,
                          reference_mask: Weights = None, *,
                          axes: Axes = "lab",
                          iterations: Annotated[int, Range(1, 200, soft=(1, 50))] = 10,
                          regrain: Annotated[float, Range(0, 1)] = 1.0,
                          seed: Annotated[int, Range(0, 2**31 - 1)] = 0) -> Tensor:
    """Give a picture the whole distribution of colours of another.

    The cloud of colours is looked at along three axes, along each of which it is moved until the colours lie there as
    the reference's do; then the axes are turned, and so on. What this stretches shows grain and bands. The repair of
    grain then seeks the picture that is nearest in colour and has the slopes of the original wherever it is even.
    A picture of one colour takes the mean colour of the reference.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        reference: (B or 1, 3, any H, any W), sRGB-encoded, the picture whose palette is wanted.
        image_mask: (B or 1, 1, H, W), the swatch of the image that is measured; the whole image is changed.
        reference_mask: (B or 1, 1, of the reference's size), the swatch of the reference that is measured.
        axes: the colour space in which the clouds lie; `rgb` is that of the encoded values.
        iterations: how often the axes are turned, the first time included.
        regrain: how much of the repair of grain is taken; 0 leaves the distribution as it was met.
        seed: of the turns, and of the 65536 pixels from which the curves of a larger picture are made.

    Returns:
        (B, 3, H, W), sRGB-encoded; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, or a control outside its range.

    Reference:
        Pitie, Kokaram, Dahyot: Automated colour grading using colour distribution transfer. CVIU 107(1-2), 2007.
        Differs from the paper in the axes, which are turned at random, and in how the same grain repair is solved.

    Example:
        >>> import torch
        >>> grey, warm = torch.full((1, 3, 2, 2), 0.5), torch.tensor([0.8, 0.5, 0.2]).reshape(1, 3, 1, 1)
        >>> [round(v, 3) for v in transfer_distribution(grey, warm)[0, :, 0, 0].tolist()]
        [0.8, 0.5, 0.2]
    """
    # ranks turn a rounding into a step: few pixels are worth exact numbers
    few = image.shape[-2] * image.shape[-1] <= _FEW
    wide = image.double() if few else image if image.element_size() >= 4 else image.float()
    values, targets = rgb_to_axes(wide, axes), rgb_to_axes(reference.to(wide.dtype), axes)
    made = []
    for index, picture in enumerate(values):
        other = index if len(targets) > 1 else 0
        masks = [None if mask is None else mask[min(index, len(mask) - 1)] for mask in (image_mask, reference_mask)]
        clouds = cloud(picture, masks[0], seed), cloud(targets[other], masks[1], seed)
        # waking threads for arrays as small as these costs more than they save
        with nullcontext() if few else limit_threads(1):
            turns = transport(*clouds, iterations, seed, NO_SPREAD[axes] * (1e-6 if few else 1))
        made.append(through(picture.flatten(1), turns).reshape(picture.shape))
    result = axes_to_rgb(torch.stack(made), axes)
    if regrain > 0:
        result = torch.lerp(result, repair(wide, result), regrain)
    return result.to(image.dtype)
