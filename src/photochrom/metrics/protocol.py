"""Scores that know how they were made, and will not be mixed with scores made otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from photochrom.core.errors import PhotochromError


class ProtocolError(PhotochromError):
    """Scores of different protocols were compared or averaged."""


@dataclass(frozen=True)
class Protocol:
    """All that a score depends on besides the two pictures.

    Attributes:
        metric: psnr, ssim, ms_ssim, delta_e or lpips.
        settings: names and values in the order in which they are told.
        unit: of the score, "" where it has none.
    """

    metric: str
    settings: tuple[tuple[str, Any], ...] = ()
    unit: str = ""

    @classmethod
    def of(cls, metric: str, unit: str = "", **settings: Any) -> Protocol:
        """Return a protocol with these settings.

        Example:
            >>> str(Protocol.of("psnr", "dB", channel="y", border=3))
            'psnr: channel y, border 3'
        """
        return cls(metric, tuple(settings.items()), unit)

    def having(self, **settings: Any) -> Protocol:
        """Return the same with further settings, such as how the picture was degraded."""
        return replace(self, settings=self.settings + tuple(settings.items()))

    def as_dict(self) -> dict[str, Any]:
        """Return metric and settings for JSON."""
        return {"metric": self.metric, **dict(self.settings)}

    def __str__(self) -> str:
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.settings)
        return f"{self.metric}: {told}" if told else self.metric


@dataclass(frozen=True)
class Score:
    """A number and how it was made.

    Attributes:
        value: the score.
        protocol: how it was made.
        count: pictures it is the mean of.
    """

    value: float
    protocol: Protocol
    count: int = field(default=1, compare=False)

    def _number(self, other: Score) -> float:
        if not isinstance(other, Score):
            raise TypeError(f"a score can be compared with a score only, got {type(other).__name__}")
        _same([self, other])
        return other.value

    def __lt__(self, other: Score) -> bool:
        return self.value < self._number(other)

    def __gt__(self, other: Score) -> bool:
        return self.value > self._number(other)

    def __sub__(self, other: Score) -> float:
        return self.value - self._number(other)

    def __str__(self) -> str:
        shown = "infinite, the pictures are equal" if math.isinf(self.value) else f"{self.value:.4f}"
        return f"{shown} {self.protocol.unit}".rstrip() if not math.isinf(self.value) else shown

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: an infinite value is the text "infinite"."""
        value = self.value if math.isfinite(self.value) else "infinite"
        return {"value": value, "unit": self.protocol.unit, "pictures": self.count, "protocol": self.protocol.as_dict()}


def mean(scores: Iterable[Score]) -> Score:
    """Return the mean of scores of one protocol, each counted as often as the pictures it stands for.

    Raises:
        ProtocolError: there are none, or they were not made by the same protocol.

    Example:
        >>> how = Protocol.of("psnr", "dB", channel="rgb")
        >>> mean([Score(30.0, how), Score(32.0, how)]).value
        31.0
    """
    found = list(scores)
    if not found:
        raise ProtocolError("there are no scores to take the mean of")
    _same(found)
    total = sum(score.count for score in found)
    return Score(sum(score.value * score.count for score in found) / total, found[0].protocol, total)


def _same(scores: list[Score]) -> None:
    first = scores[0].protocol
    for score in scores[1:]:
        if score.protocol != first:
            raise ProtocolError(f"scores of different protocols cannot be compared: '{first}' and '{score.protocol}'")
