"""Where a run takes its rows from: tensors, arrays and files behind one face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

Part = tuple[Tensor, Tensor | None]


class Feed(Protocol):
    """A picture that gives its rows from top to bottom; intervals may overlap the one before."""

    height: int
    width: int
    channels: int
    has_alpha: bool
    load: int
    """How much more a channel takes than one of a single float32 picture."""
    levels: int | None
    """256 or 65536 where raw samples may go through a table, else None."""

    def restart(self) -> None:
        """Begin again at the top."""

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Return stored samples (rows, W, bands)."""

    def decode(self, raw: np.ndarray) -> Part:
        """Turn stored samples into (B, C, rows, W) and alpha."""

    def part(self, start: int, stop: int) -> Part:
        """Return rows as (B, C, rows, W) and alpha."""


class TensorFeed:
    """Rows of a tensor (B, C, H, W) and its alpha."""

    levels: int | None = None

    def __init__(self, image: Tensor, alpha: Tensor | None = None) -> None:
        self.image, self.alpha = image, alpha
        self.height, self.width, self.channels = image.shape[-2], image.shape[-1], image.shape[1]
        self.has_alpha = alpha is not None
        self.load = max(1, image.shape[0] * image.element_size() // 4)

    def restart(self) -> None:
        """Nothing to do: a tensor is at hand from every row."""

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Tensors have no stored samples."""
        raise NotImplementedError

    def decode(self, raw: np.ndarray) -> Part:
        """Tensors have no stored samples."""
        raise NotImplementedError

    def part(self, start: int, stop: int) -> Part:
        """Return a view of the rows."""
        return self.image[..., start:stop, :], None if self.alpha is None else self.alpha[..., start:stop, :]


class RowFeed:
    """Rows of stored samples (H, W, bands), read forward once; rows that the next interval needs again are kept."""

    def __init__(self, height: int, width: int, channels: int, has_alpha: bool, levels: int | None,
                 opener: Callable[[], Callable[[int, int], np.ndarray]], decode: Callable[[np.ndarray], Part]) -> None:
        self.height, self.width, self.channels, self.has_alpha = height, width, channels, has_alpha
        self.levels, self.load = levels, 1
        self._open, self.decode = opener, decode
        self._read: Callable[[int, int], np.ndarray] | None = None
        self._kept: np.ndarray | None = None
        self._start = self._stop = 0

    def restart(self) -> None:
        """Begin again at the top."""
        self._read, self._kept, self._start, self._stop = None, None, 0, 0

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Return stored samples (rows, W, bands)."""
        if self._read is None or start < self._start:
            self.restart()
            self._read = self._open()
        assert self._read is not None
        kept = self._kept[start - self._start:stop - self._start] if self._kept is not None else None
        if stop > self._stop:
            fresh = self._read(max(start, self._stop), stop)
            kept = fresh if kept is None or not len(kept) else np.concatenate([kept, fresh])
            self._stop = stop
        assert kept is not None
        self._kept, self._start = kept, start
        return kept

    def part(self, start: int, stop: int) -> Part:
        """Return rows as (1, C, rows, W) and alpha."""
        return self.decode(self.raw(start, stop))


def array_feed(array: np.ndarray) -> RowFeed:
    """Feed the rows of an array (H, W, bands) of uint8, uint16 or floating samples."""
    height, width, bands = array.shape
    has_alpha = bands in (2, 4)
    return RowFeed(height, width, bands - has_alpha, has_alpha, levels_of(array.dtype),
                   lambda: lambda start, stop: array[start:stop], decode_plain)


def levels_of(dtype: np.dtype) -> int | None:
    """Return how many levels samples of an integer type have, None for floating ones."""
    return {np.dtype(np.uint8): 256, np.dtype(np.uint16): 65536}.get(dtype)


def decode_plain(raw: np.ndarray) -> Part:
    """Turn samples (rows, W, bands) into a floating (1, C, rows, W), integers scaled to 0..1, and split off alpha."""
    stack = torch.from_numpy(np.ascontiguousarray(raw)).movedim(-1, 0)[None]
    if raw.dtype.kind == "u":
        stack = stack.to(torch.float32) / float(np.iinfo(raw.dtype).max)
    bands = stack.shape[1]
    return (stack[:, :-1], stack[:, -1:]) if bands in (2, 4) else (stack, None)
