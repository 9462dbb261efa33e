"""What cycles do not solve is factorised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from photochrom.num.affinity import affinities
from photochrom.num.solve import NEIGHBOURS, GridSystem, part, solve
from photochrom.num.solve.cycles import Grid, Progress


def no_cycles(grid: Grid, rhs: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, Progress]:
    made = grid.new(0, len(rhs))
    return made.zero_(), Progress(100)


@pytest.fixture
def without_cycles(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr(part, "multigrid", no_cycles)
    return monkeypatch.setattr


def posed(size: int = 9) -> tuple[GridSystem, torch.Tensor, torch.Tensor]:
    """Return a system that is not symmetric, its right-hand side and its boundary."""
    generator = torch.Generator().manual_seed(0)
    plane, rhs, hints = (torch.rand(1, 2, size, size + 2, generator=generator, dtype=torch.float64) for _ in range(3))
    known = torch.zeros(size, size + 2, dtype=torch.bool)
    known[2, 3:6] = known[-1, 0] = True
    return GridSystem(~known, affinities(plane[0, 0])), rhs, torch.where(known, hints, 0)


def test_factors_give_the_exact_solution(without_cycles: Callable[..., None]) -> None:
    system, rhs, hints = posed()
    found = solve(system, rhs, boundary=hints)
    height, width = system.size
    whole = np.eye(height * width)
    assert system.weights is not None
    for (dy, dx), weight in zip(NEIGHBOURS, system.weights.numpy(), strict=True):
        for y, x in np.argwhere(system.unknown.numpy() & (weight > 0)):
            whole[y * width + x, (y + dy) * width + x + dx] = -weight[y, x]
    right = torch.where(system.unknown, rhs, hints).reshape(2, -1).numpy()
    expected = np.linalg.solve(whole, right.T).T.reshape(rhs.shape)
    assert found.converged
    assert np.abs(found.values.numpy() - expected).max() < 1e-12


def test_their_gradient_is_that_of_the_solution(without_cycles: Callable[..., None]) -> None:
    system, rhs, hints = posed(4)
    assert torch.autograd.gradcheck(lambda b, h: solve(system, b, boundary=h).values,
                                    (rhs.requires_grad_(), hints.requires_grad_()))


def test_a_bound_symmetric_and_large_systems_are_left_unsolved(without_cycles: Callable[..., None]) -> None:
    system, rhs, hints = posed()
    assert not solve(system, rhs, boundary=hints, iterations=100).converged
    assert not solve(GridSystem(system.unknown), rhs, boundary=hints).converged
    without_cycles(part, "MOST", 10)
    assert not solve(system, rhs, boundary=hints).converged
