"""Which network an operation runs: the best that is shipped, or the one that is asked for."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path

from photochrom.core.errors import ControlError
from photochrom.nets.descriptor import Descriptor, Task
from photochrom.nets.network import Network
from photochrom.nets.weights import find, load, shipped

BEST = "best"


def network_for(task: Task, model: str = BEST, *, scale: int = 1, sigma: float | None = None) -> Network:
    """Return the network of that name, or the best shipped one for the task.

    Args:
        task: what the network must have been trained for.
        model: "best", or what `photochrom.nets.weights.load` takes.
        scale: how much larger the result shall be.
        sigma: of the noise in levels of 255, None if not known.

    Raises:
        ControlError: the weights are of another task or scale, or none is shipped for it.
        FileError: there are no such weights, or they cannot be used.
    """
    if model == BEST:
        return loaded(best(_shipped(), task, scale, sigma).name)
    network = loaded(model)
    known = network.descriptor
    if known.task != task:
        raise ControlError(f"{task}: expected weights trained to {task}, got '{known.name}', which is trained to "
                           f"{known.task}")
    if scale not in known.scales:
        raise ControlError(f"{task}: '{known.name}' enlarges {' or '.join(map(str, known.scales))} times, got scale "
                           f"{scale}")
    return network


def best(offered: Sequence[Descriptor], task: Task, scale: int = 1, sigma: float | None = None) -> Descriptor:
    """Return the best of some weights for a task by their own figures.

    For super-resolution that is the highest score of the scale. For noise of a known strength it is what was trained
    for that strength alone, then what was trained for a range that holds it, the narrowest first, then what is
    nearest; for noise of unknown strength the widest range.

    Raises:
        ControlError: none is for this task.
    """
    fitting = [known for known in offered if known.task == task and scale in known.scales]
    if not fitting:
        wanted = f"{task} by {scale}" if task == "upscale" else task
        raise ControlError(f"{task}: no weights for {wanted} are shipped; name a file of weights as model")
    if task == "denoise":
        if sigma is None:
            return max(fitting, key=lambda known: known.sigma[1] - known.sigma[0])
        return min(fitting, key=lambda known: _misfit(known.sigma, sigma))
    return max(fitting, key=lambda known: max((value for name, value in known.figures.items()
                                               if "PSNR" in name and (task != "upscale" or f"x{scale}" in name)),
                                              default=-math.inf))


def _misfit(trained: tuple[float, float], sigma: float) -> tuple[float, float]:
    """Return how badly a range of noise suits: first how far outside it lies, then how wide it is."""
    low, high = trained
    outside = max(0.0, low - sigma, sigma - high)
    return outside, high - low


def offered(task: Task) -> list[Descriptor]:
    """Return the descriptions of the weights in this package that are for a task."""
    return [known for known in _shipped() if known.task == task]


@functools.lru_cache(maxsize=1)
def _shipped() -> tuple[Descriptor, ...]:
    return tuple(shipped())


def loaded(name: str) -> Network:
    """Return a network, read once for as long as its file stays the same."""
    path = find(name).resolve()
    facts = path.stat()
    return _read(path, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> Network:
    return load(path)
