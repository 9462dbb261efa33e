"""From a system to operators: the frame around a mask, the stencil inside it, the regions that hang together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.solve.stencil import NEIGHBOURS, Stencil
from photochrom.num.solve.system import GridSystem


@dataclass(frozen=True)
class Frame:
    """The part of a picture a system is solved in: the unknowns and their known neighbours."""

    top: int
    bottom: int
    left: int
    right: int

    def cut(self, x: Tensor) -> Tensor:
        """Return the part of (..., H, W)."""
        return x[..., self.top : self.bottom, self.left : self.right]


def frame_of(unknown: Tensor) -> Frame | None:
    """Return the frame of a mask (H, W), or None where nothing is unknown."""
    found = box_of(unknown)
    if found is None:
        return None
    (top, bottom), (left, right) = found
    h, w = unknown.shape
    return Frame(max(0, top - 1), min(h, bottom + 2), max(0, left - 1), min(w, right + 2))


def box_of(marks: Tensor) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the first and last row, and column, that hold a mark of (H, W), or None where there is none."""
    if marks.device.type == "cpu":
        top, bottom, left, right = load("solve_regions").box(marks.numpy())
        return None if top < 0 else ((top, bottom), (left, right))
    rows, columns = marks.any(1).nonzero(), marks.any(0).nonzero()
    return ((int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))) if len(rows) else None


def stencil_of(system: GridSystem, unknown: Tensor, frame: Frame, dtype: torch.dtype, device: torch.device) -> Stencil:
    """Return the operator inside a frame."""
    mask = frame.cut(unknown).to(device)
    h, w = mask.shape
    weights = None
    if system.weights is None:
        diagonal = torch.full((h, w), 4, dtype=dtype, device=device)
        diagonal[0] -= 1
        diagonal[-1] -= 1
        diagonal[:, 0] -= 1
        diagonal[:, -1] -= 1
    else:
        weights = frame.cut(system.weights.detach()).to(device, dtype).clone()
        planes = weights.shape[0]
        diagonal = torch.zeros((h, w), dtype=dtype, device=device)
        for k in range(planes):
            dy, dx = NEIGHBOURS[k if planes == 8 else 2 * k]
            # a weight that leads out of the frame is no weight
            if dy:
                weights[k, -1 if dy > 0 else 0] = 0
            if dx:
                weights[k, :, -1 if dx > 0 else 0] = 0
            diagonal += weights[k]
            if planes < 8:
                rows = slice(0, h - dy), slice(dy, h)
                columns = slice(max(0, -dx), w - max(0, dx)), slice(max(0, dx), w + min(0, dx))
                diagonal[rows[1], columns[1]] += weights[k][rows[0], columns[0]]
    excess = None
    if isinstance(system.screen, Tensor):
        screen = system.screen.detach().to(device, dtype)
        excess = (frame.cut(screen) if screen.ndim else screen.expand(h, w)).contiguous()
    elif system.screen:
        excess = torch.full((h, w), system.screen, dtype=dtype, device=device)
    if excess is not None:
        diagonal += excess
    nine = weights is not None and weights.shape[0] > 2
    return Stencil(mask.contiguous(), diagonal, weights, excess, system.symmetric, nine)


def find_regions(stencil: Stencil) -> tuple[np.ndarray | None, np.ndarray]:
    """Label the regions of unknown pixels that hang together, on the processor.

    Args:
        stencil: the operator.

    Returns:
        (H, W) int32 labels, 0 at known pixels, and by label whether a known neighbour or a screen holds the region.
        None for the labels where all weights are positive and some pixel is known: then every region is held.
    """
    height, width = stencil.unknown.shape
    if not bool(stencil.unknown.all()) and _positive(stencil.weights):
        return None, np.ones(1, bool)
    labels = np.zeros((height, width), np.int32)
    weights = None if stencil.weights is None else stencil.weights.cpu().numpy()
    held = load("solve_regions").regions(
        stencil.unknown.cpu().numpy(),
        np.zeros((1, 1, 1), np.float32) if weights is None else weights,
        stencil.diagonal.cpu().numpy(),
        0 if weights is None else weights.shape[0],
        labels,
    )
    return labels, held


def _positive(weights: Tensor | None) -> bool:
    """Tell whether all weights towards neighbours inside the frame are positive; the others are 0."""
    if weights is None:
        return True
    steps = NEIGHBOURS if weights.shape[0] == 8 else NEIGHBOURS[::2]
    inside = zip(weights, steps, strict=False)
    return all(
        float(w[max(0, -dy) : w.shape[0] - max(0, dy), max(0, -dx) : w.shape[1] - max(0, dx)].min()) > 0
        for w, (dy, dx) in inside
    )
