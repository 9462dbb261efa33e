"""Transfer curves of tone operations: one for each of several values of a control, or the basic transforms together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from photochrom.core.controls import parse
from photochrom.core.errors import ControlError, nearest
from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.views.plot import FAINT, draw

POINTS = 1025
BASIC: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("negative", "negative", {}), ("log", "log", {}), ("nth root", "power", {"gamma": 1 / 3}),
    ("identity", "identity", {}), ("nth power", "power", {"gamma": 3.0}), ("inverse log", "inverse_log", {}))
"""The plate of basic transforms: Gonzalez and Woods, figure 3.3. n is 3 here."""
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#1e1e1e", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (3, 1.2)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (9, 2)))


def transfer_curve(operation: Operation, controls: Mapping[str, Any]) -> np.ndarray:
    """Return what an operation makes of `POINTS` values spread evenly over 0..1.

    Raises:
        ControlError: it does not treat every value by itself, or needs further pictures.
    """
    if operation.reach != "pixel" or any(not operation.ports[name].optional for name in operation.others):
        raise ControlError(f"view curves: {operation.name} is not a curve: it looks at more than the value of a pixel")
    ramp = torch.linspace(0, 1, POINTS).reshape(1, 1, 1, POINTS)
    image = ramp.expand(-1, operation.channels or 1, -1, -1)
    return np.asarray(operation.function(image, **operation.check(controls))[0, 0, 0].numpy())


def family(name: str, texts: Mapping[str, str]) -> tuple[str, list[tuple[str, np.ndarray]]]:
    """Return what is plotted of one operation.

    Args:
        name: the operation.
        texts: controls as typed; at most one of them is a list of values separated by commas.

    Returns:
        A title, and for each value a label and its curve.
    """
    name = name.replace("-", "_")
    if name not in registry.names():
        raise ControlError(f"view curves: there is no operation '{name}'{nearest(name, registry.names())}")
    operation = registry.get(name)
    fixed: dict[str, Any] = {}
    several: tuple[str, list[str]] | None = None
    for control, text in texts.items():
        if control not in operation.controls:
            raise ControlError(f"{name} has no control '{control}'{nearest(control, list(operation.controls))}")
        kind = operation.controls[control].kind
        if kind in ("float", "int", "choice", "bool") and "," in text:
            if several is not None:
                raise ControlError(f"view curves: one control may have several values, got {several[0]} and {control}")
            several = control, [part.strip() for part in text.split(",") if part.strip()]
            if not several[1]:
                raise ControlError(f"view curves: {control} has no value")
        else:
            fixed[control] = parse(kind, text)
    title = " ".join([name, *(f"{control} {texts[control]}" for control in fixed)])
    if several is None:
        return title, [("", transfer_curve(operation, fixed))]
    control, words = several
    kind = operation.controls[control].kind
    return f"{title}, {control} from {words[0]} to {words[-1]}", [
        (f"{control} = {word}", transfer_curve(operation, {**fixed, control: parse(kind, word)})) for word in words]


def view_curves(name: str, target: str | Path, texts: Mapping[str, str], *, overwrite: bool = False) -> None:
    """Draw transfer curves.

    Args:
        name: an operation, or `basic` for the plate of basic transforms.
        target: the PNG or SVG to write.
        texts: controls as typed on the command line; one of them may have several values.
        overwrite: replace a file that is there.
    """
    if name == "basic":
        title = "Basic transforms (n = 3)"
        curves = [(label, transfer_curve(registry.get(known), values)) for label, known, values in BASIC]
    else:
        title, curves = family(name, texts)
    draw(target, 760, 680, lambda figure: _plate(figure, title, curves, name == "basic"), overwrite=overwrite)


def _plate(figure: Any, title: str, curves: Sequence[tuple[str, np.ndarray]], basic: bool) -> None:
    from matplotlib import colormaps

    axes = figure.add_axes((0.1, 0.09, 0.86, 0.85))
    x = np.linspace(0, 1, POINTS)
    count = len(curves)
    every = np.concatenate([values for _, values in curves])
    low, high = min(0.0, float(every.min())), max(1.0, float(every.max()))
    low, high = max(low, -1.0), min(high, 2.0)   # beyond that the curves of interest would be pressed flat
    axes.set_xlim(0, 1)
    axes.set_ylim(low, high)
    if (low, high) != (0.0, 1.0):
        axes.axhspan(0, 1, color="#f3f3ef", zorder=0)
    axes.plot([0, 1], [0, 1], color="#c4c4bf", linewidth=0.8, zorder=1)
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.set_aspect("equal" if (low, high) == (0.0, 1.0) else "auto")
    axes.set_xlabel("input")
    axes.set_ylabel("output")
    axes.set_title(title)
    shades = colormaps["viridis"](np.linspace(0, 0.88, max(count, 2)))
    for k, (label, values) in enumerate(curves):
        colour = _OKABE_ITO[k % 7] if basic or count <= 2 else shades[k]
        dashes = _DASHES[k % len(_DASHES)] if basic else "-"
        axes.plot(x, values, color=colour, linestyle=dashes, linewidth=2, label=label or None, clip_on=True, zorder=3)
    if any(label for label, _ in curves):
        _label(axes, curves, x, basic, shades)


def _label(axes: Any, curves: Sequence[tuple[str, np.ndarray]], x: np.ndarray, basic: bool, shades: Any) -> None:
    """Write each curve's label on it where it meets the falling diagonal, or a legend where some would collide."""
    places: list[float] = []
    for _, values in curves:
        over = np.flatnonzero(np.diff(np.sign(values - (1 - x))) != 0)
        places.append(float(x[over[0]]) if len(over) else -1.0)
    met = sorted(places)
    room = met[0] >= 0 and all(b - a > 0.028 for a, b in itertools.pairwise(met))
    if not room:
        if basic:
            _beside(axes, curves, x)
        else:
            axes.legend(loc="best", facecolor="white", frameon=True, framealpha=0.9, edgecolor=FAINT)
        return
    for k, ((label, _), place) in enumerate(zip(curves, places, strict=True)):
        short = label.split("= ")[-1] if k not in (0, len(curves) - 1) else label
        axes.text(place, 1 - place, short, fontsize=9, ha="center", va="center", zorder=5, color="black",
                  bbox={"facecolor": "white", "edgecolor": shades[k], "linewidth": 0.8, "boxstyle": "round,pad=0.2"})


def _beside(axes: Any, curves: Sequence[tuple[str, np.ndarray]], x: np.ndarray) -> None:
    """Write the names of the basic transforms beside their curves, each where it is far from the others."""
    stack = np.stack([values for _, values in curves])
    inner = (x > 0.08) & (x < 0.9)
    for k, (label, values) in enumerate(curves):
        apart = np.abs(np.delete(stack, k, 0) - values).min(0)
        place = int(np.argmax(np.where(inner, apart, -1)))
        axes.annotate(label, (x[place], values[place]), fontsize=10, ha="center", va="center", zorder=5,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.92})
