"""Colour tables: kernel, definition, and SciPy's interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator
from torch import Tensor

from photochrom.num.cubes import look_up_colours


def table(side: int, seed: int = 0) -> Tensor:
    return torch.rand(3, side, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def colours(count: int = 700, low: float = 0.0, high: float = 1.0) -> Tensor:
    random = torch.rand(2, 3, 7, count // 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return low + (high - low) * random


def identity(side: int) -> Tensor:
    grid = torch.linspace(0, 1, side, dtype=torch.float64)
    return torch.stack(torch.meshgrid(grid, grid, grid, indexing="ij")[::-1])


@pytest.mark.parametrize("side", [2, 3, 17])
def test_trilinear_is_scipys(side: int) -> None:
    values, image = table(side), colours()
    grid = np.linspace(0, 1, side)
    theirs = RegularGridInterpolator((grid, grid, grid), values.movedim(0, -1).numpy())
    expected = theirs(image.movedim(1, -1).flip(-1).numpy())   # ours is indexed blue, green, red
    found = look_up_colours(image, values, tetrahedra=False).movedim(1, -1).numpy()
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("side", [2, 3, 17])
def test_tetrahedral_by_the_six_cases(side: int) -> None:
    values, image = table(side), colours()
    found = look_up_colours(image, values).movedim(1, -1).reshape(-1, 3).numpy()
    entries = values.numpy()
    for colour, made in zip(image.movedim(1, -1).reshape(-1, 3).numpy(), found, strict=True):
        way = colour * (side - 1)
        cell = np.minimum(np.floor(way), side - 2).astype(int)
        part = way - cell
        place, expected = cell.copy(), entries[:, cell[2], cell[1], cell[0]].copy()
        before = expected.copy()
        for axis in np.argsort(-part):   # along the axes, the largest part first
            place[axis] += 1
            here = entries[:, place[2], place[1], place[0]]
            expected += part[axis] * (here - before)
            before = here
        assert np.abs(made - expected).max() < 1e-12


@pytest.mark.parametrize("tetrahedra", [True, False])
@pytest.mark.parametrize("side", [2, 5, 65])
def test_the_kernel_is_the_definition(side: int, tetrahedra: bool) -> None:
    image, values = colours(70_000, -0.2, 1.2), table(side)
    image[..., 0] = 1
    image[..., 1] = 0
    image[0, :, :, 2] = 0.5   # equal parts
    ends = (torch.tensor([-0.1, 0.0, 0.1]), torch.tensor([1.1, 1.0, 0.9]))
    for low, high in ((None, None), ends):
        expected = look_up_colours(image, values, low, high, tetrahedra)
        found = look_up_colours(image.float(), values.float(), low, high, tetrahedra)
        assert (found - expected).abs().max() < 3e-6 * side
        loose = values.float().contiguous()
        assert torch.equal(look_up_colours(image.float(), loose, low, high, tetrahedra), found)


def test_curves() -> None:
    values = torch.rand(3, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    image = colours(1400, -0.3, 1.3)
    found = look_up_colours(image, values)
    for channel in range(3):
        expected = np.interp(image[:, channel].numpy(), np.linspace(0, 1, 11), values[channel].numpy())
        assert np.abs(found[:, channel].numpy() - expected).max() < 1e-12
    assert (look_up_colours(image.float(), values.float()) - found).abs().max() < 1e-5


@pytest.mark.parametrize("side", [2, 33])
def test_the_table_of_every_colour_itself_changes_nothing(side: int) -> None:
    image = colours()
    for tetrahedra in (True, False):
        assert (look_up_colours(image, identity(side), tetrahedra=tetrahedra) - image).abs().max() < 1e-14


@pytest.mark.parametrize("tetrahedra", [True, False])
def test_slopes_in_colours_and_entries(tetrahedra: bool) -> None:
    image, values = colours(21, 0.05, 0.95).requires_grad_(), table(3).requires_grad_()
    ends = [torch.tensor(end, dtype=torch.float64, requires_grad=True) for end in ([-0.1] * 3, [1.2] * 3)]
    assert torch.autograd.gradcheck(lambda *a: look_up_colours(*a, tetrahedra), (image, values, *ends))
    curve = torch.rand(3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(look_up_colours, (image, curve))


def test_not_a_number_reads_no_memory_outside() -> None:
    image = torch.full((1, 3, 1, 2000), float("nan"))
    image[..., ::2] = float("inf")
    assert look_up_colours(image, identity(5).float()).isfinite().all()
