"""Operations that are a histogram and a table, on stored samples without any conversion to floats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.histograms import count_levels, count_samples, through_knots
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows
from photochrom.num.samples import look_up_all


def ramp_of(dtype: np.dtype) -> Tensor:
    """Return every value that samples of an integer type can have, in 0..1, as a picture (1, 1, 1, levels).

    In float32, as the door makes them: a table then holds what the operation makes of floats.
    """
    top = int(np.iinfo(dtype).max)
    return (torch.arange(top + 1, dtype=torch.float32) / top).reshape(1, 1, 1, top + 1)


def fold(counts: np.ndarray, dtype: np.dtype, levels: int) -> Tensor:
    """Return counts of stored samples (bands, 256 or 65536) as counts of `levels` knots, (bands, 1, levels)."""
    weights = torch.from_numpy(counts)[:, None, None].double()
    if levels == counts.shape[1]:
        return weights[:, 0]
    return count_levels(ramp_of(dtype).expand(len(counts), -1, -1, -1), weights, levels).counts


def by_table(samples: np.ndarray, levels: int, curve: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Count every band of a picture, make a curve of each histogram, and send the band through it.

    Args:
        samples: (H, W, bands), uint8 or uint16.
        levels: of the histogram.
        curve: turns counts (bands, 1, levels) into as many curves, as `equalizing` does.

    Returns:
        (H, W, bands), same type, rounded half to even and clipped.
    """
    dtype = samples.dtype
    curves = curve(fold(count_samples(samples), dtype, levels))
    top = int(np.iinfo(dtype).max)
    values = through_knots(ramp_of(dtype).expand(len(curves), -1, -1, -1), curves).reshape(len(curves), -1).numpy()
    return look_up_bands(samples, np.clip(np.rint(values * np.float32(top)), 0, top).astype(dtype))


def equalize_bytes(samples: np.ndarray) -> np.ndarray:
    """Equalise every band of 8-bit samples (H, W, bands) in 256 levels as OpenCV does, to the last bit.

    Where a tone falls midway between two levels, rounding decides: OpenCV multiplies in float32.
    """
    counts = count_samples(samples)
    tables = np.empty((len(counts), 256), np.uint8)
    for band, held in enumerate(counts):
        first = int(np.flatnonzero(held)[0])
        room = int(held.sum() - held[first])
        if room == 0:
            tables[band] = np.arange(256)
            continue
        up_to = np.cumsum(held) - held[first]
        up_to[:first] = 0
        tables[band] = np.rint(up_to.astype(np.float32) * (np.float32(255) / np.float32(room))).clip(0, 255)
    return look_up_bands(samples, tables)


def look_up_bands(samples: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Send every band of samples (H, W, bands) through its own table; tables (bands, 256 or 65536) of their type."""
    source = np.ascontiguousarray(samples)
    result = np.asarray(empty(source.shape, torch.uint8 if source.dtype == np.uint8 else torch.uint16).numpy())
    if len(tables) == 1:
        look_up_all(source.reshape(-1), tables[0], result.reshape(-1))
    else:
        bands = load("histograms").look_up_bands
        flat, out = source.reshape(-1, len(tables)), result.reshape(-1, len(tables))
        parallel_rows(lambda a, b: bands(flat[a:b], tables, out[a:b]), 0, len(flat), 1 << 17)
    return result
