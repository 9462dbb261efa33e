"""The histogram of a picture: bands and luminance; of two pictures, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from photochrom.ops.histogram.histogram import histogram
from photochrom.views.plot import BLUE, FAINT, GREEN, INK, RED, draw, picture

BANDS = (("red", RED, "-"), ("green", GREEN, (0, (5, 1.5))), ("blue", BLUE, (0, (2, 1.2))))
"""Each band has its own dashes as well, for those who see no colours and for copies in grey."""


def shares(image: Tensor, bins: int) -> dict[str, np.ndarray]:
    """Return what is plotted: by name, the share of all pixels in each bin, in percent.

    Args:
        image: (1, C, H, W).
        bins: how many, over 0..1.

    Returns:
        `luminance` and, of a colour picture, `red`, `green`, `blue`, each (bins,); `below` and `above`, (C + 1,), what
        lies outside, luminance last.
    """
    found: Any = histogram(image, bins=bins)
    part = 100.0 / (image.shape[-2] * image.shape[-1])
    known = {"luminance": found.luminance[0].numpy() * part}
    if image.shape[1] == 3:
        known |= {name: found.bands[0, k].numpy() * part for k, (name, _, _) in enumerate(BANDS)}
    return known | {"below": found.below[0].numpy() * part, "above": found.above[0].numpy() * part}


def view_histogram(inputs: Sequence[str | Path], target: str | Path, *, bins: int = 256,
                   overwrite: bool = False) -> None:
    """Draw the histogram of a picture, or of two one above the other.

    Args:
        inputs: one picture file, or two: before and after.
        target: the PNG or SVG to write.
        bins: how many.
        overwrite: replace a file that is there.
    """
    known = [shares(picture(path), bins) for path in inputs]
    names = [Path(path).name for path in inputs]
    if len(inputs) == 2:
        names = [f"before: {names[0]}", f"after: {names[1]}"]

    def fill(figure: Any) -> None:
        part = 1 / len(known)
        for k, (data, name) in enumerate(zip(known, names, strict=True)):
            bottom = 1 - (k + 1) * part
            axes = figure.add_axes((0.085, bottom + 0.19 * part, 0.885, 0.71 * part))
            _panel(axes, data, name, bins, k == 0)
            scale = figure.add_axes((0.085, bottom + 0.135 * part, 0.885, 0.035 * part))
            scale.imshow(np.linspace(0, 1, 512)[None], aspect="auto", cmap="gray", extent=(0, 1, 0, 1))
            scale.set_yticks([])
            scale.set_xlim(0, 1)
            scale.set_xticks(np.linspace(0, 1, 5), ["0", "0.25", "0.5", "0.75", "1"])
            for spine in scale.spines.values():
                spine.set_visible(False)
            if k == len(known) - 1:
                scale.set_xlabel("value (0 black, 1 white)")
        if len(known) == 2:   # one scale for both, so that they can be compared
            both = figure.axes[0].get_ylim()[1], figure.axes[2].get_ylim()[1]
            if max(both) < 4 * min(both):
                for axes in (figure.axes[0], figure.axes[2]):
                    axes.set_ylim(0, max(both))

    draw(target, 960, 520 if len(inputs) == 1 else 980, fill, overwrite=overwrite, protect=inputs)


def _panel(axes: Any, data: dict[str, np.ndarray], name: str, bins: int, legend: bool) -> None:
    edges = np.linspace(0, 1, bins + 1)
    axes.stairs(data["luminance"], edges, fill=True, color="#c9c9c4", label="luminance")
    axes.stairs(data["luminance"], edges, color=FAINT, linewidth=0.8)
    lines = [entry for entry in BANDS if entry[0] in data]
    for band, colour, dashes in lines:
        axes.stairs(data[band], edges, color=colour, linestyle=dashes, linewidth=1.4, label=band, baseline=None)
    drawn = [data["luminance"], *(data[band] for band, _, _ in lines)]
    top = visible_top(drawn)
    axes.set_ylim(0, top)
    axes.set_xlim(0, 1)
    axes.set_xticks(np.linspace(0, 1, 5), [])
    axes.yaxis.grid(True)
    axes.set_axisbelow(True)
    axes.set_ylabel("share of pixels (%)" if bins > 1 else "%")
    axes.set_title(name)
    cut = [float(values.max()) for values in drawn if values.max() > top]
    notes = [f"highest bin {max(cut):.3g} %, cut off here"] if cut else []
    outside = float(data["below"].max()), float(data["above"].max())
    notes += [f"{share:.3g} % {word}" for share, word in zip(outside, ("below 0", "above 1"), strict=True) if share > 0]
    if notes:
        axes.text(0.995, 0.985, "\n".join(notes), transform=axes.transAxes, ha="right", va="top", fontsize=8.5,
                  color=INK, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2})
    if legend and lines:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, borderaxespad=0.2, handlelength=2.4)


def visible_top(drawn: Sequence[np.ndarray]) -> float:
    """Return the height of the plot: the highest bin's, unless a few spikes would press all else to the ground."""
    values = np.sort(np.concatenate(drawn))
    highest = float(values[-1])
    usual = float(values[int(0.985 * (len(values) - 1))])
    return 1.06 * (highest if usual == 0 or highest < 3 * usual else 1.5 * usual) or 1.0
