"""The run itself: from a feed, through the steps, tile by tile."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.op import Statistics
from photochrom.core.step import Step
from photochrom.engine.drift import Drift
from photochrom.engine.feeds import Feed, Part, TensorFeed
from photochrom.engine.plan import check_frame, check_masks, factor, factors, halo, needs, plan
from photochrom.engine.tables import float_table, integer_table, leading
from photochrom.num.parallel import parallel_rows
from photochrom.num.samples import look_up, look_up_planes
from photochrom.num.strips import in_strips, strip_rows

Progress = Callable[[int], None]
"""Called with the number of pixels finished since the last call."""


class Run:
    """One picture going through some steps.

    Args:
        steps: the steps in order.
        feed: where rows come from.
        memory: bytes that tiles may take.
        device: where the steps run.
        progress: told of finished pixels; several passes over the picture share its pixels.
        expand: spread a grey picture over three channels even if no step here needs them.
    """

    def __init__(self, steps: Sequence[Step], feed: Feed, memory: int, device: str = "cpu",
                 progress: Progress = lambda pixels: None, expand: bool = False) -> None:
        self.memory, self.device, self.progress = memory, device, progress
        self.steps, self.feed = list(steps), feed
        self.expand = feed.channels == 1 and (expand or any(step.colours() == 3 for step in steps))
        self.channels = 3 if self.expand else feed.channels
        """Colour channels that go in."""
        self.gives = functools.reduce(lambda count, step: step.channels_out(count), self.steps, self.channels)
        """Colour channels that come out."""
        check_masks(self.steps, feed.height, feed.width)
        self.drifts: list[Drift] = []
        """How far the mean colour moved in steps that mean to keep it; whole once the last tile is made."""
        self._frames()
        self._seen = {index: Drift(step.operation.name, factor(step)) for index, step in enumerate(self.steps)
                      if step.operation.steady}
        self.drifts += self._seen.values()
        self.grown = factors(self.steps)
        """Rows that come out for one that goes in, after the last step that needs the frame."""
        self.fused = leading(self.steps) if self.feed.levels and device == "cpu" else 0
        self.statistics: dict[int, dict[str, Statistics]] = {}
        whole = (self.channels + feed.has_alpha) * self.feed.load
        self.plan = plan(self.steps, self.feed.height, self.feed.width, whole, memory)
        # Without any step to fuse the table is the plain scale to 0..1.
        self.table = float_table(self.steps[:self.fused], self.feed.levels) if self.feed.levels else None

    @property
    def height(self) -> int:
        """Rows that come out."""
        return self.feed.height * self.grown

    @property
    def width(self) -> int:
        """Pixels in a row that comes out."""
        return self.feed.width * self.grown

    @property
    def direct(self) -> bool:
        """Whether one integer table is the whole run."""
        return self.table is not None and self.fused == len(self.steps) and not self.expand

    def raw_tiles(self) -> Iterator[np.ndarray]:
        """Yield tiles of stored samples of the depth that came in; only where the run is `direct`."""
        assert self.table is not None
        table = integer_table(self.table)
        for start, stop in self._intervals():
            found = look_up(self.feed.raw(start, stop), table, self.feed.has_alpha)
            self.progress((stop - start) * self.feed.width)
            yield found

    def stored(self) -> np.ndarray:
        """Return the whole of what `raw_tiles` yields, where the picture lies in memory anyway."""
        assert self.table is not None
        found = look_up(self.feed.raw(0, self.feed.height), integer_table(self.table), self.feed.has_alpha)
        self.progress(self.feed.height * self.feed.width)
        return found

    def tiles(self) -> Iterator[tuple[int, int, Tensor, Tensor | None]]:
        """Yield (first row, last row, image, alpha) from top to bottom."""
        passes = 1 + sum(step.operation.measured is not None for step in self.steps)
        self._measure(passes)
        self.feed.restart()
        for start, stop in self._intervals():
            image, alpha = self._through(len(self.steps), start, stop)
            self.progress((stop - start) * self.feed.width // passes)
            yield start * self.grown, stop * self.grown, image, alpha

    def _intervals(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.feed.height, self.plan.rows):
            yield start, min(self.feed.height, start + self.plan.rows)

    def _frames(self) -> None:
        """Run everything up to the last step that needs the frame; what it gives becomes the feed."""
        last = max((i for i, step in enumerate(self.steps) if halo(step) is None), default=-1)
        if last < 0:
            return
        feed, step = self.feed, self.steps[last]
        whole = (self.channels + feed.has_alpha) * feed.load
        check_frame(step, feed.height, feed.width, whole, self.memory)
        work = Run(self.steps[:last], feed, self.memory, self.device, expand=self.expand)
        image, alpha = work.collect()
        self.drifts += work.drifts
        with torch.no_grad():
            given = image.to(self.device)
            image, alpha = step.run(given, None if alpha is None else alpha.to(self.device))
        if step.operation.steady:
            self.drifts.append(Drift(step.operation.name, factor(step)))
            self.drifts[-1].add(given, image, 0)
        self.feed, self.steps, self.expand = TensorFeed(image, alpha), self.steps[last + 1:], False

    def collect(self) -> Part:
        """Return the whole result (B, C, H, W) and its alpha."""
        image = alpha = None
        for start, stop, part, cover in self.tiles():
            if image is None:
                if stop == self.height:
                    return part, cover
                image = part.new_empty((*part.shape[:2], self.height, part.shape[3]))
                alpha = None if cover is None else cover.new_empty((*cover.shape[:2], *image.shape[2:]))
            image[..., start:stop, :] = part
            if alpha is not None and cover is not None:
                alpha[..., start:stop, :] = cover
        assert image is not None
        return image, alpha

    @torch.no_grad()
    def measure(self) -> dict[int, dict[str, Statistics]]:
        """Return the statistics of every step that needs some, by its place and port, without making the picture."""
        with torch.no_grad():
            self._measure(max(1, sum(step.operation.measured is not None for step in self.steps)))
        return self.statistics

    def _measure(self, passes: int) -> None:
        """Measure the picture for each step that needs statistics, each in a pass over the tiles before it."""
        for index, step in enumerate(self.steps):
            if step.operation.measured is None:
                continue
            total: Any = None
            self.feed.restart()
            for start, stop in self._intervals():
                image, alpha = self._through(index, start, stop)
                for found in _measure_strips(step, image, alpha, start * factors(self.steps[:index])):
                    total = found if total is None else total.merge(found)
                self.progress((stop - start) * self.feed.width // passes)
            self.statistics[index] = {"image": total, **step.measure_references(image[..., :1, :1])}

    @torch.no_grad()
    def _through(self, count: int, start: int, stop: int) -> Part:
        """Return rows start..stop as they leave the first `count` steps."""
        intervals = needs(self.steps[:count], start, stop, self.feed.height)
        top, bottom = intervals[0]
        first = 0
        if self.table is not None and self.fused <= count:
            first = self.fused
            planes = look_up_planes(self.feed.raw(top, bottom), self.table.numpy(), self.feed.has_alpha)
            whole = torch.from_numpy(planes)[None]
            image, alpha = whole[:, :self.feed.channels], whole[:, self.feed.channels:] if self.feed.has_alpha else None
        else:
            image, alpha = self.feed.part(top, bottom)
        if self.expand:
            image = image.expand(-1, 3, -1, -1)
        image, alpha = image.to(self.device), None if alpha is None else alpha.to(self.device)
        index = first
        while index < count:
            chain = index
            while chain < count and halo(self.steps[chain]) == 0:
                chain += 1
            if chain > index:
                image, alpha = in_strips(self._pixels(index, chain), image, alpha, intervals[index][0])
                index = chain
                continue
            (top, _), (inner, end) = intervals[index], intervals[index + 1]
            larger = factor(self.steps[index])
            given = image
            image, alpha = self.steps[index].run(image, alpha, rows=slice(*intervals[index]))
            if index in self._seen and count == len(self.steps):
                first, last = -(-inner // larger) - top, end // larger - top
                made = image[..., first * larger:last * larger, :]
                self._seen[index].add(given[..., first:last, :], made, top + first)
            top *= larger
            image = image[..., inner - top:end - top, :]
            alpha = None if alpha is None else alpha[..., inner - top:end - top, :]
            index += 1
        return image, alpha

    def _pixels(self, start: int, stop: int) -> Callable[[Tensor, Tensor | None, slice], Part]:
        """Return the function that sends a strip through steps start..stop."""
        def function(image: Tensor, alpha: Tensor | None, rows: slice) -> Part:
            with torch.no_grad():   # threads start with gradients on
                for index in range(start, stop):
                    image, alpha = self.steps[index].run(image, alpha, rows=rows, statistics=self.statistics.get(index))
            return image, alpha

        return function


def _measure_strips(step: Step, image: Tensor, alpha: Tensor | None, first_row: int) -> list[Any]:
    """Return the statistics of every strip, in order, so that merging them gives the same sum on any machine."""
    grain = strip_rows(image.shape[-1]) if image.device.type == "cpu" else image.shape[-2]
    found: dict[int, Any] = {}

    def rows(start: int, stop: int) -> None:
        with torch.no_grad():
            for top in range(start, stop, grain):
                cut = slice(top, min(top + grain, stop))
                cover = None if alpha is None else alpha[..., cut, :]
                found[top] = step.measure(image[..., cut, :], cover, slice(first_row + cut.start, first_row + cut.stop))

    parallel_rows(rows, 0, image.shape[-2], grain * 4, torch_inside=True)
    return [found[top] for top in sorted(found)]
