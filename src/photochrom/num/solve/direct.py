"""A system by a direct factorisation, for what cycles do not solve."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from photochrom.num.solve.definition import eight
from photochrom.num.solve.stencil import NEIGHBOURS, Stencil

MOST = 1 << 19
"""Unknowns: a factorisation of half a million takes 15 seconds and 2.4 GB, of a million 50 and 8.7."""


class Direct:
    """The sparse LU of an operator in float64, by SciPy's SuperLU; its unknowns are held by something."""

    def __init__(self, stencil: Stencil) -> None:
        unknown = stencil.unknown.cpu().numpy()
        height, width = unknown.shape
        self._places = np.flatnonzero(unknown)
        number = np.full(height * width, -1)
        number[self._places] = np.arange(len(self._places))
        number = np.pad(number.reshape(height, width), 1, constant_values=-1)
        diagonal = stencil.diagonal.double().cpu().numpy()
        weights = stencil.diagonal.new_ones(4, height, width) if stencil.weights is None else eight(stencil.weights)
        here = np.arange(len(self._places))
        rows, columns, values = [here], [here], [diagonal[unknown]]
        for (dy, dx), weight in zip(NEIGHBOURS, weights.double().cpu().numpy(), strict=False):
            there = number[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width][unknown]
            linked = there >= 0
            rows.append(here[linked])
            columns.append(there[linked])
            values.append(-weight[unknown][linked])
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        self._factors: Any = splu(coo_matrix(entries, (len(here), len(here))).tocsc())

    def solve(self, rhs: Tensor, transposed: bool = False) -> Tensor:
        """Return the solution of A x = rhs, (N, h, w), or of A^T x = rhs; 0 at known pixels."""
        planes = rhs.detach().double().cpu().numpy().reshape(len(rhs), -1)
        made = np.zeros_like(planes)
        made[:, self._places] = self._factors.solve(planes[:, self._places].T, "T" if transposed else "N").T
        return torch.from_numpy(made).view(rhs.shape).to(rhs)
