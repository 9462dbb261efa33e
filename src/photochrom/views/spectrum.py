"""The power spectrum of a picture: which patterns it is made of, from coarse in the middle to fine at the edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.num.frequency import spectrum
from photochrom.ops.gray.luminance import luminance
from photochrom.views.plot import draw, picture

MOST = 720
"""Points along the longer side; a larger spectrum is averaged."""


def decibels(image: Tensor) -> np.ndarray:
    """Return the power spectrum of a picture's luminance as it is drawn.

    Args:
        image: (1, 1 or 3, H, W).

    Returns:
        (h, w), decibels above the power of noise with a standard deviation of 1/255, frequency 0 in the middle.
    """
    grey: Tensor = luminance(image)[0, 0] if image.shape[1] == 3 else image[0, 0]
    power = spectrum(grey.double().nan_to_num(0.0, 0.0, 0.0)) * 255.0**2
    height, width = power.shape
    part = min(1.0, MOST / max(height, width))
    if part < 1:
        size = (max(1, round(height * part)), max(1, round(width * part)))
        power = torch.nn.functional.adaptive_avg_pool2d(power[None, None], size)[0, 0]
    return np.asarray(10 * torch.log10(power.clamp(min=1e-12)).numpy())


def view_spectrum(source: str | Path, target: str | Path, *, overwrite: bool = False) -> None:
    """Draw the power spectrum of a picture, centred, on a logarithmic scale.

    Args:
        source: a picture file.
        target: the PNG or SVG to write.
        overwrite: replace a file that is there.
    """
    image = picture(source)
    height, width = image.shape[-2:]
    drawn = decibels(image)
    finite = drawn[drawn > -119]
    low, high = (float(v) for v in np.quantile(finite, (0.01, 0.9999))) if finite.size else (0.0, 1.0)
    high = max(high, low + 10)
    longer = max(height, width)
    # the middle of the pixel of frequency 0 is 0: of an even number of pixels one more lies before it than after
    ends = [(-(n // 2 + 0.5) / n, (n - n // 2 - 0.5) / n) for n in (height, width)]
    tall, wide = 560 * min(1.0, height / width), 560 * min(1.0, width / height)
    tall, wide = max(tall, 120), max(wide, 120)
    across, down = round(wide + 250), round(tall + 160)

    def fill(figure: Any) -> None:
        axes = figure.add_axes((90 / across, 70 / down, wide / across, tall / down))
        shown = axes.imshow(drawn, cmap="magma", vmin=low, vmax=high, aspect="auto", interpolation="nearest",
                            extent=(*ends[1], ends[0][1], ends[0][0]))
        ticks = (-0.5, -0.25, 0, 0.25, 0.5)
        for side, axis, end in (("x", axes.xaxis, ends[1]), ("y", axes.yaxis, ends[0])):
            inside = [t for t in ticks if end[0] <= t <= end[1] + 1e-9]
            axis.set_ticks(inside, [f"{t:g}" for t in inside])
            other = (axes.secondary_xaxis if side == "x" else axes.secondary_yaxis)(
                "top" if side == "x" else "right", functions=(lambda f: f * longer, lambda n: n / longer))
            other.set_ticks(_rounded(longer))
            other.spines[:].set_visible(False)
            if side == "x":
                other.set_xlabel("cycles along the longer side")
            else:
                other.set_yticks(_rounded(longer))
        axes.set_xlabel("across (cycles per pixel)")
        axes.set_ylabel("down (cycles per pixel)")
        figure.text(90 / across, 1 - 22 / down, f"power spectrum of {Path(source).name}", fontsize=11, va="center")
        bar = figure.add_axes(((wide + 150) / across, 70 / down, 16 / across, tall / down))
        figure.colorbar(shown, cax=bar, extend="both")
        bar.set_ylabel("decibels above noise of 1/255")

    draw(target, across, down, fill, overwrite=overwrite, protect=[source])


def _rounded(longer: int) -> list[float]:
    """Return about five round numbers of cycles within half the longer side, to both sides of 0."""
    half = longer / 2
    scale = 10 ** np.floor(np.log10(max(half, 1)))
    step = next(float(k * scale) for k in (0.2, 0.5, 1, 2, 5) if half / (k * scale) < 3 or k == 5)
    return [k * step for k in range(-int(half / step), int(half / step) + 1)]
