"""Structural similarity, over one scale and over several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from photochrom.core.errors import ControlError
from photochrom.metrics.pairs import Channel, Rounding, prepare
from photochrom.metrics.protocol import Protocol
from photochrom.metrics.running import Running
from photochrom.num.bands import separable

Window = Literal["gaussian", "uniform"]

_K1, _K2 = 0.01, 0.03
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@dataclass(frozen=True)
class _Shape:
    taps: np.ndarray
    sample: bool

    @property
    def reach(self) -> int:
        return len(self.taps) // 2


def _shape(window: Window, sigma: float, size: int | None) -> _Shape:
    """Return the window along one axis; the uniform one divides by n - 1, as scikit-image's does."""
    if window == "uniform":
        n = 7 if size is None else size
        return _Shape(np.full(n, 1 / n), True)
    n = 11 if size is None else size
    taps = np.exp(-0.5 * ((np.arange(n) - n // 2) / sigma) ** 2)
    return _Shape(taps / taps.sum(), False)


def _maps(image: Tensor, reference: Tensor, shape: _Shape) -> tuple[Tensor, Tensor]:
    """Return the similarity of each window that lies inside, and its part without the means, (B, C, h, w)."""
    n = shape.reach
    height, width = image.shape[-2:]
    # about the middle of the range squares round less, and variances do not mind
    x, y = image - 0.5, reference - 0.5
    blurred = separable(torch.cat([x, y, x * x, y * y, x * y]), shape.taps, shape.taps, "constant")
    mx, my, xx, yy, xy = blurred[..., n:height - n, n:width - n].chunk(5)
    bessel = len(shape.taps) ** 2 / (len(shape.taps) ** 2 - 1) if shape.sample else 1.0
    vx, vy, cov = bessel * (xx - mx * mx), bessel * (yy - my * my), bessel * (xy - mx * my)
    mx, my = mx + 0.5, my + 0.5
    contrast = (2 * cov + _K2**2) / (vx + vy + _K2**2)
    return (2 * mx * my + _K1**2) / (mx * mx + my * my + _K1**2) * contrast, contrast


def ssim(image: Tensor, reference: Tensor, *, channel: Channel = "all", border: int = 0, rounding: Rounding = "none",
         window: Window = "gaussian", sigma: float = 1.5, size: int | None = None, shrink: bool = False) -> Tensor:
    """Return how alike the structure of pictures and their references is, from -1 to 1.

    Windows that reach beyond the picture are left out. Constants are K1 = 0.01, K2 = 0.03 for the range 1.

    Args:
        image: (B, C, H, W), display range 0..1.
        reference: likewise.
        channel: "all" (the mean of the channels), "y" or "luma"; see `psnr`.
        border: pixels left out on every side before.
        rounding: "8-bit" compares whole levels.
        window: "gaussian" of 11 x 11 (Wang 2004), or "uniform" of 7 x 7 with sample covariance (scikit-image).
        sigma: of the Gaussian, in pixels.
        size: pixels across the window, odd, if not as above.
        shrink: first average blocks of round(shorter side / 256) pixels, as Wang advises and piq does.

    Returns:
        (B,). Differentiable.

    Raises:
        ControlError: sizes, ranges or values that do not fit; a picture smaller than the window.

    Reference:
        Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural similarity. IEEE
        TIP 13(4), 2004.

    Example:
        >>> grey = torch.linspace(0, 1, 144).reshape(1, 1, 12, 12)
        >>> round(ssim(grey, grey).item(), 4), ssim(grey, 1 - grey).item() < 0
        (1.0, True)
    """
    shape = _shape(window, sigma, size)
    x, y = prepare("ssim", image, reference, channel, border, rounding, 1 if shrink else len(shape.taps))
    if shrink:
        factor = max(1, round(min(x.shape[-2:]) / 256))
        x, y = (functional.avg_pool2d(part, factor) for part in (x, y))
        if min(x.shape[-2:]) < len(shape.taps):
            raise ControlError(f"ssim: a picture must have at least {len(shape.taps)} x {len(shape.taps)} pixels, got "
                               f"{x.shape[-1]} x {x.shape[-2]}")
    return _maps(x, y, shape)[0].flatten(1).mean(1)


def ms_ssim(image: Tensor, reference: Tensor, *, channel: Channel = "all", border: int = 0,
            rounding: Rounding = "none") -> Tensor:
    """Return structural similarity over five scales, 0 to 1.

    The contrast and structure of four scales and the similarity of the fifth, to the powers of the paper; each scale
    averages 2 x 2 pixels of the one before, an odd row or column repeated first, as piq does.

    Args:
        image: (B, C, H, W), display range 0..1, at least 161 pixels across.
        reference: likewise.
        channel: as in `ssim`.
        border: as in `ssim`.
        rounding: as in `ssim`.

    Returns:
        (B,). Differentiable. A scale whose mean is negative counts as 0.

    Raises:
        ControlError: sizes, ranges or values that do not fit; a picture too small for five scales.

    Reference:
        Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment. Asilomar 2003.

    Example:
        >>> grey = torch.linspace(0, 1, 176 * 176).reshape(1, 1, 176, 176)
        >>> round(ms_ssim(grey, grey).item(), 4)
        1.0
    """
    shape = _shape("gaussian", 1.5, None)
    least = (len(shape.taps) - 1) * 2 ** (len(_WEIGHTS) - 1) + 1
    x, y = prepare("ms_ssim", image, reference, channel, border, rounding, least)
    made = torch.ones(x.shape[:2], dtype=x.dtype, device=x.device)
    for k, weight in enumerate(_WEIGHTS):
        if k:
            odd = max(x.shape[-2] % 2, x.shape[-1] % 2)
            x, y = (functional.avg_pool2d(functional.pad(part, (odd, 0, odd, 0), mode="replicate"), 2)
                    for part in (x, y))
        whole, contrast = (part.flatten(2).mean(2) for part in _maps(x, y, shape))
        made = made * (whole if k == len(_WEIGHTS) - 1 else contrast).clamp(min=0) ** weight
    return made.mean(1)


class SSIM(Running):
    """The mean SSIM of many pictures; settings as of `ssim`."""

    def __init__(self, channel: Channel = "all", border: int = 0, rounding: Rounding = "none",
                 window: Window = "gaussian", sigma: float = 1.5, size: int | None = None,
                 shrink: bool = False) -> None:
        """Score as `ssim` does with the same settings."""
        across = len(_shape(window, sigma, size).taps)
        shown = f"gaussian {across} x {across} sigma {sigma:g}" if window == "gaussian" else (
            f"uniform {across} x {across}, sample covariance")
        super().__init__(
            Protocol.of("ssim", channel=channel, border=border, rounding=rounding, window=shown, k1=_K1, k2=_K2,
                        shrink="to about 256 pixels" if shrink else "none"),
            lambda image, reference: ssim(image, reference, channel=channel, border=border, rounding=rounding,
                                          window=window, sigma=sigma, size=size, shrink=shrink))


class MSSSIM(Running):
    """The mean multi-scale SSIM of many pictures; settings as of `ms_ssim`."""

    def __init__(self, channel: Channel = "all", border: int = 0, rounding: Rounding = "none") -> None:
        """Score as `ms_ssim` does with the same settings."""
        weights = " ".join(f"{weight:g}" for weight in _WEIGHTS)
        super().__init__(
            Protocol.of("ms_ssim", channel=channel, border=border, rounding=rounding,
                        window="gaussian 11 x 11 sigma 1.5", k1=_K1, k2=_K2, weights=weights),
            lambda image, reference: ms_ssim(image, reference, channel=channel, border=border, rounding=rounding))


