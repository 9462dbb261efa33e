"""Filters by their response to each frequency, and the spectrum of a picture.

`f` is a frequency in cycles per pixel, across and down; at 1/2 lies the finest pattern that pixels hold.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.num.borders import fold
from photochrom.num.taps import extended

Ring = Literal["reflect", "circular"]
Shape = Literal["ideal", "gaussian", "butterworth"]
Response = Callable[[Tensor, Tensor], Tensor]


def filtered(image: Tensor, response: Response, border: Ring = "reflect") -> Tensor:
    """Multiply the spectrum of each plane by a response.

    Args:
        image: (B, C, H, W), floating; half and bfloat16 are computed in float32. NaN spreads over its plane.
        response: from frequencies down (h, 1) and across (1, w // 2 + 1), both float64, the factors, real or complex.
        border: "circular" takes the picture for one period of a pattern; "reflect" goes on with its mirror image,
            the edge pixel not repeated, so that no edge arises where left meets right.

    Returns:
        (B, C, H, W), same dtype and device; differentiable.

    Example:
        >>> filtered(torch.ones(1, 1, 4, 6), lambda fy, fx: torch.exp(-fy * fy - fx * fx)).mean().item()
        1.0
    """
    height, width = image.shape[-2:]
    if not image.numel():
        return image
    working = image if image.dtype in (torch.float32, torch.float64) else image.float()
    size = (period(height, border), period(width, border))
    folds = [fold(np.arange(n), m, border) for n, m in zip(size, (height, width), strict=True)]
    factors = response(*grid(size, image.device))
    factors = factors.to(_complex(working.dtype) if factors.is_complex() else working.dtype)
    planes = []
    for plane in working.reshape(-1, 1, height, width).unbind(0):   # one at a time: the mirror has four times the size
        spectrum = torch.fft.rfft2(extended(plane[None], *folds))
        planes.append(torch.fft.irfft2(spectrum * factors, s=size)[0, :, :height, :width])
    return torch.stack(planes).reshape(image.shape).to(image.dtype)


def period(n: int, border: Ring) -> int:
    """Return after how many samples a picture of n repeats itself."""
    return n if border == "circular" else max(1, 2 * n - 2)


def grid(size: tuple[int, int], device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Return the frequencies of `torch.fft.rfft2` of a size: down (h, 1) and across (1, w // 2 + 1), float64."""
    down = torch.fft.fftfreq(size[0], dtype=torch.float64, device=device)
    across = torch.fft.rfftfreq(size[1], dtype=torch.float64, device=device)
    return down[:, None], across[None]


def low(distance: Tensor, cutoff: float, shape: Shape, order: int) -> Tensor:
    """Return what a low-pass lets through.

    Args:
        distance: how far a frequency lies from 0.
        cutoff: where the ideal one ends, the Gaussian has fallen to exp(-1/2), the Butterworth to 1/2.
        shape: "ideal" cuts, "gaussian" and "butterworth" fall off.
        order: of "butterworth": how steeply.

    Returns:
        Factors in 0..1, same shape.
    """
    if cutoff == 0:
        return (distance == 0).to(distance.dtype)
    if shape == "ideal":
        return (distance <= cutoff * (1 + 1e-12)).to(distance.dtype)
    if shape == "gaussian":
        return torch.exp(-0.5 * (distance / cutoff) ** 2)
    return 1 / (1 + (distance / cutoff) ** (2 * order))


def transfer(kernel: Tensor, size: tuple[int, int], anchor: tuple[int, int]) -> Tensor:
    """Return the response of a convolution with a kernel, (h, w // 2 + 1), complex, for `filtered`.

    Args:
        kernel: (kh, kw); what is larger than `size` laps over.
        size: of the periodic picture.
        anchor: the element that lands on the pixel itself.
    """
    laid = kernel
    for n, middle in zip(size, anchor, strict=True):   # rows, then columns, to their places; what laps over adds up
        places = (torch.arange(laid.shape[0], device=kernel.device) - middle) % n
        rows = torch.zeros(n, laid.shape[0], dtype=kernel.dtype, device=kernel.device)
        rows[places, torch.arange(laid.shape[0], device=kernel.device)] = 1
        laid = (rows @ laid).mT
    made: Tensor = torch.fft.rfft2(laid)
    return made


def wiener(response: Tensor, noise: float) -> Tensor:
    """Return the Wiener filter conj(H) / (|H|^2 + noise); 0 where both are 0."""
    power = response.real**2 + response.imag**2 + noise
    seen = power > 0
    return torch.where(seen, response.conj() / torch.where(seen, power, 1.0), 0.0)


def spectrum(plane: Tensor) -> Tensor:
    """Return the power |F|^2 / (H W) of a plane (H, W), frequency 0 in the middle (H // 2, W // 2).

    By Parseval's theorem its sum is that of the squares of the plane.
    """
    made = torch.fft.fft2(plane, norm="ortho")
    return torch.fft.fftshift(made.real**2 + made.imag**2)


def _complex(dtype: torch.dtype) -> torch.dtype:
    return torch.complex128 if dtype == torch.float64 else torch.complex64
