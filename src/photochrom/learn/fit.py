"""Fitting a recipe: from pictures and their edited copies to the edit."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.learn.descent import descend
from photochrom.learn.errors import Distance, distance
from photochrom.learn.losses import LOSSES
from photochrom.learn.pairs import pairs_of, parts_of
from photochrom.learn.problem import Problem, run_whole
from photochrom.learn.squares import Search, least_squares
from photochrom.learn.trained import Trained, trained_controls

Method = Literal["auto", "squares", "descent"]
_FEW = 64
"""So many numbers are searched by least squares; more of them by gradient descent."""
_STEPS = {"squares": 100, "descent": 400}
_PULL, _ROUGH = 1e-4, 1e-2
"""Of the first search: what it costs to be a unit from the start, and the part of the loss that is no gain to it."""
_PUSH = 0.02
"""In units."""
_UNSURE = 0.25
"""A number that may be off by so much of its soft range is not determined by the pictures."""


@dataclass(frozen=True)
class Learnt:
    """One control after a fit."""

    name: str
    """Such as `1.exposure.stops`: the number of the step, its operation, the control."""
    start: Any
    value: Any
    error: tuple[float, ...]
    """Standard error of each trained number, from how sharply the differences depend on it; maybe infinite."""
    sure: bool
    """Whether the pictures determine it: where two controls do alike, or one has no effect, many values fit as well."""


@dataclass(frozen=True)
class Fitted:
    """What a fit found."""

    recipe: Recipe
    """The recipe with the fitted numbers, plain ones, ready to run or to be written."""
    controls: tuple[Learnt, ...]
    before: Distance
    """How far the pictures were from their edited copies."""
    after: Distance
    """How far the recipe's results are from them, over whole pictures."""
    history: tuple[float, ...]
    """The loss at the start and after every step."""
    converged: bool
    """False if the steps ran out first."""
    method: str
    loss: str


def fit(recipe: Recipe | Step, before: Any, after: Any, *, controls: Iterable[str] | None = None, loss: str = "huber",
        steps: int | None = None, method: Method = "auto", samples: int = 32768, seed: int = 0,
        progress: Callable[[int, float], None] = lambda step, value: None) -> Fitted:
    """Find the controls with which a recipe turns a picture into its edited copy.

    The search starts from the values the recipe has, keeps to the hard ranges and gives the best it found. Pixels that
    are transparent or not finite do not count. An edited copy none of whose values leaves 0..1 is taken for clipped:
    where it is black or white, a result beyond that is right.

    Args:
        recipe: the steps, at the values to start from; it is not changed. A control that is a list of numbers, one a
            channel, is trained channel by channel.
        before: a picture (file, tensor, array, PIL, `Photo`) or a list of them.
        after: its edited copy, or as many.
        controls: names of those to train, such as `stops`, `exposure.stops` or `2.levels`; None for all that take a
            tensor but `strength`. Plain numbers such as a blur's `sigma` are trained if named.
        loss: `huber` (square up to about four 8-bit levels, then straight), `l2` or `l1`.
        steps: at most so many; None for 100 of least squares or 400 of gradient descent.
        method: `squares` (Levenberg-Marquardt), `descent` (Adam, then L-BFGS), or `auto`: squares up to 64 numbers.
        samples: about how many pixels are looked at.
        seed: of their choice.
        progress: called with the number of the step and the loss.

    Returns:
        The fitted recipe and what is known of it.

    Raises:
        ControlError: pictures that do not match, nothing to train, or a bad argument.

    Example:
        >>> import numpy as np, photochrom
        >>> ramp = np.linspace(0.1, 0.9, 64).reshape(8, 8)
        >>> found = photochrom.fit(photochrom.Step(photochrom.power, gamma=1.0), ramp, 0.9 * ramp ** 1.5)
        >>> [round(control.value, 3) for control in found.controls]
        [1.5, 0.9]
    """
    whole = _copied(recipe)
    if loss not in LOSSES:
        raise ControlError(f"fit: loss must be one of {', '.join(LOSSES)}, got {loss!r}")
    if method not in ("auto", "squares", "descent"):
        raise ControlError(f"fit: method must be auto, squares or descent, got {method!r}")
    for name, given in (("steps", steps), ("samples", samples)):
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
            raise ControlError(f"fit: {name} must be a whole number of at least 1, got {given!r}")
    sequence = list(whole)
    trained = trained_controls(sequence, controls)
    pairs = pairs_of(before, after)
    first = min(control.place for control in trained)
    plain = any(not control.control.tensor for control in trained)
    problem = Problem(parts_of(pairs, sequence, first, samples, seed, plain), trained, first)
    chosen = method if method != "auto" else "squares" if len(problem.owner) <= _FEW or plain else "descent"
    if chosen == "descent" and plain:
        raise ControlError("fit: plain numbers have no gradient; train them with method squares")
    found = _search(problem, chosen, loss, steps or _STEPS[chosen], progress)
    known = _errors(problem, found, loss)
    learnt, at = [], 0
    for control in trained:
        units = found.units[at:at + control.count]
        errors = known[at:at + control.count]
        value = control.plain(units)
        _state(sequence[control.place], control, value)
        learnt.append(Learnt(control.label, control.plain(control.to_units(control.start[control.free])), value,
                             tuple((errors * control.slope(units).abs()).tolist()), bool((errors < _UNSURE).all())))
        at += control.count
    results = [run_whole(sequence, pair.before, pair.alpha) for pair in pairs]
    return Fitted(whole, tuple(learnt), distance([pair.before for pair in pairs], pairs), distance(results, pairs),
                  tuple(found.history), found.converged, chosen, loss)


def _search(problem: Problem, method: str, loss: str, steps: int, progress: Callable[[int, float], None]) -> Search:
    kind, total = LOSSES[loss], float(problem.weight.sum())
    if method == "squares":
        with torch.no_grad():
            # First near the start, so that numbers which hardly matter do not run down a long valley with the others.
            near = least_squares(problem.differences, problem.slopes, problem.start, problem.low, problem.high,
                                 problem.weight, kind, steps, problem.start, _PULL, _ROUGH, progress)
            taken = len(near.history) - 1
            if taken >= steps or near.loss == 0:
                return near
            return near.then(least_squares(
                problem.differences, problem.slopes, near.units, problem.low, problem.high, problem.weight, kind,
                steps - taken, problem.start, progress=lambda step, value: progress(taken + step, value)))

    def value(units: Tensor) -> Tensor:
        return (problem.weight * kind.value(problem.differences(units))).sum() / total

    with torch.enable_grad():
        start = problem.start.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(value(start), start)
        # An S-curve that starts as a straight line has no slope: it is given a push, or it would never move.
        start = torch.where(slope == 0, start.detach() + _PUSH, start.detach())
        start = torch.where(start > problem.high, problem.start - _PUSH, start)
        return descend(value, start, problem.low, problem.high, steps, progress)


def _errors(problem: Problem, found: Search, loss: str) -> Tensor:
    """Return the standard error of every number in units: the root of the diagonal of s^2 (J^T W J)^-1."""
    with torch.no_grad():
        r = problem.differences(found.units)
        W = problem.weight * LOSSES[loss].weight(r)
        if found.curvature is None:
            J = problem.slopes(found.units, r)
            found.curvature = J.T @ (J * W[:, None])
    spread = float((W * r * r).sum()) / max(float(W.sum()) - len(problem.owner), 1.0)
    # Without any differences rounding still leaves a doubt; along a direction that changes nothing it has no end.
    spread = max(spread, 1e-12)
    power, axes = torch.linalg.eigh(found.curvature)
    flat = power < 1e-10 * float(power.max().clamp(min=1e-300))
    variance = (axes ** 2 * torch.where(flat, 0.0, spread / torch.where(flat, 1.0, power))).sum(1)
    lost = (axes ** 2)[:, flat].sum(1) > 1e-3
    return torch.where(lost, math.inf, variance.sqrt())


def _state(step: Step, control: Trained, value: Any) -> None:
    """Set a fitted value as a recipe file would: a number a channel stays a tensor."""
    channels = control.control.kind == "float" and isinstance(value, tuple)
    step.set(control.control.name, torch.tensor(value, dtype=torch.float64) if channels else value)


def _copied(recipe: Recipe | Step) -> Recipe:
    steps = [recipe] if isinstance(recipe, Step) else list(recipe)
    whole = Recipe([copy.deepcopy(step) for step in steps])
    if isinstance(recipe, Recipe):
        whole.name, whole.about, whole.folder = recipe.name, recipe.about, recipe.folder
    return whole
