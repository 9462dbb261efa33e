"""The colours of a picture as a cloud in space: RGB and CIELAB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.color.lab import rgb_to_lab
from photochrom.views.plot import draw, picture
from photochrom.views.surface import plain_box

MOST = 12000
"""Dots: more hide one another."""


def colours(image: Tensor, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """Return what is plotted: colours of the picture in RGB and the same in CIELAB, each (N, 3).

    Pixels are drawn at even steps through the picture, the same each time.
    """
    shown = image if image.shape[1] == 3 else image[:, :1].expand(-1, 3, -1, -1)
    flat = shown.float().nan_to_num(0.0, 1.0, 0.0).flatten(2)
    count = flat.shape[-1]
    # Steps of the golden section visit all rows and columns alike; even steps would follow the columns.
    place = (torch.arange(min(count, most), dtype=torch.float64) * 0.6180339887498949 % 1 * count).long()
    chosen = flat[..., place] if count > most else flat
    lab = rgb_to_lab(chosen[..., None, :])
    return np.asarray(chosen[0].T.numpy()), np.asarray(lab[0, :, 0].T.numpy())


def view_cloud(source: str | Path, target: str | Path, *, points: int = MOST, overwrite: bool = False) -> None:
    """Draw the colours of a picture as dots in RGB and in CIELAB.

    Args:
        source: the picture file.
        target: the PNG or SVG to write.
        points: how many dots at most.
        overwrite: replace a file that is there.
    """
    rgb, lab = colours(picture(source), points)
    shown = rgb.clip(0, 1)

    def fill(figure: Any) -> None:
        size = 5.0 if len(rgb) > 2000 else 14.0
        first = figure.add_axes((0.0, 0.02, 0.47, 0.9), projection="3d")
        first.scatter(*rgb.T, c=shown, s=size, linewidths=0, depthshade=False, rasterized=True)
        for setter, name in ((first.set_xlabel, "red"), (first.set_ylabel, "green"), (first.set_zlabel, "blue")):
            setter(name, labelpad=-2)
        limits = min(0.0, float(rgb.min())), max(1.0, float(rgb.max()))
        first.set(xlim=limits, ylim=limits, zlim=limits)
        for set_ticks in (first.set_xticks, first.set_yticks, first.set_zticks):
            set_ticks([0.5, 1], ["0.5", "1"])
        first.plot([0, 1], [0, 1], [0, 1], color="#8a8a86", linewidth=0.8)
        second = figure.add_axes((0.49, 0.02, 0.47, 0.9), projection="3d")
        second.scatter(lab[:, 1], lab[:, 2], lab[:, 0], c=shown, s=size, linewidths=0, depthshade=False,
                       rasterized=True)
        second.set_xlabel("a* (green to red)", labelpad=0)
        second.set_ylabel("b* (blue to yellow)", labelpad=0)
        second.set_zlabel("L*", labelpad=-2)
        reach = max(40.0, float(np.abs(lab[:, 1:]).max()) * 1.05)
        second.set(xlim=(-reach, reach), ylim=(-reach, reach),
                   zlim=(min(0, lab[:, 0].min()), max(100, lab[:, 0].max())))
        step = 50 if reach > 60 else 25
        ticks = np.arange(-(reach // step) * step, reach, step)
        second.set_xticks(ticks)
        second.set_yticks(ticks)
        second.set_zticks([0, 50, 100])
        second.plot([0, 0], [0, 0], [0, 100], color="#8a8a86", linewidth=0.8)
        figure.text(0.235, 0.885, "RGB", fontsize=11, ha="center")
        figure.text(0.725, 0.885, "CIELAB", fontsize=11, ha="center")
        for axes in (first, second):
            plain_box(axes)
            axes.tick_params(pad=-2)
            axes.set_box_aspect((1, 1, 1))
            axes.view_init(elev=24, azim=-58)
        figure.text(0.02, 0.955, f"{Path(source).name}: {len(rgb)} of its colours", fontsize=11)

    draw(target, 1120, 600, fill, overwrite=overwrite, protect=[source])
