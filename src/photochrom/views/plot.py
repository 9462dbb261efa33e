"""What all plots share: colours, type, and the way into a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from photochrom.core.errors import ControlError, FileError
from photochrom.io import read
from photochrom.io.guard import check_output, whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, FAINT, PAPER = "#1e1e1e", "#8a8a86", "#ffffff"
RED, GREEN, BLUE = "#D55E00", "#009E73", "#0072B2"
"""Vermillion, bluish green and blue of Okabe and Ito (2008), told apart by all kinds of colour vision."""
DPI = 100
FORMATS = (".png", ".svg")

_STYLE: Any = {
    "font.size": 10, "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlepad": 8, "axes.edgecolor": FAINT,
    "axes.labelcolor": INK, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 9, "ytick.labelsize": 9, "text.color": INK,
    "axes.grid": False, "grid.color": "#e4e4e0", "grid.linewidth": 0.7, "legend.frameon": False, "legend.fontsize": 9,
    "figure.facecolor": PAPER, "savefig.facecolor": PAPER, "svg.hashsalt": "photochrom", "svg.fonttype": "path",
}


def draw(target: str | Path, width: int, height: int, fill: Callable[[Figure], Any], *, overwrite: bool = False,
         protect: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Make a figure and write it as PNG or SVG, by the ending of the name.

    Args:
        target: the file; it appears whole or not at all.
        width: in pixels (of a PNG; an SVG has the same proportions).
        height: in pixels.
        fill: draws into the figure.
        overwrite: replace a file that is there.
        protect: files that must not be replaced even then.

    Raises:
        FileError: the file cannot be written, or matplotlib is not installed.
    """
    path = check_target(target, overwrite, protect)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise FileError("views need matplotlib, which is not installed; pip install 'photochrom[views]'") from None
    with rc_context(_STYLE):   # a figure of its own: no window, no global state
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        fill(figure)
        with whole_file(path, overwrite) as temporary:
            kind = path.suffix.lower()[1:]
            figure.savefig(temporary, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)


def check_target(target: str | Path, overwrite: bool, protect: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Return the path of a view if it may be written there."""
    path = Path(target)
    if path.suffix.lower() not in FORMATS:
        raise FileError(f"{path} must end in .png or .svg: those are the formats of views")
    check_output(path, overwrite, protect)
    return path


def picture(path: str | Path) -> Tensor:
    """Return a picture file as (1, C, H, W), one or three channels, sRGB-encoded."""
    return read(path).image


def as_shown(image: Tensor) -> np.ndarray:
    """Return (1, C, H, W) as an array (H, W, 3) clipped to 0..1, as a screen shows it."""
    shown = image if image.shape[1] == 3 else image[:, :1].expand(-1, 3, -1, -1)
    return np.asarray(shown[0].movedim(0, -1).float().nan_to_num(0.0, 1.0, 0.0).clamp(0, 1).numpy())


def smaller(image: Tensor, most: int) -> Tensor:
    """Return a picture averaged down so that its longer side is at most `most` pixels."""
    import torch

    height, width = image.shape[-2:]
    scale = most / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return torch.nn.functional.adaptive_avg_pool2d(image.nan_to_num(0.0), size)


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number of a view's options within its limits."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = low - 1
    if not low <= number <= high:
        raise ControlError(f"view: {name} must be a whole number between {low} and {high}, got {value!r}")
    return number
