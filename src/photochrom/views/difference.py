"""Two pictures and how far they are apart, pixel by pixel."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.views.plot import as_shown, draw, picture, smaller

MOST = 900


class Difference(NamedTuple):
    """What is plotted and written beside it, in levels of 8 bits."""

    map: np.ndarray
    """(H, W): the largest difference among the bands."""
    largest: float
    mean: float
    psnr: float
    """In dB, infinite for equal pictures."""


def difference(before: Tensor, after: Tensor) -> Difference:
    """Compare two pictures (1, C, H, W) of one size.

    Raises:
        ControlError: they have different sizes.
    """
    if before.shape[-2:] != after.shape[-2:]:
        raise ControlError("view difference: the pictures must have one size, got "
                           f"{before.shape[-1]} x {before.shape[-2]} and {after.shape[-1]} x {after.shape[-2]} pixels")
    apart = (after.double() - before.double()).abs().nan_to_num(0.0) * 255
    square = float(apart.square().mean())
    psnr = math.inf if square == 0 else 10 * math.log10(255**2 / square)
    return Difference(apart.amax(1)[0].numpy(), float(apart.max()), float(apart.mean()), psnr)


def view_difference(before: str | Path, after: str | Path, target: str | Path, *, overwrite: bool = False) -> None:
    """Draw two pictures side by side and a map of their difference.

    Args:
        before: a picture file.
        after: another of its size.
        target: the PNG or SVG to write.
        overwrite: replace a file that is there.
    """
    import torch

    first, second = picture(before), picture(after)
    found = difference(first, second)
    tall = first.shape[-2] / first.shape[-1]
    width = 1350
    side = 0.3 * width
    high = int(min(max(side * tall, 120), 900)) + 100

    def fill(figure: Any) -> None:
        panel = (high - 100) / high
        sides = ((first, f"before: {Path(before).name}"), (second, f"after: {Path(after).name}"))
        for k, (image, name) in enumerate(sides):
            axes = figure.add_axes((0.015 + 0.31 * k, 0.07, 0.3, panel))
            axes.imshow(as_shown(smaller(image, MOST)), interpolation="nearest")
            axes.set_title(name)
            axes.set_axis_off()
        axes = figure.add_axes((0.635, 0.07, 0.3, panel))
        field = smaller(torch.from_numpy(found.map)[None, None], MOST)[0, 0].numpy()
        # Maps are averaged down with the pictures; the scale ends where all but a thousandth of it lies.
        top = max(float(np.quantile(field, 0.999)), 1e-9) if found.largest > 0 else 1.0
        shown = axes.imshow(field, cmap="inferno", vmin=0, vmax=top, interpolation="nearest")
        axes.set_title("difference, levels of 255")
        axes.set_axis_off()
        bar = figure.colorbar(shown, cax=figure.add_axes((0.945, 0.07, 0.012, panel)),
                              extend="max" if found.largest > top else "neither")
        bar.outline.set_visible(False)
        told = "the pictures are equal" if found.largest == 0 else f"PSNR {found.psnr:.2f} dB"
        told = f"largest difference {found.largest:.3g} of 255, mean {found.mean:.3g}, {told}"
        figure.text(0.015, 1 - 26 / high, told, fontsize=11)

    draw(target, width, high, fill, overwrite=overwrite, protect=[before, after])
