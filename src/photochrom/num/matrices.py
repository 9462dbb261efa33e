"""Banded matrices: a separable linear operator on a picture is `A_y X A_x^T`, the border folded into A's outer rows."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photochrom.num.borders import Border, check_border, fold


@dataclass(frozen=True)
class Block:
    """Output samples start..stop as a sum of dense pieces: (first input, last input + 1, weights (rows, inputs))."""

    start: int
    stop: int
    pieces: tuple[tuple[int, int, Tensor], ...]


class Band:
    """A linear map from `n_in` to `n_out` samples that reads few samples for each.

    Args:
        rows: (N,) output index of each weight.
        columns: (N,) input index of each weight.
        weights: (N,) float64; several for one place add up.
        n_out: number of output samples.
        n_in: number of input samples.

    Example:
        >>> Band(np.array([0, 1]), np.array([1, 0]), np.array([1.0, 1.0]), 2, 2).dense().tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, n_out: int, n_in: int) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows: np.ndarray = np.asarray(rows)[order].astype(np.int32)
        self.columns: np.ndarray = np.asarray(columns)[order].astype(np.int32)
        self.weights: np.ndarray = np.asarray(weights)[order].astype(np.float64)
        self.n_out, self.n_in = int(n_out), int(n_in)
        self.width = -(-len(self.rows) // max(1, self.n_out))  # weights per row, rounded up
        self._blocks: dict[tuple[int, torch.dtype, torch.device], list[Block]] = {}
        self._transpose: Band | None = None

    @classmethod
    def windows(cls, starts: np.ndarray, weights: np.ndarray, n_in: int) -> "Band":
        """Build the map whose row i reads the inputs starts[i], starts[i] + 1, ... with weights[i].

        Args:
            starts: (n_out,) first input of each row.
            weights: (n_out, width).
            n_in: number of input samples; windows lie inside.

        Returns:
            The band, (n_out, n_in).
        """
        n_out, width = weights.shape
        columns = (np.asarray(starts)[:, None] + np.arange(width)).ravel()
        return cls(np.repeat(np.arange(n_out), width), columns, weights.ravel(), n_out, n_in)

    def dense(self) -> Tensor:
        """Return the whole matrix, (n_out, n_in), float64."""
        return torch.from_numpy(self._dense(0, self.n_out, 0, self.n_in))

    @property
    def transpose(self) -> "Band":
        """The transposed map, from n_out to n_in samples: what carries gradients back."""
        if self._transpose is None:
            self._transpose = Band(self.columns, self.rows, self.weights, self.n_in, self.n_out)
            self._transpose._transpose = self
        return self._transpose

    def _dense(self, r0: int, r1: int, c0: int, c1: int) -> np.ndarray:
        a, z = np.searchsorted(self.rows, (r0, r1))
        rows, columns, weights = self.rows[a:z], self.columns[a:z], self.weights[a:z]
        inside = (columns >= c0) & (columns < c1)
        place = (rows[inside].astype(np.int64) - r0) * (c1 - c0) + columns[inside] - c0
        return np.bincount(place, weights[inside], (r1 - r0) * (c1 - c0)).reshape(r1 - r0, c1 - c0)

    def blocks(self, size: int, dtype: torch.dtype, device: torch.device) -> list[Block]:
        """Cut the map into blocks of `size` output samples with dense weights; kept for the next call.

        Args:
            size: output samples of a block.
            dtype: of the weights.
            device: of the weights.

        Returns:
            Blocks in order. Equal weights share memory, and so stay in the processor's cache.
        """
        key = (size, dtype, device)
        if key not in self._blocks:
            shared: dict[tuple[int, bytes], Tensor] = {}
            made = []
            for r0 in range(0, self.n_out, size):
                r1 = min(self.n_out, r0 + size)
                pieces = []
                for c0, c1 in self._windows(r0, r1, size):
                    weights = self._dense(r0, r1, c0, c1)
                    name = (r1 - r0, weights.tobytes())
                    if name not in shared:
                        shared[name] = torch.from_numpy(weights).to(device=device, dtype=dtype)
                    pieces.append((c0, c1, shared[name]))
                made.append(Block(r0, r1, tuple(pieces)))
            self._blocks[key] = made
        return self._blocks[key]

    def _windows(self, r0: int, r1: int, gap: int) -> list[tuple[int, int]]:
        """Return the input ranges that rows r0..r1 read; ranges nearer than `gap` are one."""
        a, z = np.searchsorted(self.rows, (r0, r1))
        used = np.unique(self.columns[a:z])
        if not len(used):
            return [(0, min(1, self.n_in))]
        cut = np.flatnonzero(np.diff(used) > gap)
        firsts, lasts = used[np.concatenate([[0], cut + 1])], used[np.concatenate([cut, [len(used) - 1]])]
        return [(int(i), int(j) + 1) for i, j in zip(firsts, lasts, strict=True)]


def odd_kernel(kernel: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the kernel as a float64 vector; raise ValueError if its length is even."""
    made = np.asarray(kernel, dtype=np.float64)
    if made.ndim != 1 or made.size % 2 == 0:
        raise ValueError(f"kernel: expected one dimension of odd length; got shape {made.shape}")
    return made


def toeplitz(kernel: Sequence[float] | np.ndarray, n: int, border: Border = "reflect") -> Band:
    """Build the matrix of a correlation along one axis: out[i] = sum_t kernel[t + radius] x[i + t].

    Args:
        kernel: (2 radius + 1,), centred.
        n: samples of the axis.
        border: what lies outside; normalize divides each row by the kernel's weight inside.

    Returns:
        The band, (n, n). Kept for the next call with the same arguments.

    Raises:
        ValueError: the kernel's length is even, or the border has no such name.

    Example:
        >>> toeplitz([0.25, 0.5, 0.25], 3, "constant").dense()[0].tolist()
        [0.5, 0.25, 0.0]
    """
    check_border(border)
    return _toeplitz(odd_kernel(kernel).tobytes(), int(n), border)


@functools.lru_cache(maxsize=16)  # a 4000-sample band of 161 taps takes 10 MB
def _toeplitz(kernel: bytes, n: int, border: Border) -> Band:
    taps = np.frombuffer(kernel)
    radius = len(taps) // 2
    at = np.arange(n)[:, None] + np.arange(-radius, radius + 1)
    columns = fold(at, n, border)
    weights = np.where(columns >= 0, taps, 0.0)
    if border == "normalize":
        weights = weights * (weight_inside(taps.sum(), weights.sum(1)))[:, None]
    rows = np.broadcast_to(np.arange(n)[:, None], at.shape)
    keep = columns >= 0
    return Band(rows[keep], columns[keep], weights[keep], n, n)


def weight_inside(whole: float, inside: np.ndarray) -> np.ndarray:
    """Return whole / inside, what border "normalize" multiplies a sum by; 1 where the weights inside sum to 0."""
    usable = np.abs(inside) > 1e-12
    return np.where(usable, whole / np.where(usable, inside, 1.0), 1.0)


def gaussian_radius(sigma: float) -> int:
    """Return the radius at which a Gaussian is cut: 4 sigma rounded, as in SciPy and OpenCV's float path."""
    return int(4.0 * sigma + 0.5)


@functools.lru_cache(maxsize=64)
def gaussian_kernel(sigma: float) -> np.ndarray:
    """Return a Gaussian of sum 1, (2 radius + 1,), float64, read-only; a sigma below 1/8 gives [1].

    Args:
        sigma: standard deviation in samples, above 0.

    Returns:
        (2 `gaussian_radius(sigma)` + 1,) float64.

    Raises:
        ValueError: sigma is not above 0.

    Example:
        >>> gaussian_kernel(1.0).size
        9
    """
    if not sigma > 0:
        raise ValueError(f"gaussian_kernel: sigma must be above 0; got {sigma}")
    radius = gaussian_radius(sigma)
    made = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    made /= made.sum()
    made.flags.writeable = False
    return made


def box_kernel(radius: int) -> np.ndarray:
    """Return 2 radius + 1 equal weights of sum 1, float64."""
    if radius < 0:
        raise ValueError(f"box_kernel: radius must be at least 0; got {radius}")
    return np.full(2 * radius + 1, 1.0 / (2 * radius + 1))
