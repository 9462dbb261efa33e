"""Membranes over plain rectangles, beside the same equations solved directly in float64."""

import itertools
import math

import numpy as np
import pytest
import torch

from photochrom.num.parallel import limit_threads
from photochrom.num.solve import GridSystem, membrane
from photochrom.num.solve.sides import Rectangle
from tests.num.solve.zoo import direct


def noise(*shape: int, seed: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def solved(rectangle: Rectangle, inner: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
    out = torch.full_like(outer, math.nan)
    assert rectangle.solve(inner, outer, out, 0.0)
    return out


def exact(unknown: torch.Tensor, inner: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
    """Return the membrane (C, H, W) by sparse factors in float64."""
    rise = torch.where(unknown, 0, (outer - inner).double())
    rest = direct(GridSystem(unknown), torch.zeros_like(rise), rise)
    return torch.where(unknown, inner + rest, outer.double())


FREE = [free for free in itertools.product((False, True), repeat=4) if not all(free)]


@pytest.mark.parametrize("free", FREE, ids=lambda free: "".join("-+"[side] for side in free))
@pytest.mark.parametrize(("height", "width"), [(24, 31), (41, 18), (30, 30)])
def test_it_solves_the_equations_of_the_grid_whatever_sides_are_free(
    free: tuple[bool, bool, bool, bool], height: int, width: int
) -> None:
    top, left = (0 if free[0] else 3), (0 if free[2] else 2)
    shape = top + height + (0 if free[1] else 2), left + width + (0 if free[3] else 4)
    inner, outer = noise(2, *shape, seed=1), noise(2, *shape, seed=2)
    unknown = torch.zeros(shape, dtype=torch.bool)
    unknown[top : top + height, left : left + width] = True
    made = solved(Rectangle(top, left, height, width, free), inner, outer)
    assert float((made - exact(unknown, inner, outer)).abs().max()) < 1e-5
    assert torch.equal(made[:, ~unknown], outer[:, ~unknown])


def test_one_wave_decays_as_the_equation_of_a_pixel_has_it() -> None:
    # sin(a x) sinh(b y) has the second differences 2 cos(a) - 2 and 2 cosh(b) - 2, whose sum is 0
    n, k = 300, 7
    a = math.pi * k / (n + 1)
    b = math.acosh(2 - math.cos(a))
    y, x = np.mgrid[: n + 2, : n + 2]
    wave = torch.from_numpy(np.sin(a * x) * np.sinh(b * y) / math.sinh(b * (n + 1)))
    outer = wave.float()[None].clone()
    outer[:, 1:-1, 1:-1] = 0
    made = solved(Rectangle(1, 1, n, n, (False,) * 4), torch.zeros_like(outer), outer)
    assert float((made - wave).abs().max()) < 1e-6


def test_a_plain_rectangle_is_solved_by_its_sides() -> None:
    unknown = torch.zeros(250, 400, dtype=torch.bool)
    unknown[3:240, 17:380] = True
    assert Rectangle.of(unknown) == Rectangle(3, 17, 237, 363, (False,) * 4)
    inner, outer = noise(1, 3, 250, 400, seed=1), noise(1, 3, 250, 400, seed=2)
    made = membrane(unknown, inner, outer, 2e-4)
    assert made is not None
    assert float((made[0] - exact(unknown, inner[0], outer[0])).abs().max()) < 1e-5


def test_other_regions_are_not() -> None:
    unknown = torch.zeros(300, 700, dtype=torch.bool)
    assert Rectangle.of(unknown) is None   # nothing to be done
    unknown[2:150, 2:590] = True
    assert Rectangle.of(unknown) == Rectangle(2, 2, 148, 588, (False,) * 4)
    unknown[80, 80] = False
    assert Rectangle.of(unknown) is None   # a hole
    assert Rectangle.of(torch.ones(300, 300, dtype=torch.bool)) is None   # nothing holds it
    unknown[:] = False
    unknown[2:110, 2:650] = True
    assert Rectangle.of(unknown) is None   # a long one
    unknown[:] = False
    unknown[:200] = True
    assert Rectangle.of(unknown) == Rectangle(0, 0, 200, 700, (True, False, True, True))


def test_the_number_of_threads_changes_nothing() -> None:
    inner, outer = noise(3, 302, 400, seed=1), noise(3, 302, 400, seed=2)
    rectangle = Rectangle(1, 4, 300, 390, (False,) * 4)
    with limit_threads(1):
        one = solved(rectangle, inner, outer)
    assert torch.equal(one, solved(rectangle, inner, outer))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", [(0, 20), (31, 20), (20, 0), (20, 31), (16, 16)])
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_not_finite_is_told(bad: float, place: tuple[int, int], which: int) -> None:
    pictures = noise(1, 32, 32, seed=1), noise(1, 32, 32, seed=2)
    pictures[which][0][place] = bad
    assert not Rectangle(1, 1, 30, 30, (False,) * 4).solve(*pictures, torch.empty(1, 32, 32), 0.0)
