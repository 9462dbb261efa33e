"""How fast a picture changes, and which way: its gradient, and the direction of its edges as colours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.num.edges import angle, derivatives, magnitude
from photochrom.num.histograms import luminance
from photochrom.views.plot import as_shown, draw, picture, smaller

MOST = 900
_SHARE = 0.995
"""Quantile of the gradient that is drawn at full strength: a few sharp corners would leave the rest dark."""


def slopes(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return dx, dy and the magnitude of a picture's luminance, (1, 1, H, W), per pixel."""
    dx, dy = derivatives(luminance(image.float()), "sobel", "reflect")
    return dx, dy, magnitude(dx, dy)


def _most(size: Tensor) -> float:
    values = size.flatten()   # quantile takes at most 16 million
    return max(1e-6, float(values[::max(1, values.numel() // 1_000_000)].quantile(_SHARE)))


def direction_colours(dx: Tensor, dy: Tensor, size: Tensor) -> np.ndarray:
    """Return the direction of edges as colours, (H, W, 3) in 0..1; no edge is black.

    An edge has the direction of its line, so half a turn is the whole circle of colours. The colours go round at one
    lightness from blue over white and orange to black-brown and back, in matplotlib's cyclic map `twilight`, which
    colour-blind eyes can follow too.
    """
    from matplotlib import colormaps

    turn = torch.remainder(angle(dx, dy) + 90, 180) / 180
    strength = (size / _most(size)).clamp(0, 1).sqrt()   # faint edges should have a colour too
    colours = colormaps["twilight_shifted"](turn[0, 0].numpy())[..., :3]
    bright = 0.35 + 0.65 * colours   # the dark part of the map would vanish against the black ground
    return np.asarray(bright * strength[0, 0].numpy()[..., None])


def view_gradient(source: str | Path, target: str | Path, *, overwrite: bool = False) -> None:
    """Draw a picture, its derivatives and their magnitude.

    Args:
        source: a picture file.
        target: the PNG or SVG to write.
        overwrite: replace a file that is there.
    """
    image = picture(source)
    dx, dy, size = slopes(image)
    top = _most(size)

    def paint(figure: Any) -> None:
        grid = figure.subplots(2, 2)
        grid[0, 0].imshow(as_shown(smaller(image, MOST)))
        grid[0, 0].set_title("picture")
        for place, values, title in ((grid[0, 1], dx, "rise to the right"), (grid[1, 0], dy, "rise downwards")):
            shown = place.imshow(smaller(values, MOST)[0, 0].numpy(), cmap="PuOr_r", vmin=-top, vmax=top)
            place.set_title(title)
            figure.colorbar(shown, ax=place, shrink=0.8)
        shown = grid[1, 1].imshow(smaller(size, MOST)[0, 0].numpy(), cmap="cividis", vmin=0, vmax=top)
        grid[1, 1].set_title("magnitude, per pixel")
        figure.colorbar(shown, ax=grid[1, 1], shrink=0.8)
        figure.subplots_adjust(0.01, 0.02, 0.97, 0.95, 0.05, 0.12)
        for place in grid.flat:
            place.set_axis_off()

    tall = image.shape[-2] / image.shape[-1]
    draw(target, 1200, int(min(max(1100 * tall, 500), 1600)), paint, overwrite=overwrite, protect=[source])


def view_direction(source: str | Path, target: str | Path, *, overwrite: bool = False) -> None:
    """Draw the direction of a picture's edges as colours, with the circle of colours beside it.

    Args:
        source: a picture file.
        target: the PNG or SVG to write.
        overwrite: replace a file that is there.
    """
    image = smaller(picture(source), MOST)
    shown = direction_colours(*slopes(image))
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 201), torch.linspace(-1, 1, 201), indexing="ij")
    far = torch.hypot(rows, columns)
    ring = ((far > 0.55) & (far < 0.95)).float()
    # on the ring a colour stands where an edge of its direction would touch it
    wheel = direction_colours(columns[None, None], rows[None, None], ring[None, None])

    def paint(figure: Any) -> None:
        whole, legend = figure.subplots(1, 2, width_ratios=(5, 1))
        whole.imshow(shown)
        whole.set_title("direction of edges")
        legend.imshow(wheel)
        legend.set_title("an edge on the ring", fontsize=9)
        figure.subplots_adjust(0.01, 0.01, 0.99, 0.95, 0.05)
        for place in (whole, legend):
            place.set_axis_off()

    tall = image.shape[-2] / image.shape[-1]
    draw(target, 1200, math.ceil(min(max(1000 * tall, 300), 1500)), paint, overwrite=overwrite, protect=[source])
