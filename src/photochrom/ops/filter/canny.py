"""Canny's edges."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.bands import separable
from photochrom.num.edges import (
    across,
    blur_samples,
    blurred_levels,
    magnitude,
    sizes,
    sobel_sums,
    thin_edges,
    thin_samples,
    white_samples,
)
from photochrom.num.histograms import luminance

_SHARE = 0.7
"""Of the pixels of a picture hold no edge, as MATLAB's edge takes it; its lower limit is 0.4 of the higher."""
_LOWER = 0.4


def _on_samples(samples: np.ndarray, *, sigma: float, low: float, high: float, thresholds: str, norm: str,
                arithmetic: str, softness: float) -> np.ndarray | None:
    plain = thresholds == "absolute" and arithmetic == "8-bit" and softness == 0
    if samples.dtype != np.uint8 or samples.shape[2] != 1 or not plain or low > high:
        return None
    limits = (low * low, high * high) if norm == "l2" else (low, high)
    return white_samples(thin_samples(blur_samples(samples[..., 0], sigma), *limits, norm == "l2"))


@op(reach="image", gives=1, on_samples=_on_samples)
def canny(image: Image, *,
          sigma: Annotated[float, Range(0.1, 10, soft=(0.5, 2), scale="log", unit="px")] = 1.4,
          low: Annotated[float, Range(0, 1e4, soft=(0, 500))] = 100.0,
          high: Annotated[float, Range(0, 1e4, soft=(0, 500))] = 200.0,
          thresholds: Literal["absolute", "fraction", "automatic"] = "absolute",
          norm: Literal["l1", "l2"] = "l1",
          arithmetic: Literal["8-bit", "float"] = "8-bit",
          softness: Annotated[float, Range(0, 1e4, soft=(0, 100))] = 0.0) -> Tensor:
    """Draw the edges of a picture as thin white lines on black.

    The luminance is blurred by a Gaussian of 5 x 5 pixels, its gradient taken by Sobel's sums, and of every edge the
    line of the steepest pixels is kept: those above `high`, and those above `low` that hang together with one.

    Args:
        image: (B, C, H, W), encoded; of three channels the luminance is taken, of others the mean.
        sigma: standard deviation of the blur in pixels; wider than about 2 the 5 x 5 window cuts it off.
        low: the limit below which nothing is an edge.
        high: the limit above which a steepest pixel is an edge in any case.
        thresholds: what the limits are: sums of Sobel's weights in levels of 8 bits, as in OpenCV; or fractions of the
            picture's greatest; or `automatic`, where the limits are not read: the higher is that below which 70 % of
            the pixels lie, the lower 0.4 of it.
        norm: the size of a gradient, |dx| + |dy| or its length.
        arithmetic: `8-bit` takes levels of 8 bits and rounds the blurred picture to them, which gives OpenCV's very
            pixels; `float` rounds nothing, for pictures of finer gradation.
        softness: 0 for hard lines, which have no gradient; above 0 the limit half-way between `low` and `high` and
            the comparison with both neighbours become S-curves of this width, without the linking, so that it can be
            learnt through. Then nothing is rounded.

    Returns:
        (B, 1, H, W), 1 on edges, else 0; in between where soft.

    Raises:
        ControlError: a control outside its range, or `low` above `high`.

    Reference:
        Canny: A computational approach to edge detection. IEEE TPAMI 8(6), 1986.

    Example:
        >>> import torch
        >>> edge = torch.zeros(1, 1, 9, 9)
        >>> edge[..., 5:] = 1
        >>> canny(edge)[0, 0].sum(0).tolist()
        [0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0]
    """
    if low > high:
        raise ControlError(f"canny: low must not lie above high, got {low:g} above {high:g}")
    wide = image.to(torch.float64 if image.dtype == torch.float64 else torch.float32)
    grey = luminance(wide)
    exact = arithmetic == "float" or softness > 0
    smooth = _blurred(grey, sigma) if exact else blurred_levels(grey, sigma)
    squared = norm == "l2"
    if softness > 0:
        return _soft(smooth, *_limits(smooth, low, high, thresholds, squared), squared, softness).to(image.dtype)
    with torch.no_grad():
        limits = _limits(smooth, low, high, thresholds, squared)
        return thin_edges(smooth.detach(), *limits, squared).to(image.dtype)


def _blurred(grey: Tensor, sigma: float) -> Tensor:
    taps = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
    return 255 * separable(grey, taps / taps.sum(), taps / taps.sum(), "reflect")


def _limits(smooth: Tensor, low: float, high: float, thresholds: str, squared: bool) -> tuple[Tensor, Tensor]:
    """Return both limits of each picture, (B,), in Sobel's sums."""
    count = len(smooth)
    if thresholds == "absolute":
        return torch.full((count,), low, device=smooth.device), torch.full((count,), high, device=smooth.device)
    dx, dy = sobel_sums(smooth.detach().float())
    size = sizes(dx, dy, squared).flatten(1)
    size = size.sqrt() if squared else size
    if thresholds == "fraction":
        most = size.amax(1)
        return low * most, high * most
    rank = max(1, int(_SHARE * size.shape[1]))
    upper = torch.stack([one.kthvalue(rank).values for one in size])
    return _LOWER * upper, upper


def _soft(smooth: Tensor, low: Tensor, high: Tensor, squared: bool, softness: float) -> Tensor:
    dx, dy = sobel_sums(smooth)
    size = magnitude(dx, dy) if squared else sizes(dx, dy, False)
    limit = ((low + high) / 2).to(size)[:, None, None, None]
    before, after = zip(*(across(x, y, s) for x, y, s in zip(dx, dy, size, strict=True)), strict=True)
    over = [torch.sigmoid((size - other) / softness) for other in (limit, torch.stack(before), torch.stack(after))]
    return over[0] * over[1] * over[2]
