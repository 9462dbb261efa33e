"""Exposure stacks: the response of a camera, radiance from its pictures, weights for their fusion."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import limit_threads, parallel_rows
from photochrom.num.plain import is_plain_float

_POINTS = 8192
"""Pixels of a stack worked on at once: 16 exposures of them, in three channels, stay in a core's cache."""
_FLOOR = 1e-12
"""Added to each weight of a fusion, as in the authors' program: where no exposure has any quality, all count alike."""
_ROUNDING = 1e-6
"""Contrast and saturation that float32 makes of flat grey; a step of 16 bits makes more."""
_FAR = math.log(1.5)
_FOGGIEST = 65
"""Levels of 256 that may be fog: higher ones that do not grow are pictures that contradict their times."""
_ENOUGH = 20
_GROWING = 0.75
"""Share of the pixels of a true level that at least grow with time, moving things and noise notwithstanding."""
_PRIOR = 1e-9
"""Weight of the curve assumed where the pictures say nothing: far below that of a single sample."""


def hat(levels: Tensor, top: float, black: float | Tensor = 0.0) -> Tensor:
    """Return Debevec and Malik's weight of a level: 0 at and beyond black and top, rising by 1 a level between."""
    return torch.minimum(levels - black, top - levels).clamp(min=0)


def fog(samples: Tensor, log_times: Tensor) -> Tensor:
    """Find the level below which a picture tells nothing: where a longer exposure is mostly no lighter.

    Scanned film and some sensors have a black well above 0. Pairs of exposures with at least 1.5 times the time are
    compared; of the levels of the shorter one up to a quarter of white, the highest at which a quarter of the
    pixels or more do not grow is the fog.

    Args:
        samples: (C, I, J) in 0..1: pixel i in exposure j.
        log_times: (J,).

    Returns:
        (C,) in 0..1/4, float64; 0 where there is none, or nothing to compare.
    """
    with limit_threads(1):
        return _fog(samples, log_times)


def _fog(samples: Tensor, log_times: Tensor) -> Tensor:
    order = log_times.argsort()
    values = (samples.nan_to_num(0).clamp(0, 1) * 255)[..., order]
    far = log_times[order].diff() > _FAR
    short, longer = values[..., :-1][..., far], values[..., 1:][..., far]
    found = torch.zeros(len(samples), dtype=torch.float64, device=samples.device)
    for c, (a, b) in enumerate(zip(short.flatten(1), longer.flatten(1), strict=True)):
        level = a.round().long()
        grown = (b > a + 0.5).double()
        seen = torch.bincount(level, minlength=256)[:_FOGGIEST]
        up = torch.bincount(level, grown, minlength=256)[:_FOGGIEST]
        flat = ((up <= _GROWING * seen) & (seen >= _ENOUGH)).nonzero()
        if len(flat):
            found[c] = flat[-1, 0] / 255
    return found


def solve_response(samples: Tensor, log_times: Tensor, levels: int, smoothness: float, prior: Tensor,
                   black: float = 0.0) -> Tensor:
    """Find the log exposure g(z) of each level by least squares.

    Minimises sum_ij [w(z_ij) (g(z_ij) - ln E_i - ln t_j)]^2 + smoothness sum_z [w(z) g''(z)]^2 with g(middle) = 0. The
    ln E_i are eliminated, so that only a system in g is solved and the number of samples costs next to nothing.

    Args:
        samples: (I, J) in 0..1: pixel i in exposure j; values between two levels count for both.
        log_times: (J,).
        levels: of the curve.
        smoothness: weight of the second differences.
        prior: (levels,), what g is taken to be where the samples leave it free.
        black: in 0..1, the level at and below which samples do not count.

    Returns:
        (levels,) float64.
    """
    top = levels - 1
    z = samples.double().nan_to_num(0).clamp(0, 1) * top
    log_times = log_times.double()
    low = z.floor().clamp(max=top - 1)
    part = z - low
    square = hat(z, top, black * top) ** 2
    places = low.long()
    # A g = b, from the normal equations: for pixel i with M_i = sum_j w^2 a_ij and s_i = sum_j w^2,
    # A = sum_ij w^2 a a^T - sum_i M_i M_i^T / s_i; a holds 1 - part and part at two neighbouring levels
    matrix = samples.new_zeros(levels * levels, dtype=torch.float64)
    right = samples.new_zeros(levels, dtype=torch.float64)
    sums = samples.new_zeros(len(samples), levels, dtype=torch.float64)
    ends = ((places, 1 - part), (places + 1, part))
    for here, much in ends:
        right.index_add_(0, here.flatten(), (square * much * log_times).flatten())
        sums.scatter_add_(1, here, square * much)
        for there, other in ends:
            matrix.index_add_(0, (here * levels + there).flatten(), (square * much * other).flatten())
    matrix = matrix.reshape(levels, levels)
    total = square.sum(1)
    share = torch.where(total > 0, 1 / total.clamp(min=1e-300), 0)
    matrix -= sums.T @ (sums * share[:, None])
    right -= sums.T @ (share * (square @ log_times))
    bends = samples.new_zeros(levels - 2, levels, dtype=torch.float64)
    i = torch.arange(levels - 2, device=samples.device)
    for offset, value in ((0, 1.0), (1, -2.0), (2, 1.0)):
        bends[i, i + offset] = value
    bends *= math.sqrt(smoothness) * hat(i + 1.0, top)[:, None].double()
    middle = levels // 2
    matrix += bends.T @ bends
    scale = matrix.diagonal().mean()
    matrix.diagonal().add_(_PRIOR * scale)
    right += _PRIOR * scale * (prior.double() - prior[middle].double())
    matrix[middle, middle] += 1e6 * scale   # g(middle) = 0
    solved: Tensor = torch.linalg.solve(matrix, right)
    return solved - solved[middle]


def radiance(pictures: Sequence[Tensor], log_times: Tensor, tables: Tensor, black: Tensor) -> Tensor:
    """Merge pictures of several exposure times to the logarithm of their radiance.

    ln E = sum_j w(z_j) (g(z_j) - ln t_j) / sum_j w(z_j). Where every exposure is black or white, so that the weights
    sum to 0, the exposures still bound E: the longest black one from above, the shortest white one from below. The
    bound is taken, or the mean of the two.

    Args:
        pictures: N of (B, C, H, W), floating; what lies outside 0..1 is taken for clipped.
        log_times: (N,).
        tables: (1 or C, levels): g(z).
        black: (C,) in 0..1: the level at and below which a picture is black.

    Returns:
        (B, C, H, W): ln E.
    """
    first = pictures[0]
    tables = tables.to(first).expand(first.shape[1], -1)
    times = log_times.to(first)
    if not all(map(is_plain_float, (*pictures, times, tables))):
        return _radiance(pictures, times, tables, black.to(first))
    batch, channels, height, width = first.shape
    result = empty(first.shape)
    table, log_time, least = tables.contiguous().numpy(), times.numpy(), black.to(first).numpy()
    gather, planes, made = load("exposures").gather, [picture.detach().numpy() for picture in pictures], result.numpy()
    grain = max(1, _POINTS // width)

    def rows(start: int, stop: int) -> None:
        stack = np.empty((len(planes), channels, stop - start, width), np.float32)
        scratch = np.empty((2, channels, (stop - start) * width), np.float32)
        for b in range(batch):
            for n, picture in enumerate(planes):
                stack[n] = picture[b, :, start:stop]
            gather(stack.reshape(len(planes), channels, -1), table, log_time, least, *scratch, 0, channels)
            made[b, :, start:stop] = scratch[0].reshape(channels, stop - start, width)

    parallel_rows(rows, 0, height, grain)
    return result


def _radiance(pictures: Sequence[Tensor], times: Tensor, tables: Tensor, black: Tensor) -> Tensor:
    top = tables.shape[1] - 1
    first = pictures[0]
    total, weight = torch.zeros_like(first), torch.zeros_like(first)
    whites, blacks = torch.full_like(first, math.inf), torch.full_like(first, -math.inf)
    channel = torch.arange(first.shape[1], device=first.device)[:, None, None]
    least = black[:, None, None] * top
    for picture, t in zip(pictures, times.unbind(), strict=True):
        z = (picture * top).clamp(0, top)
        low = z.detach().nan_to_num(0).floor().clamp(max=top - 1).long()
        g = torch.lerp(tables[channel, low], tables[channel, low + 1], z - low)
        w = hat(z, top, least)
        weight = weight + w
        total = total + w * (g - t)
        whites = torch.where(z >= top, whites.minimum(t), whites)
        blacks = torch.where(z <= least, blacks.maximum(t), blacks)
    low = least.long().clamp(max=top - 1)
    dark = torch.lerp(tables[channel, low], tables[channel, low + 1], least - low)
    upper, lower = dark - blacks, tables[:, -1, None, None] - whites
    bound = torch.where(blacks.isinf(), lower, torch.where(whites.isinf(), upper, 0.5 * (lower + upper)))
    caught = weight > 0
    return torch.where(caught, total / torch.where(caught, weight, 1), bound)


def fusion_weights(stack: Tensor, contrast: float, saturation: float, exposedness: float) -> Tensor:
    """Weigh the pixels of each exposure by contrast^a saturation^b well-exposedness^c; at each pixel they sum to 1.

    Args:
        stack: (N, C, H, W), floating.
        contrast: exponent of the Laplacian's size.
        saturation: exponent of the channels' standard deviation; of no effect on one channel.
        exposedness: exponent of the product over channels of exp(-(x - 1/2)^2 / 2 0.2^2).

    Returns:
        (N, 1, H, W).
    """
    if is_plain_float(stack):
        result = empty((len(stack), 1, *stack.shape[-2:]))
        arrays = stack.contiguous().numpy(), np.array([contrast, saturation, exposedness], np.float32)
        kernel = load("exposures").quality
        limits = np.float32(_ROUNDING), np.float32(_FLOOR)
        parallel_rows(lambda a, b: kernel(*arrays, *limits, result.numpy(), a, b), 0, stack.shape[-2],
                      max(1, 4 * _POINTS // stack.shape[-1]))
        return result
    weight = torch.ones_like(stack[:, :1])
    if contrast > 0:
        mix = (0.299, 0.587, 0.114) if stack.shape[1] == 3 else (1 / stack.shape[1],) * stack.shape[1]
        grey = (stack * torch.tensor(mix).to(stack)[:, None, None]).sum(1, keepdim=True)
        wide = torch.nn.functional.pad(grey, (1, 1, 1, 1), mode="replicate")
        bend = wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:] - 4 * grey
        weight = weight * _power(bend.abs(), contrast)
    if saturation > 0 and stack.shape[1] > 1:
        spread = (stack - stack.mean(1, keepdim=True)).square().mean(1, keepdim=True)
        weight = weight * _power(_root(spread), saturation)
    if exposedness > 0:
        weight = weight * torch.exp(-12.5 * exposedness * (stack - 0.5).square().sum(1, keepdim=True))
    weight = weight + _FLOOR
    return weight / weight.sum(0, keepdim=True)


def _power(values: Tensor, exponent: float) -> Tensor:
    return torch.where(values > _ROUNDING, values.clamp(min=_ROUNDING) ** exponent, 0)


def _root(values: Tensor) -> Tensor:
    return torch.where(values > 0, values.clamp(min=1e-30).sqrt(), 0)
