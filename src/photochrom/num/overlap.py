"""Correlation by Fourier transforms of overlapping pieces (overlap-save)."""

import functools
import math
from typing import Any

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.parallel import parallel_rows
from photochrom.num.places import Place
from photochrom.num.taps import extended

_RADICES = (7, 5, 3, 4, 2)
_FULLEST = 4096
"""Bins of one row of pieces that the kernel is given at most: 16 pieces of a row of 64000 samples."""


def correlate(image: Tensor, kernel: np.ndarray, place: Place) -> Tensor:
    """Correlate by Fourier transforms.

    Args:
        image: (B, C, H, W), float32 or float64, not empty.
        kernel: (kh, kw) float64.
        place: where the result lies.

    Returns:
        (B, C, h, w); it holds NaN through a whole piece wherever that piece of the picture does, see `is_clean`.
    """
    if image.dtype == torch.float32 and image.device.type == "cpu" and plan(_planes(image), place) is not None:
        return _kernel(image.detach().contiguous(), kernel, place)
    return _bands_of_rows(image, kernel, place)


def is_clean(made: Tensor, place: Place) -> bool:
    """Tell whether the picture held neither NaN nor infinity, by a sample of each piece: a transform spreads them.

    Args:
        made: what `correlate` returned.
        place: where it lies.
    """
    chosen = plan(_planes(made), place) if made.dtype == torch.float32 and made.device.type == "cpu" else None
    if chosen is None:
        return bool(torch.isfinite(made[..., :: _size(place)[0] - place.rows + 1, 0]).all())
    # a row of a piece reaches as many rows as the kernel has: one of them is looked at, or the last of the picture
    columns = made[..., :: chosen.step]
    return all(bool(torch.isfinite(part).all()) for part in (columns[..., :: place.rows, :], columns[..., -1, :]))


def predicted(planes: int, place: Place) -> float:
    """Return the predicted nanoseconds a value of the result, in float32 on the processor.

    Args:
        planes: how many there are.
        place: where the result lies.
    """
    made = plan(planes, place)
    if made is not None:
        return made.cost / (planes * place.h * place.w)
    size = _size(place)
    return 12.0 * (size[0] / max(1, size[0] - place.rows + 1)) * (size[1] / place.w)


def _planes(image: Tensor) -> int:
    return image.shape[0] * image.shape[1]


def _size(place: Place) -> tuple[int, int]:
    rows = min(max(256, 4 * place.rows), place.h)
    return (int(next_fast_len(rows + place.rows - 1, real=True)),
            int(next_fast_len(place.w + place.columns - 1, real=True)))  # fmt: skip


def _bands_of_rows(image: Tensor, kernel: np.ndarray, place: Place) -> Tensor:
    """Transform bands of rows over the whole width one after the other: memory for one band."""
    size = _size(place)
    step = size[0] - place.rows + 1
    spectrum = torch.fft.rfft2(torch.from_numpy(kernel).to(image), s=size).conj()
    made = torch.empty((*image.shape[:2], place.h, place.w), dtype=image.dtype, device=image.device)
    for i in range(0, place.h, step):
        count = min(step, place.h - i)
        band = extended(image, place.fold_y[i : i + count + place.rows - 1], place.fold_x)
        found = torch.fft.irfft2(torch.fft.rfft2(band, s=size).mul_(spectrum), s=size)
        made[..., i : i + count, :] = found[..., :count, : place.w]
    return made


class Plan:
    """How a row is cut into pieces and how many rows go into a band."""

    def __init__(self, n: int, step: int, across: int, groups: int, band: int, units: int, cost: float) -> None:
        self.n, self.step, self.across, self.groups = n, step, across, groups
        self.band, self.units, self.cost = band, units, cost


@functools.lru_cache(maxsize=64)
def plan(planes: int, place: Place) -> Plan | None:
    """Return the cheapest plan; it depends on sizes alone, so that the number of threads changes no bit.

    Args:
        planes: how many there are.
        place: where the result lies.

    Returns:
        None where rows are too short for pieces, or kernels too large for a cache.
    """
    best = None
    for across in (1, 2, 4, 8, 16):
        down = 32 // across   # bands that are done at once
        for groups in sorted({1, 2, 3, 4, 6, 8, 12, 16, -(-place.w // (across * 256)), -(-place.w // (across * 512))}):
            step = -(-place.w // (across * groups))
            n = smooth(step + place.columns - 1)
            if n > _FULLEST or step < 16 or n * (place.rows + 8) > 2**16:   # 8 MB of spectra
                continue
            for band in sorted({-(-place.h // m) for m in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)}):
                units = groups * -(-(planes * -(-place.h // band)) // down)
                rows = band + place.rows + 7
                # nanoseconds of a core for a bin of 32 pieces: transforms with memory there and back, the kernel's rows
                work = units * n * (rows * 46 + band * (43 + 1.5 * (place.rows + 2)))
                # many bands at once read and write in many places; on two cores a last unit may run alone
                cost = work / units * -(-units // 2) * (1 + 0.5 / units) * (1 + 0.1 * math.log2(16 / across))
                if best is None or cost < best.cost:
                    best = Plan(n, step, across, groups, band, units, cost)
    return best


def smooth(least: int) -> int:
    """Return the first number from `least` on that has no prime factor above 7."""
    n = max(2, least)
    while math.prod(_factors(n)) != n:
        n += 1
    return n


@functools.lru_cache(maxsize=1024)
def _factors(n: int) -> tuple[int, ...]:
    found = []
    for radix in _RADICES:
        while n % radix == 0:
            found.append(radix)
            n //= radix
    return tuple(found)


@functools.lru_cache(maxsize=16)
def _turns(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of n and the numbers each stage multiplies by, real and imaginary parts by turns."""
    turns, length = [], n
    for radix in _factors(n):
        m = length // radix
        powers = np.exp(-2j * np.pi * np.outer(np.arange(m), np.arange(1, radix)) / length)
        turns.append(np.stack([powers.real, powers.imag], -1).ravel())
        length = m
    return np.array(_factors(n)), np.concatenate(turns).astype(np.float32)


def _kernel(image: Tensor, kernel: np.ndarray, place: Place) -> Tensor:
    from photochrom.num.kernels import fourier

    made = plan(_planes(image), place)
    assert made is not None
    spectrum = np.fft.fft(kernel, made.n, axis=1).conj().T / made.n
    around = fourier.ROWS - 1
    weights = np.zeros((made.n, place.rows + 2 * around, 2), np.float32)
    weights[:, around : around + place.rows, 0] = spectrum.real
    weights[:, around : around + place.rows, 1] = spectrum.imag
    result = empty((*image.shape[:2], place.h, place.w))
    source = image.numpy().reshape(-1, place.height, place.width)
    out = result.numpy().reshape(-1, place.h, place.w)
    run: Any = fourier.correlate
    arguments = (source, place.fold_y, place.fold_x, place.left, weights, made.n, *_turns(made.n), made.step,
                 made.across, made.band, made.groups, out)  # fmt: skip
    parallel_rows(lambda a, b: run(*arguments, a, b), 0, made.units, 1)
    return result
