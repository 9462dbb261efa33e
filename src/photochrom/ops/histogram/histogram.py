"""Histograms as data."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, ImageWeights, Range
from photochrom.num.histograms import count_levels, count_sample_luminance, count_samples, luminance, soft_histogram


class Histogram(NamedTuple):
    """The counts of a picture, and where its bins lie."""

    bands: Tensor
    """(B, C, bins): the counts of each band."""
    luminance: Tensor
    """(B, bins): those of 0.299 R + 0.587 G + 0.114 B."""
    edges: Tensor
    """(bins + 1,): where the bins begin and end. A bin holds its lower edge, the last one its upper edge too."""
    below: Tensor
    """(B, C + 1): what lies below the first bin, of each band and then of luminance."""
    above: Tensor
    """(B, C + 1): what lies above the last bin."""


def _on_samples(samples: np.ndarray, *, bins: int, low: float, high: float, counts: str) -> Histogram | None:
    if (low, high) != (0.0, 1.0) or counts == "soft":
        return None
    top = int(np.iinfo(samples.dtype).max)
    found = count_samples(samples)
    place = np.minimum(np.arange(top + 1) * bins // top, bins - 1)
    bands = np.stack([np.bincount(place, band, minlength=bins) for band in found])
    grey = count_sample_luminance(samples, bins) if samples.shape[2] == 3 else bands[0]
    none = torch.zeros(1, len(bands) + 1, dtype=torch.float64)
    return Histogram(torch.from_numpy(bands)[None], torch.from_numpy(grey.astype(np.float64))[None],
                     torch.linspace(0, 1, bins + 1, dtype=torch.float64), none, none.clone())


@op(reach="image", on_samples=_on_samples)
def histogram(image: Image, image_mask: ImageWeights = None, *,
              bins: Annotated[int, Range(1, 65536, soft=(16, 1024), scale="log")] = 256,
              low: Annotated[float, Range(-1000, 1000, soft=(0, 1))] = 0.0,
              high: Annotated[float, Range(-1000, 1000, soft=(0, 1))] = 1.0,
              counts: Literal["hard", "soft"] = "hard") -> Histogram:
    """Count how often each tone occurs, in every band and in luminance.

    Nothing is changed. Bins are of equal width; with 256 of them an 8-bit picture has one for each of its levels, with
    65536 a 16-bit picture has. 8- and 16-bit samples are counted as whole numbers, exactly.

    Args:
        image: (B, C, H, W), in whatever encoding it has; NaN counts as 0.
        image_mask: (B or 1, 1, H, W), how much a pixel counts.
        bins: how many.
        low: where the first bin begins.
        high: where the last bin ends.
        counts: `hard`: a value counts in the bin it lies in; `soft`: it is shared by the two bins whose centres it lies
            between, so that the counts have a gradient in the picture.

    Returns:
        Counts of the bands (B, C, bins) and of luminance (B, bins), the edges (bins + 1,), and what lies below and
        above them (B, C + 1), luminance last. Luminance of a picture without three bands is their mean.

    Raises:
        ControlError: a control outside its range, `high` not above `low`, or a mask of another size.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed. 2018, section 3.3. The soft form: Ustinova, Lempitsky:
        Learning Deep Embeddings with Histogram Loss. NeurIPS 2016.

    Example:
        >>> import torch
        >>> histogram(torch.tensor([0.1, 0.2, 0.9, 1.5]).reshape(1, 1, 2, 2), bins=2).bands.tolist()
        [[[2.0, 1.0]]]
    """
    if not high > low:
        raise ControlError(f"histogram: high must be above low, got {high:g} and {low:g}")
    if image_mask is not None and image_mask.shape[-2:] != image.shape[-2:]:
        raise ControlError(f"histogram: image_mask must have the size of its picture, got {image_mask.shape[-1]} x "
                           f"{image_mask.shape[-2]} pixels for {image.shape[-1]} x {image.shape[-2]}")
    wide = image if image.dtype == torch.float64 else image.float()
    if counts == "hard":
        wide = wide.detach().double()
    every = torch.cat([wide, luminance(wide)], 1)
    weights = torch.ones_like(every[:, :1]) if image_mask is None else image_mask.to(wide).expand_as(every[:, :1])
    if counts == "soft":
        found = soft_histogram(every, bins, low, high, weights)
    else:
        found = _hard(every, weights.detach(), bins, low, high, torch.finfo(image.dtype).eps)
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64, device=image.device)
    below = ((every.detach() < low) * weights).sum((-2, -1), dtype=torch.float64)
    above = ((every.detach() > high) * weights).sum((-2, -1), dtype=torch.float64)
    return Histogram(found[:, :-1], found[:, -1], edges, below, above)


def _hard(every: Tensor, weights: Tensor, bins: int, low: float, high: float, eps: float) -> Tensor:
    """Count in bins. A value nearer to an edge than its rounding lies on it, as the whole number it comes from does."""
    known = every.nan_to_num(0.0)
    inside = (known >= low) & (known <= high)
    place = (known - low) * (bins / (high - low))
    edge = place.round()
    place = torch.where((edge - place).abs() <= 0.51 * eps * edge.abs(), edge, place)
    place = place.floor().clamp(0, bins - 1)
    centre = place / max(1, bins - 1)   # the knots of `count_levels` stand for the bins
    parts = [count_levels(centre[:, k:k + 1], weights * inside[:, k:k + 1], max(2, bins)).counts[..., :bins]
             for k in range(every.shape[1])]
    return torch.cat(parts, 1)
