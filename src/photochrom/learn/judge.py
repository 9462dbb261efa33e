"""How good a network is while it is trained: PSNR of whole pictures by the protocol of the papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.learn.config import Config
from photochrom.learn.degradation import Degradation
from photochrom.learn.patches import cropped
from photochrom.metrics.pairs import Rounding
from photochrom.metrics.psnr import psnr


@dataclass(frozen=True)
class Judgement:
    """What one validation found."""

    psnr: dict[int, float]
    """Mean over the pictures, by scale, in dB."""
    before: dict[int, float]
    """The same of what the network is given, where it has the size of the original."""
    example: tuple[Tensor, ...]
    """Given, result and original of the first picture, (C, H, W) each."""

    @property
    def mean(self) -> float:
        """The mean over the scales."""
        return sum(self.psnr.values()) / len(self.psnr)


class Judge:
    """Pictures in memory, degraded once and always alike."""

    def __init__(self, originals: Sequence[Tensor], config: Config) -> None:
        rules = config.validate
        degradation = Degradation(config.judged or config.degrade)
        self.shave, self.rounding = rules.shave, rules.rounding
        self.pairs: dict[int, list[tuple[Tensor, Tensor]]] = {}
        for scale in config.data.scales:
            pairs = []
            for number, image in enumerate(originals):
                wanted = cropped(image, scale).contiguous()
                if min(wanted.shape[-2:]) <= 2 * rules.shave:
                    raise ControlError(f"train: a validation picture of {image.shape[-1]} x {image.shape[-2]} pixels "
                                       f"has nothing left once a border of {rules.shave} is shaved")
                chance = np.random.Generator(np.random.Philox(key=[rules.seed, number]))
                pairs.append((degradation.patches(degradation.whole(wanted, scale), scale, chance), wanted))
            self.pairs[scale] = pairs

    def judge(self, network: Callable[[Tensor, int], Tensor]) -> Judgement:
        """Run a network over all pictures, in float32.

        Args:
            network: from (1, C, h, w) and the scale to the result.

        Returns:
            PSNR.
        """
        found: dict[int, float] = {}
        before: dict[int, float] = {}
        example: tuple[Tensor, ...] = ()
        for scale, pairs in self.pairs.items():
            values, starts = [], []
            for given, wanted in pairs:
                with torch.no_grad():
                    made = network(given, scale).float().cpu()
                values.append(self.psnr(made, wanted))
                if given.shape == wanted.shape:
                    starts.append(self.psnr(given, wanted))
                example = example or tuple(picture[0].clamp(0, 1) for picture in (given, made, wanted))
            found[scale] = sum(values) / len(values)
            if starts:
                before[scale] = sum(starts) / len(starts)
        return Judgement(found, before, example)

    def psnr(self, made: Tensor, wanted: Tensor) -> float:
        """Return the PSNR of a result, clipped and rounded as a file would hold it, without its border."""
        rounding: Rounding = "8-bit" if self.rounding == "8-bit" else "none"
        return float(psnr(made.clamp(0, 1).double(), wanted.double(), border=self.shave, rounding=rounding))
