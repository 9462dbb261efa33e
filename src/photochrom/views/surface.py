"""A picture as a landscape: luminance is height."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from photochrom.num.histograms import luminance
from photochrom.views.plot import as_shown, draw, picture, smaller

MOST = 160
"""Points on the longer side: more are finer than the lines of the plot."""


def heights(path: str | Path, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """Return what is plotted: luminance (h, w) of the picture averaged down, and its colours (h, w, 3)."""
    image = smaller(picture(path), most)
    return np.asarray(luminance(image)[0, 0].numpy()), as_shown(image)


def view_surface(source: str | Path, target: str | Path, *, points: int = MOST, overwrite: bool = False) -> None:
    """Draw a picture as a height surface in its own colours.

    Args:
        source: the picture file.
        target: the PNG or SVG to write.
        points: on the longer side.
        overwrite: replace a file that is there.
    """
    height, colours = heights(source, points)
    rows, columns = height.shape

    def fill(figure: Any) -> None:
        axes = figure.add_axes((0.0, 0.0, 0.97, 0.97), projection="3d")
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        if min(rows, columns) > 1:
            axes.plot_surface(x, y, height, facecolors=colours, rstride=1, cstride=1, linewidth=0, antialiased=False,
                              shade=False)
        else:   # a single line of pixels spans no surface
            axes.scatter(x.ravel(), y.ravel(), height.ravel(), c=colours.reshape(-1, 3), depthshade=False)
        longer = max(rows, columns)
        axes.set_box_aspect((columns / longer, rows / longer, 0.34), zoom=1.2)
        axes.set_ylim(max(rows - 1, 1), 0)   # the bottom of the picture in front
        axes.set_xlim(0, max(columns - 1, 1))
        axes.set_zlim(min(0.0, float(height.min())), max(1.0, float(height.max())))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_zticks([0, 0.5, 1])
        axes.set_xlabel("columns", labelpad=-8)
        axes.set_ylabel("rows, from the top", labelpad=-8)
        axes.set_zlabel("luminance", labelpad=2)
        plain_box(axes)
        axes.view_init(elev=52, azim=-72)
        figure.text(0.02, 0.96, f"{Path(source).name}: luminance as height", fontsize=11)

    draw(target, 960, 720, fill, overwrite=overwrite, protect=[source])


def plain_box(axes: Any) -> None:
    """Leave of the box round a three-dimensional plot only thin lines."""
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor("#d6d6d2")
        axis._axinfo["grid"]["color"] = "#e8e8e4"
        axis._axinfo["grid"]["linewidth"] = 0.6
