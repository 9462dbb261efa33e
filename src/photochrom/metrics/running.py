"""Scores over many pictures, with state."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.metrics.protocol import Protocol, ProtocolError, Score, mean


class Running:
    """A mean score that pictures are added to.

    Attributes:
        protocol: how each picture is scored.
        scores: those of the pictures so far.
    """

    def __init__(self, protocol: Protocol, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Start with no pictures; `function` gives the scores (B,) of a batch."""
        self.protocol = protocol
        self.scores: list[Score] = []
        self._function = function

    @torch.no_grad()
    def update(self, image: Tensor, reference: Tensor) -> list[Score]:
        """Score the pictures of a batch, remember and return their scores.

        Raises:
            ControlError: sizes, ranges or values that do not fit.
        """
        new = [Score(float(value), self.protocol) for value in self._function(image, reference)]
        self.scores += new
        return new

    def compute(self) -> Score:
        """Return the mean.

        Raises:
            ProtocolError: no picture was added.
        """
        if not self.scores:
            raise ProtocolError(f"{self.protocol.metric}: no picture was added, there is nothing to take the mean of")
        return mean(self.scores)

    def reset(self) -> None:
        """Forget all pictures."""
        self.scores.clear()
