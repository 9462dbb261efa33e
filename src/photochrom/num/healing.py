"""Finding, for a blemish, a clean place of the same picture whose pixels can stand in for it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photochrom.num.parallel import limit_threads

_CALM = 4.0
"""Weight of the changes inside the place beside the misfit along the edge: what is laid in should hold no blemish."""
_NEAR = 1e-6
"""Of two places alike the nearer is taken, whose light is likelier the same: added a pixel of distance."""


def clean_offset(image: Tensor, region: Tensor, avoid: Tensor, reach: int) -> tuple[int, int] | None:
    """Return the offset (x, y) to the place that best stands in for a region.

    For every offset d within reach whose place lies in the frame and touches nothing to avoid, the cost is the variance
    of I(p) - I(p + d) along the edge of the region, which the Poisson equation cannot even out, and the mean square
    of the changes from pixel to pixel in the place. All are sums of products, found for all offsets by Fourier
    transforms.

    Args:
        image: (C, H, W), floating.
        region: (H, W), bool, not empty.
        avoid: (H, W), bool; the region itself should be among it.
        reach: the greatest offset in x and y.

    Returns:
        Whole numbers, or None where no place fits.
    """
    height, width = region.shape
    rows, columns = region.any(1).nonzero().flatten(), region.any(0).nonzero().flatten()
    top, left = int(rows[0]) - 1, int(columns[0]) - 1
    tall, wide = int(rows[-1]) - top + 2, int(columns[-1]) - left + 2
    # a window with room for the region's frame moved by every offset; what lies outside the picture is to be avoided
    y0, x0 = top - reach, left - reach
    window = (slice(max(0, y0), min(height, top + tall + reach)), slice(max(0, x0), min(width, left + wide + reach)))
    size = (tall + 2 * reach, wide + 2 * reach)
    place = (slice(window[0].start - y0, window[0].stop - y0), slice(window[1].start - x0, window[1].stop - x0))
    picture = image.new_zeros((len(image), *size), dtype=torch.float64)
    picture[:, place[0], place[1]] = image[:, window[0], window[1]].detach().double()
    shut = torch.ones(size, dtype=torch.float64, device=image.device)
    shut[place] = avoid[window].double()
    inside = torch.zeros(tall, wide, dtype=torch.float64, device=image.device)
    near = (slice(max(0, top), min(height, top + tall)), slice(max(0, left), min(width, left + wide)))
    inside[near[0].start - top:near[0].stop - top, near[1].start - left:near[1].stop - left] = region[near].double()
    around = torch.nn.functional.max_pool2d(inside[None, None], 3, 1, 1)[0, 0] - inside
    ring = around * _known(place, size, reach, tall, wide, image.device)
    changes = torch.zeros(size, dtype=torch.float64, device=image.device)
    changes[:, :-1] += picture.diff(dim=2).square().sum(0)
    changes[:-1] += picture.diff(dim=1).square().sum(0)
    own = _cut(picture, reach, tall, wide)
    with limit_threads(1):
        count = ring.sum().clamp(min=1)
        blocked = _sums(shut, inside) > 0.5
        mean = [(ring * o).sum() - _sums(p, ring) for p, o in zip(picture, own, strict=True)]
        square = [(ring * o * o).sum() - 2 * _sums(p, ring * o) + _sums(p * p, ring)
                  for p, o in zip(picture, own, strict=True)]
        misfit = sum(s / count - (m / count) ** 2 for s, m in zip(square, mean, strict=True))
        calm = _sums(changes, inside) / inside.sum()
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=torch.float64)
    far = torch.hypot(offsets[:, None], offsets[None])
    cost = torch.where(blocked, math.inf, misfit + _CALM * calm + _NEAR * far)
    best = int(cost.argmin())
    if not math.isfinite(float(cost.flatten()[best])):
        return None
    return best % (2 * reach + 1) - reach, best // (2 * reach + 1) - reach


def _cut(values: Tensor, reach: int, tall: int, wide: int) -> Tensor:
    """Return the middle of a window: what lies there without offset."""
    return values[..., reach:reach + tall, reach:reach + wide]


def _known(place: tuple[slice, slice], size: tuple[int, int], reach: int, tall: int, wide: int,
           device: torch.device) -> Tensor:
    """Return 1 where the frame around the region lies in the picture."""
    known = torch.zeros(size, dtype=torch.float64, device=device)
    known[place] = 1
    return _cut(known, reach, tall, wide)


def _sums(values: Tensor, weights: Tensor) -> Tensor:
    """Return sum_p weights(p) values(p + d) for all offsets at which the weights lie inside, by Fourier transforms."""
    size = values.shape[-2:]
    found = torch.fft.irfft2(torch.fft.rfft2(values) * torch.fft.rfft2(weights, s=size).conj(), s=size)
    return found[:size[0] - weights.shape[0] + 1, :size[1] - weights.shape[1] + 1]
