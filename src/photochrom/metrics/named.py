"""Scores by name, and the protocols that have one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from photochrom.core.errors import ControlError, nearest
from photochrom.metrics.delta_e import DeltaE
from photochrom.metrics.lpips import LPIPS
from photochrom.metrics.psnr import PSNR
from photochrom.metrics.running import Running
from photochrom.metrics.ssim import MSSSIM, SSIM

METRICS: dict[str, Callable[..., Running]] = {"psnr": PSNR, "ssim": SSIM, "ms_ssim": MSSSIM, "delta_e": DeltaE,
                                              "lpips": LPIPS}
BETTER_LOW = ("delta_e", "lpips")
"""Scores of which a lower one is better."""

_SR = {"channel": "y", "rounding": "8-bit"}
_LEVELS = {"rounding": "8-bit"}
PROTOCOLS: dict[str, dict[str, dict[str, Any]]] = {
    "psnr": {"plain": {}, "8-bit": _LEVELS, "sr": _SR, "denoise": _LEVELS, "luma": {"channel": "luma"}},
    "ssim": {"wang": {}, "8-bit": _LEVELS, "sr": _SR, "denoise": _LEVELS, "skimage": {"window": "uniform"},
             "piq": {"shrink": True}},
    "ms_ssim": {"wang": {}, "8-bit": _LEVELS, "sr": _SR, "denoise": _LEVELS},
    "delta_e": {"plain": {}, "8-bit": _LEVELS, "sr": _LEVELS, "denoise": _LEVELS},
    "lpips": {"0.1": {}, "sr": {}, "denoise": {}},
}
"""By metric the named protocols, the default first; docs/scores.md says what each is. With "sr" the border is the
scale."""


def scorer(metric: str, protocol: str | None = None, *, border: int | None = None, scale: int | None = None,
           backbone: str | None = None, weights: str | os.PathLike[str] | None = None) -> Running:
    """Return an empty score, by names.

    Args:
        metric: psnr, ssim, ms_ssim, delta_e or lpips.
        protocol: one of `PROTOCOLS[metric]`; the first if not given.
        border: pixels left out on every side, if the protocol's own number is not meant.
        scale: of "sr", which leaves out so many pixels on every side.
        backbone: of lpips.
        weights: of lpips.

    Raises:
        ControlError: there is no such metric or protocol, or a setting does not belong to it.

    Example:
        >>> str(scorer("psnr", "sr", scale=3).protocol)
        'psnr: channel y, border 3, rounding 8-bit'
    """
    if metric not in METRICS:
        raise ControlError(f"score: {metric!r} is not known{nearest(metric, list(METRICS))}")
    known = PROTOCOLS[metric]
    name = next(iter(known)) if protocol is None else protocol
    if name not in known:
        raise ControlError(f"{metric}: protocol {name!r} is not known{nearest(name, list(known))}")
    settings = dict(known[name])
    if name == "sr" and border is None:
        if scale is None:
            raise ControlError(f"{metric}: the protocol sr needs the scale, whose number of pixels is left out around")
        border = scale
    if border is not None:
        if border < 0:
            raise ControlError(f"{metric}: border must be at least 0, got {border}")
        settings["border"] = border
    for option, value in (("backbone", backbone), ("weights", weights)):
        if value is not None:
            if metric != "lpips":
                raise ControlError(f"{metric}: {option} belongs to lpips")
            settings[option] = value
    return METRICS[metric](**settings)
