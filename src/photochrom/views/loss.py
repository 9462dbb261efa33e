"""The loss of a fit, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from photochrom.core.errors import ControlError
from photochrom.views.plot import BLUE, FAINT, RED, draw


def view_loss(history: Sequence[float], target: str | Path, *, title: str = "Loss", overwrite: bool = False,
              protect: Iterable[str | Path] = ()) -> None:
    """Draw the loss of a fit on a logarithmic axis, and the best so far where the two differ.

    Args:
        history: the loss at the start and after every step.
        target: the PNG or SVG to write.
        title: what was fitted.
        overwrite: replace a file that is there.
        protect: files that must not be replaced even then.
    """
    if not history:
        raise ControlError("view loss: there is no step to draw")
    draw(target, 760, 460, lambda figure: _fill(figure, history, title), overwrite=overwrite, protect=protect)


def _fill(figure: Any, history: Sequence[float], title: str) -> None:
    import itertools

    axes = figure.add_axes((0.11, 0.13, 0.86, 0.77))
    floor = min((value for value in history if value > 0), default=1e-12)
    shown = [max(value, floor / 10) for value in history]   # a loss of nought has no logarithm
    best = list(itertools.accumulate(shown, min))
    marks = "o" if len(shown) <= 80 else None
    if best != shown:
        axes.plot(range(len(shown)), shown, color=FAINT, linewidth=1, label="each step")
        axes.plot(range(len(best)), best, color=BLUE, linewidth=2, label="best so far")
        axes.legend(loc="upper right")
    else:
        axes.plot(range(len(best)), best, color=BLUE, linewidth=2, marker=marks, markersize=3.5)
    place = best.index(best[-1])
    axes.plot([place], [best[-1]], color=RED, marker="o", markersize=6, linestyle="none", zorder=4)
    axes.annotate(f"{history[shown.index(best[-1])]:.3g}", (place, best[-1]), textcoords="offset points", xytext=(0, 9),
                  ha="right" if place > len(best) / 2 else "left", fontsize=9)
    axes.set_yscale("log")
    axes.set_ylim(min(best) / 2, max(shown) * 2)
    axes.set_xlim(-0.5, max(len(shown) - 0.5, 1))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_title(title)
