"""Histograms: counts that can be merged, mappings made of them, and a soft form with a gradient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.strips import PIXELS, pointwise

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of encoded red, green and blue (Rec. 601), as every course on pictures has them."""


class Counts(NamedTuple):
    """How often each level occurs, and the sum of the values counted there: (B, C, levels), in float64."""

    counts: Tensor
    sums: Tensor | None = None

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both parts together."""
        sums = None if self.sums is None or other.sums is None else self.sums + other.sums
        return Counts(self.counts + other.counts, sums)

    @property
    def values(self) -> Tensor:
        """(B, C, levels): the mean of the values counted at each level; the level itself where there are none."""
        levels = self.counts.shape[-1]
        line = torch.linspace(0, 1, levels, dtype=torch.float64, device=self.counts.device)
        if self.sums is None:
            return line.expand(self.counts.shape)
        held = self.counts > 0
        return torch.where(held, self.sums / torch.where(held, self.counts, 1), line)


def luminance(image: Tensor) -> Tensor:
    """Return 0.299 R + 0.587 G + 0.114 B, (B, 1, H, W); of a picture without three channels their mean.

    Example:
        >>> round(luminance(torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).item(), 4)
        0.5925
    """
    if image.shape[1] != 3:
        return image.mean(1, keepdim=True) if image.shape[1] > 1 else image
    red, green, blue = image.unbind(1)
    return (LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue)[:, None]


def on_knots(image: Tensor, levels: int) -> Tensor:
    """Return where values lie among `levels` knots spread over 0..1, as 0..levels - 1, NaN as it is.

    What lies nearer to a knot than its own rounding is taken for the knot, so that 8- and 16-bit samples meet their
    level exactly. The slope is that of the plain product.
    """
    place = image * (levels - 1)
    whole = place.detach().round()
    room = torch.finfo(place.dtype).eps * whole.abs()   # i / 255 is off by eps / 2, and so is its product with 255
    return place + torch.where((whole - place.detach()).abs() <= room, whole - place.detach(), 0)


def count_levels(image: Tensor, weights: Tensor | None, levels: int, sums: bool = False) -> Counts:
    """Count values by their nearest of `levels` knots spread evenly over 0..1; what lies outside counts at the ends.

    The counts have a gradient in the weights; in the values they are constant but for jumps. The sums have both.

    Args:
        image: (B, C, H, W); NaN counts as 0.
        weights: (B or 1, 1, H, W) or None for equal weights.
        levels: at least 2.
        sums: sum the values at each level too.

    Example:
        >>> count_levels(torch.tensor([0.0, 0.1, 1.0, 7.0]).reshape(1, 1, 2, 2), None, 2).counts.flatten().tolist()
        [2.0, 2.0]
    """
    batch, _, height, width = image.shape
    grain = max(1, PIXELS // (width * batch))
    wanted = torch.is_grad_enabled() and ((weights is not None and weights.requires_grad)
                                          or (sums and image.requires_grad))
    if wanted or height <= grain or image.device.type != "cpu":
        return _count(image, weights, levels, sums)
    parts: dict[int, Counts] = {}
    share = max(grain, -(-height // 64))   # a bounded number of partial tables, whatever the size of the picture

    def rows(start: int, stop: int) -> None:
        with torch.no_grad():
            for top in range(start, stop, grain):
                cut = slice(top, min(top + grain, stop))
                found = _count(image[..., cut, :], None if weights is None else weights[..., cut, :], levels, sums)
                parts[start] = parts[start].merge(found) if start in parts else found

    parallel_rows(rows, 0, height, share, torch_inside=True)
    total, *rest = (parts[start] for start in sorted(parts))
    for part in rest:
        total = total.merge(part)
    return total


def _count(image: Tensor, weights: Tensor | None, levels: int, sums: bool) -> Counts:
    batch, channels = image.shape[:2]
    wide = image if image.dtype in (torch.float32, torch.float64) else image.float()
    place = on_knots(wide.detach(), levels).nan_to_num(0.0, levels - 1.0, 0.0).round_().clamp_(0, levels - 1).long()
    place = place.reshape(batch * channels, -1)
    place = (place + torch.arange(batch * channels, device=image.device)[:, None] * levels).flatten()
    shape, size = (batch, channels, levels), batch * channels * levels
    share = None if weights is None else weights.double().expand(batch, channels, *image.shape[-2:]).flatten()
    empty = torch.zeros(size, dtype=torch.float64, device=image.device)
    held = torch.bincount(place, minlength=size).double() if share is None else empty.index_add(0, place, share)
    if not sums:
        return Counts(held.reshape(shape))
    value = wide.double().nan_to_num(0.0).flatten()
    total = empty.index_add(0, place, value if share is None else value * share)
    return Counts(held.reshape(shape), total.reshape(shape))


def through_knots(image: Tensor, table: Tensor) -> Tensor:
    """Send values through curves of straight pieces, one for each channel.

    Args:
        image: (B, C, H, W).
        table: (B or 1, C or 1, levels), the values at knots spread evenly over 0..1. Beyond both ends a curve goes on
            with slope 1, so that what lies outside keeps its distances.

    Returns:
        (B, C, H, W), of the dtype of the image.

    Example:
        >>> x = torch.tensor([0.0, 0.25, 1.0, 1.5]).reshape(1, 1, 1, 4)
        >>> through_knots(x, torch.tensor([[[0.0, 0.8, 1.0]]])).flatten().tolist()
        [0.0, 0.4000000059604645, 1.0, 1.5]
    """
    batch, channels = image.shape[:2]
    short = image.dtype not in (torch.float32, torch.float64)
    curves = table.to(torch.float32 if short else image.dtype).expand(batch, channels, -1)
    levels = curves.shape[-1]
    flat = curves.reshape(batch * channels, levels)

    def part(picture: Tensor) -> Tensor:
        wide = picture.float() if short else picture
        inside = wide.clamp(0, 1)
        place = on_knots(inside, levels)
        lower = place.detach().nan_to_num(0.0).floor().clamp(0, levels - 2)
        index = lower.long().reshape(batch * channels, -1)
        low, high = flat.gather(1, index).reshape(wide.shape), flat.gather(1, index + 1).reshape(wide.shape)
        done = low + (place - lower) * (high - low) + (wide - inside)
        return done.to(picture.dtype)

    if table.requires_grad and torch.is_grad_enabled():
        return part(image)
    return pointwise(part, image)


def equalizing(counts: Tensor) -> Tensor:
    """Return the curves that spread counts evenly over 0..1.

    (N(i) - N(first)) / (total - N(first)), with N the number of pixels up to a level and `first` the first level that
    occurs: the darkest level becomes black, the lightest white.

    Args:
        counts: (B, C, levels).

    Returns:
        (B, C, levels), float64, rising from 0 to 1; the identity where fewer than two levels occur.
    """
    levels = counts.shape[-1]
    total = counts.sum(-1, keepdim=True)
    first = counts.gather(-1, (counts > 0).to(torch.int8).argmax(-1, keepdim=True))
    room = total - first
    known = (counts > 0).sum(-1, keepdim=True) > 1
    up_to = (counts.cumsum(-1) - first) / torch.where(known, room, 1)
    line = torch.linspace(0, 1, levels, dtype=counts.dtype, device=counts.device)
    return torch.where(known, up_to.clamp(0, 1), line)


def matching(counts: Tensor, wanted: Tensor, values: Tensor) -> Tensor:
    """Return the rising curves that give one histogram the shape of another.

    A level goes to where the same share of the reference lies below; between levels that occur in the reference the
    quantile is interpolated.

    Args:
        counts: (B, C, levels).
        wanted: (B or 1, C, levels), those of the reference.
        values: (B or 1, C, levels), the values that the levels of the reference stand for.

    Returns:
        (B, C, levels), float64. The identity where nothing was counted on either side. A picture of a single level goes
        to the median of the reference.
    """
    levels = counts.shape[-1]
    wanted = wanted.expand(counts.shape)
    total, whole = counts.sum(-1, keepdim=True), wanted.sum(-1, keepdim=True)
    known = (total > 0) & (whole > 0)
    share = counts.cumsum(-1) / torch.where(known, total, 1)
    reference = (wanted.cumsum(-1) / torch.where(known, whole, 1)).contiguous()
    single = (counts > 0).sum(-1, keepdim=True) == 1
    share = torch.where(single, 0.5, share.clamp(max=1))
    # The first level at which the reference reaches the share is one that occurs; so is the one before it.
    rounding = 8 * torch.finfo(torch.float64).eps
    upper = torch.searchsorted(reference.detach(), (share.detach() - rounding).contiguous()).clamp(max=levels - 1)
    top = torch.searchsorted(reference.detach(), reference.detach()[..., -1:].contiguous())
    bottom = (reference > 0).to(torch.int8).argmax(-1, keepdim=True)
    upper = torch.maximum(torch.minimum(upper, top), bottom)
    before = reference.gather(-1, (upper - 1).clamp(min=0)) * (upper > 0)
    lower = torch.searchsorted(reference.detach(), before.detach().contiguous())
    after = reference.gather(-1, upper)
    lower = torch.where(before > 0, lower, upper)   # below the darkest level of the reference lies nothing
    between = (share - before) / torch.where(after > before, after - before, 1)
    values = values.expand(counts.shape)
    below, above = values.gather(-1, lower), values.gather(-1, upper)
    curve = below + (above - below) * between.clamp(0, 1)
    line = torch.linspace(0, 1, levels, dtype=counts.dtype, device=counts.device)
    return torch.where(known, curve, line)


def soft_histogram(image: Tensor, bins: int = 256, low: float = 0.0, high: float = 1.0,
                   weights: Tensor | None = None) -> Tensor:
    """Count values so that the counts have a gradient: each is shared by the two bins whose centres it lies between.

    The shares fall off linearly with the distance to the centre (a triangular kernel), and sum to 1. A value in the
    outer half of the first or last bin counts there alone. What lies outside low..high does not count.

    Args:
        image: (B, C, H, W).
        bins: how many, at least 1.
        low: lower end of the first bin.
        high: upper end of the last one.
        weights: (B or 1, 1, H, W), how much a pixel counts; None for all alike.

    Returns:
        (B, C, bins), in the dtype of the image, with gradients in image and weights.

    Example:
        >>> soft_histogram(torch.tensor([0.25, 0.5]).reshape(1, 1, 1, 2), bins=2).flatten().tolist()
        [1.5, 0.5]
    """
    batch, channels = image.shape[:2]
    inside = (image >= low) & (image <= high)
    counted = inside.to(image.dtype) if weights is None else inside * weights.to(image)
    place = torch.where(inside, image, low)
    place = ((place - low) * (bins / (high - low)) - 0.5).clamp(0, bins - 1)
    lower = place.detach().floor().clamp(0, max(0, bins - 2))
    part = place - lower
    row = torch.arange(batch * channels, device=image.device).reshape(batch, channels, 1, 1) * bins
    index = (lower.long() + row).flatten()
    upper = (index + 1).clamp(max=batch * channels * bins - 1)
    empty = torch.zeros(batch * channels * bins, dtype=image.dtype, device=image.device)
    found = empty.index_add(0, index, ((1 - part) * counted).flatten())
    return found.index_add(0, upper, (part * counted).flatten()).reshape(batch, channels, bins)


def count_samples(samples: np.ndarray) -> np.ndarray:
    """Count stored samples, exactly.

    Args:
        samples: (H, W, bands), uint8 or uint16.

    Returns:
        (bands, 256 or 65536), int64.

    Example:
        >>> count_samples(np.array([[[3], [3], [7]]], np.uint8))[0, [3, 7]].tolist()
        [2, 1]
    """
    levels = int(np.iinfo(samples.dtype).max) + 1
    source = np.ascontiguousarray(samples)
    bands = source.shape[-1]
    kernels = load("histograms")
    found: list[np.ndarray] = []
    if bands == 1:
        lanes, each = (4, 8) if levels == 256 else (2, 4)
        flat = source.reshape(-1)
        even = flat.size // each * each
        # A picture cut out of a larger one may begin anywhere; the words are read from wherever it does.
        words = flat[:even].view(np.uint64)
        kernel = kernels.count_bytes if levels == 256 else kernels.count_shorts

        def part(start: int, stop: int) -> None:
            table = np.zeros((lanes, levels), np.int64)
            kernel(words[start:stop], table)
            found.append(table.sum(0, keepdims=True))

        parallel_rows(part, 0, words.size, _share(words.size, 1 << 15))
        found.append(np.bincount(flat[even:], minlength=levels)[None])
    else:
        pixels = source.reshape(-1, bands)

        def part(start: int, stop: int) -> None:
            table = np.zeros((bands, levels), np.int64)
            kernels.count_bands(pixels[start:stop], table)
            found.append(table)

        parallel_rows(part, 0, len(pixels), _share(len(pixels), 1 << 17))
    return np.asarray(np.sum(found, axis=0))


def count_sample_luminance(samples: np.ndarray, bins: int) -> np.ndarray:
    """Count the luminance of stored samples (H, W, 3) in bins over the range of their type, exactly; (bins,)."""
    source = np.ascontiguousarray(samples).reshape(-1, 3)
    top = int(np.iinfo(samples.dtype).max)
    kernels = load("histograms")
    found: list[np.ndarray] = []

    def part(start: int, stop: int) -> None:
        table = np.zeros(bins, np.int64)
        kernels.count_luminance(source[start:stop], top, bins, table)
        found.append(table)

    parallel_rows(part, 0, len(source), _share(len(source), 1 << 17))
    return np.asarray(np.sum(found, axis=0))


def _share(count: int, least: int) -> int:
    return max(least, -(-count // 16))
