"""Fitting filters: from a picture and its filtered copy to the kernel, or to several with a point non-linearity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.learn.descent import descend
from photochrom.learn.losses import clips
from photochrom.learn.pairs import Pair, pairs_of
from photochrom.learn.squares import Search

Point = Literal["none", "abs", "relu", "square", "magnitude"]
_POINTS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda v: v, "abs": torch.abs, "relu": torch.relu, "square": torch.square, "magnitude": torch.square}
_BUDGET = 1 << 24
"""Numbers that the windows looked at may hold together: 128 MB in double precision."""
_LARGEST = 63
_GOOD = 2e-6
"""Mean squared difference at which no further start is tried: a little above what rounding to 8 bits leaves, 1.3e-6."""


@dataclass(frozen=True)
class FittedKernel:
    """What a fit of filters found."""

    kernels: Tensor
    """(K, size, size), float64: as `correlate` takes them, not turned round; the strongest first. What the point
    non-linearity hides is chosen: the first large tap is positive for `abs`, `square` and `magnitude`, and of the last
    two, which look the same however the kernels are turned among themselves, a pair is so turned that one is level."""
    offset: float
    """What is added to every value."""
    point: str
    rms: float
    """Root mean square difference in 8-bit levels, over the windows looked at."""
    psnr: float
    """The same in decibels."""
    history: tuple[float, ...]
    """The loss after every step."""
    samples: int
    """How many windows were looked at."""


def fit_kernel(before: Any, after: Any, *, size: int = 3, kernels: int = 1, point: Point = "none",
               offset: bool = False, steps: int = 300, seed: int = 0,
               progress: Callable[[int, float], None] = lambda step, value: None) -> FittedKernel:
    """Find the kernel, or the mixture of kernels, with which a picture was filtered.

    after = offset + sum over k of g(h_k * before), every channel alike, g the point non-linearity; for `magnitude` it
    is the root of the sum of the squares. The search is gradient descent (Adam, then L-BFGS) in coordinates in which
    the windows of the picture are white: neighbours in a photograph are so alike that in plain ones it would creep.
    Windows that leave the picture do not count, so that the border of the filter does not matter. Where a copy that
    lies within 0..1 is black or white, a value beyond counts as right: it has been clipped.

    Args:
        before: a picture (file, tensor, array, PIL, `Photo`) or a list of them.
        after: its filtered copy, or as many.
        size: rows and columns of the kernel, odd.
        kernels: how many.
        point: what is done to each filter's result: none, abs, relu, square, or magnitude.
        offset: whether a constant is found too, as in an embossed picture about grey.
        steps: at most so many of each start.
        seed: of the starts and the choice of windows.
        progress: called with the number of the step and the loss.

    Returns:
        The kernels and how well they do.

    Raises:
        ControlError: pictures that do not match or are smaller than the kernel, or a bad argument.

    Example:
        >>> import numpy as np, photochrom
        >>> picture = np.random.default_rng(0).random((32, 32))
        >>> right_minus_left = np.zeros((32, 32))
        >>> right_minus_left[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
        >>> photochrom.fit_kernel(picture, right_minus_left).kernels[0, 1].round(decimals=4).tolist()
        [-1.0, 0.0, 1.0]
    """
    _check(size, kernels, point, steps)
    pairs = pairs_of(before, after, "fit_kernel")
    for pair in pairs:
        if pair.before.shape[1] != pair.after.shape[1]:
            raise ControlError("fit_kernel: before and after must have as many channels, got "
                               f"{pair.before.shape[1]} and {pair.after.shape[1]}")
        if min(pair.before.shape[-2:]) < size:
            raise ControlError(f"fit_kernel: a picture of {pair.before.shape[-1]} x {pair.before.shape[-2]} pixels "
                               f"holds no window of {size} x {size}")
    X, y, weight = windows(pairs, size, seed)
    if not bool((weight > 0).any()):
        raise ControlError("fit_kernel: there is nothing to compare, since no window is opaque and finite throughout")
    model = _Model(X, y, weight, kernels, point, offset, all(clips(pair.after) for pair in pairs))
    found = model.search(steps, seed, progress)
    taps, constant = model.parts(found.units)
    with torch.no_grad():
        r = model.differences(found.units)
        rms = math.sqrt(float((weight * r * r).sum() / weight.sum()))
    return FittedKernel(_in_order(taps, point).reshape(-1, size, size), float(constant), point, 255 * rms,
                        math.inf if rms == 0 else -20 * math.log10(rms), tuple(found.history), len(X))


def windows(pairs: list[Pair], size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return windows (N, size^2), the value after at their centres (N,) and how much each counts, evenly drawn.

    Correlation with a kernel is then the product of the windows with its taps, and no border is ever met.
    """
    channels = [(pair, channel) for pair in pairs for channel in range(pair.before.shape[1])]
    each = max(1, _BUDGET // (size * size * len(channels)))
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for number, (pair, channel) in enumerate(channels):
        picture = pair.before[0, channel].double()
        patches = picture.unfold(0, size, 1).unfold(1, size, 1)
        down, across = patches.shape[:2]
        total = down * across
        place = torch.arange(total)
        if total > each:
            chance = torch.Generator().manual_seed(seed + number)
            place = ((torch.arange(each) + torch.rand(each, generator=chance)) * (total / each)).long()
            place = place.clamp(max=total - 1)
        row, column = place // across, place % across
        margin = size // 2
        X = patches[row, column].reshape(len(place), size * size)
        y = pair.after[0, channel, row + margin, column + margin].double()
        opaque = pair.weight[0, 0].unfold(0, size, 1).unfold(1, size, 1)[row, column].reshape(len(place), -1)
        weight = opaque.double().amin(1) * X.isfinite().all(1) * y.isfinite()
        seen = weight > 0
        found.append((torch.where(seen[:, None], X, 0.0), torch.where(seen, y, 0.0), weight))
    return torch.cat([X for X, _, _ in found]), torch.cat([y for _, y, _ in found]), torch.cat([w for _, _, w in found])


class _Model:
    """Filters in white coordinates: h = M u, with M M^T the inverse of the windows' second moments.

    The offset of a linear filter is one more tap, on a window that holds one more value, 1: it would be hard to tell
    from the mean of the picture otherwise.
    """

    def __init__(self, X: Tensor, y: Tensor, weight: Tensor, kernels: int, point: str, offset: bool,
                 clipped: bool) -> None:
        self.taps, self.extra = X.shape[1], offset and point == "none"
        if self.extra:
            X = torch.cat([X, torch.ones_like(X[:, :1])], 1)
        self.y, self.weight = y, weight
        self.kernels, self.point, self.offset, self.clipped = kernels, point, offset, clipped
        moments = X.T @ (X * weight[:, None]) / weight.sum()
        power, axes = torch.linalg.eigh(moments)
        # Directions that the picture hardly has are not amplified without end: no kernel along them could be found.
        floor = 1e-12 * float(power.max()) + 1e-300
        self.whiten = axes * power.clamp(min=floor).rsqrt()
        self.strong = power > floor
        self.white = X @ self.whiten
        self.total = float(weight.sum())

    def parts(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return the taps (K, size^2) and the offset."""
        count = self.white.shape[1]
        u = units[:self.kernels * count].reshape(self.kernels, count) * self.strong
        taps = u @ self.whiten.T
        constant = taps[0, -1] if self.extra else units[-1] if self.offset else units.new_zeros(())
        return taps[:, :self.taps], constant

    def differences(self, units: Tensor) -> Tensor:
        """Return what the filters make minus what they should, 0 where both are clipped alike."""
        count = self.white.shape[1]
        u = units[:self.kernels * count].reshape(self.kernels, count) * self.strong
        made = _POINTS[self.point](self.white @ u.T).sum(1)
        if self.point == "magnitude":
            made = (made + 1e-12).sqrt()
        if self.offset and not self.extra:
            made = made + units[-1]
        if not self.clipped:
            return made - self.y
        beyond = ((self.y >= 1) & (made > 1)) | ((self.y <= 0) & (made < 0))
        return torch.where(beyond, 0.0, made - self.y)

    def loss(self, units: Tensor) -> Tensor:
        """Return half the mean squared difference."""
        return (self.weight * self.differences(units) ** 2).sum() / (2 * self.total)

    def search(self, steps: int, seed: int, progress: Callable[[int, float], None]) -> Search:
        """Descend from one start, or from several where the non-linearity makes valleys that end too high."""
        best: Search | None = None
        for start in self.starts(seed):
            with torch.enable_grad():
                found = descend(self.loss, start, None, None, steps, progress, rate=0.03,
                                share=0.0 if self.point == "none" else 0.4)
            if best is None or found.loss < best.loss:
                best = found
            if self.point == "none" or best.loss < _GOOD / 2:
                break
        assert best is not None
        return best

    def starts(self, seed: int) -> Iterator[Tensor]:
        """Yield starts: nothing for one linear filter; else random ones as strong as the result."""
        count = self.kernels * self.white.shape[1]
        if self.point == "none":
            yield torch.zeros(count, dtype=torch.float64)
            return
        chance = torch.Generator().manual_seed(seed)
        strength = math.sqrt(float((self.weight * self.y ** 2).sum()) / self.total / count) + 1e-3
        for _ in range(6):
            start = torch.randn(count, generator=chance, dtype=torch.float64) * strength
            yield torch.cat([start, start.new_zeros(int(self.offset))])


def _in_order(taps: Tensor, point: str) -> Tensor:
    """Give hidden signs and orders one form: the strongest kernel first, its first large tap positive."""
    if point in ("square", "magnitude"):   # only the sum of h h^T shows; its axes are one way to part it
        _, power, axes = torch.linalg.svd(taps, full_matrices=False)
        taps = _upright(power[:, None] * axes)
    taps = taps[taps.norm(dim=1).mul(1e4).round().argsort(descending=True, stable=True)]
    if point in ("abs", "square", "magnitude"):
        large = taps.abs() > 0.5 * taps.abs().amax(1, keepdim=True)
        first = taps.gather(1, large.double().argmax(1, keepdim=True))
        taps = taps * torch.where(first < 0, -1.0, 1.0)
    return taps


def _upright(taps: Tensor) -> Tensor:
    """Turn a pair of kernels among themselves so that one takes no difference between up and down."""
    side = math.isqrt(taps.shape[1])
    moments = taps.reshape(-1, side, side).sum(2) @ (torch.arange(side, dtype=taps.dtype) - side // 2)
    size = float(moments.norm())
    if len(taps) != 2 or size < 1e-3 * float(taps.norm()):
        return taps
    c, s = moments / size
    return torch.stack([-s * taps[0] + c * taps[1], c * taps[0] + s * taps[1]])


def _check(size: int, kernels: int, point: str, steps: int) -> None:
    limits = (("size", size, 1, _LARGEST), ("kernels", kernels, 1, 16), ("steps", steps, 1, 100_000))
    for name, given, low, high in limits:
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            raise ControlError(f"fit_kernel: {name} must be a whole number between {low} and {high}, got {given!r}")
    if size % 2 == 0:
        raise ControlError(f"fit_kernel: size must be odd, so that the kernel has a centre, got {size}")
    if point not in _POINTS:
        raise ControlError(f"fit_kernel: point must be one of {', '.join(_POINTS)}, got {point!r}")
    if point == "none" and kernels > 1:
        raise ControlError("fit_kernel: several kernels without a point non-linearity are one kernel, their sum; "
                           f"use kernels 1, got {kernels}")


def write_text(kernel: Tensor) -> str:
    """Return a kernel as rows of numbers, as a kernel file holds it; to a ten-millionth of its largest tap.

    Example:
        >>> write_text(torch.tensor([[1.0, 1e-9], [-0.5, 2.0]]))
        '1 0\\n-0.5 2\\n'
    """
    largest = float(kernel.abs().max())
    decimals = 7 - math.floor(math.log10(largest)) if largest > 0 else 0
    return "".join(" ".join(f"{round(value, decimals) + 0.0:.9g}" for value in row) + "\n" for row in kernel.tolist())
