"""Histogram matching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import Measured, op
from photochrom.core.types import Image, ImageWeights, Range, Reference, Weights
from photochrom.num.histograms import Counts, count_levels, matching, through_knots
from photochrom.num.sliced import MOST_CHANNELS, Colours, apply_turns, count_colours, turns


def _measure(picture: Tensor, weights: Tensor | None = None, *, bins: int, bands: str,
             iterations: int) -> Counts | Colours:
    if bands == "apart" or picture.shape[1] == 1:
        return count_levels(picture, weights, bins, sums=True)
    if picture.shape[1] > MOST_CHANNELS:
        raise ControlError(f"match_histogram: at most {MOST_CHANNELS} channels can be matched together, "
                           f"got {picture.shape[1]}; use bands=\"apart\"")
    return count_colours(picture, weights)


def _apply(image: Tensor, statistics: Mapping[str, Any], *, bins: int, bands: str, iterations: int) -> Tensor:
    own, wanted = statistics["image"], statistics["reference"]
    if isinstance(own, Counts):
        if wanted.counts.shape[1] not in (1, image.shape[1]):
            raise _channels(image.shape[1], wanted.counts.shape[1])
        return through_knots(image, matching(own.counts, wanted.counts, wanted.values))
    if not isinstance(wanted, Colours) or wanted.channels != own.channels:
        raise _channels(own.channels, wanted.channels if isinstance(wanted, Colours) else 1)
    return apply_turns(image, turns(own, wanted, iterations))


def _channels(image: int, reference: int) -> ControlError:
    return ControlError(f"match_histogram: reference must have the channels of the image, got {reference} for {image}")


@op(reach="image", measured=Measured(_measure, _apply))
def match_histogram(image: Image, reference: Reference, image_mask: ImageWeights = None,
                    reference_mask: Weights = None, *,
                    bins: Annotated[int, Range(2, 65536, soft=(16, 4096), scale="log")] = 256,
                    bands: Literal["apart", "together"] = "apart",
                    iterations: Annotated[int, Range(1, 100, soft=(1, 30))] = 10) -> Tensor:
    """Give a picture the distribution of tones, or of colours, of another.

    A tone goes to the tone below which the same share of the reference lies. Done in each band apart, the bands get the
    histograms of the reference's but their interplay stays the image's. Together, the bands are turned to ever new
    axes in the space of colours and matched along each of them, until the cloud of colours itself has the shape of the
    reference's. The curves always rise. Below 0 and above 1 they go on with slope 1. A picture of one tone goes to the
    median of the reference. The gradient is that of the curves and of the reference's values; counts are constant but
    for jumps.

    Args:
        image: (B, C, H, W), in the encoding of the reference.
        reference: (B or 1, C, any H, any W), whose distribution is wanted.
        image_mask: (B or 1, 1, H, W), how much a pixel of the image counts; the whole image is changed.
        reference_mask: (B or 1, 1, of the reference's size), how much a pixel of the reference counts.
        bins: levels of the histograms of bands apart; 256 are the levels of 8 bits, 65536 those of 16.
        bands: `apart` matches each band by itself, `together` the cloud of colours.
        iterations: rounds of turning and matching, for bands together.

    Returns:
        (B, C, H, W), same encoding. Apart, [0, 1] stays [0, 1]; together, values may leave it.

    Raises:
        ControlError: a control outside its range, a mask of another size, or other channels in the reference.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 3.3; with quantiles interpolated between the
        levels of the reference, as in scikit-image. Together: Pitie, Kokaram, Dahyot: N-Dimensional Probability Density
        Function Transfer and its Application to Colour Transfer. ICCV 2005. Differs from the paper in that the colours
        are counted in a grid (64 cells a side for three bands), so that the picture need not be held.

    Example:
        >>> import torch
        >>> dark, light = torch.linspace(0, 0.5, 64).reshape(1, 1, 8, 8), torch.linspace(0.5, 1, 64).reshape(1, 1, 8, 8)
        >>> round(match_histogram(dark, light).min().item(), 2)
        0.5
    """
    values: dict[str, Any] = {"bins": bins, "bands": bands, "iterations": iterations}
    known = {"image": _measure(image, image_mask, **values), "reference": _measure(reference, reference_mask, **values)}
    return _apply(image, known, **values)
