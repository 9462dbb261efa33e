"""Membranes that are fine near the edge only, beside the same equations solved on the whole grid in float64."""

import numpy as np
import pytest
import torch

from photochrom.num.parallel import limit_threads
from photochrom.num.poisson import integrate
from photochrom.num.solve import GridSystem, box_of, membrane, solve
from photochrom.num.solve.patches import interpolated, solid_blocks

TENTH = 0.1 / 255


def disc(height: int, width: int, *, reach: float = 0.9, middle: tuple[float, float] = (0.0, 0.0),
         squeeze: float = 1.0) -> torch.Tensor:  # fmt: skip
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return torch.from_numpy(np.hypot(y - middle[0], squeeze * (x - middle[1])) < reach)


def waves(height: int, width: int, seed: int) -> torch.Tensor:
    """Return two channels of all wavelengths with noise on top."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 2, 7, 9, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return smooth + 0.3 * torch.rand(1, 2, height, width, generator=generator)


def exact(unknown: torch.Tensor, inner: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
    inner, outer = inner.double(), outer.double()
    rest = solve(GridSystem(unknown), torch.zeros_like(outer), boundary=outer - inner, tolerance=1e-9).values
    return torch.where(unknown, inner + rest, outer)


def masks() -> dict[str, torch.Tensor]:
    square = torch.zeros(301, 333, dtype=torch.bool)
    square[4:290, 17:320] = True
    square[4, 17] = False   # what is a plain rectangle is not interpolated: see test_sides
    holed = disc(300, 500)
    holed[140:150, 240:243] = False
    holed[100, 100] = False
    pair = disc(640, 640, reach=0.45, middle=(-0.5, -0.5)) | disc(640, 640, reach=0.45, middle=(0.5, 0.5))
    touching = disc(320, 320, reach=0.9, middle=(-0.6, 0.4))   # free along two sides of the frame
    hairy = disc(600, 640, reach=0.8)   # with lines that coarser grids do not see
    hairy[101:500:34, 3:-3] = True
    hairy[3:-3, 171:450:58] = True
    return {"disc": disc(299, 421), "square": square, "holed": holed, "pair": pair, "touching": touching,
            "hairy": hairy, "ellipse": disc(1000, 1000, reach=0.79, squeeze=0.79 / 0.88)}


@pytest.mark.parametrize("name", ["disc", "square", "holed", "pair", "touching", "hairy", "ellipse"])
def test_a_membrane_is_within_a_tenth_of_a_level_of_the_exact_one(name: str) -> None:
    unknown = masks()[name]
    inner, outer = (waves(*unknown.shape, seed) for seed in (1, 2))
    made = membrane(unknown, inner, outer, 2e-4)
    assert made is not None
    assert float((made - exact(unknown, inner, outer)).abs().max()) < TENTH
    assert torch.equal(made[..., ~unknown], outer[..., ~unknown])


@pytest.mark.parametrize("wavelength", [4, 8, 16, 32, 48, 64, 96, 128, 256])
def test_no_wavelength_at_the_edge_is_too_hard(wavelength: int) -> None:
    # of an edge that goes from 0 to 1: what is interpolated has most of a wave some times longer than a patch
    unknown = torch.zeros(400, 400, dtype=torch.bool)
    unknown[8:-8, 8:-8] = True
    unknown[8, 8] = False   # else it would be a plain rectangle
    row = torch.arange(400) / wavelength * 2 * torch.pi
    outer = (0.5 + 0.5 * torch.sin(row)[:, None] * torch.cos(row)).expand(1, 1, 400, 400).contiguous()
    inner = torch.zeros_like(outer)
    made = membrane(unknown, inner, outer, 2e-4)
    assert made is not None
    assert float((made - exact(unknown, inner, outer)).abs().max()) < TENTH


def test_the_gradient_is_that_of_the_whole_grid() -> None:
    unknown = disc(260, 270)
    inner, outer = (waves(260, 270, seed).requires_grad_() for seed in (1, 2))
    weight = waves(260, 270, 5)
    made = membrane(unknown, inner, outer, 2e-4)
    assert made is not None
    found = torch.autograd.grad((made * weight).sum(), (inner, outer))
    precise = [picture.detach().double().requires_grad_() for picture in (inner, outer)]
    whole = integrate("test", precise[1], unknown, None, start=precise[0])
    wanted = torch.autograd.grad((whole * weight).sum(), precise)
    for ours, theirs in zip(found, wanted, strict=True):
        scale = float(theirs.abs().max())
        assert float((ours - theirs).abs().max()) < 2e-3 * scale


def test_each_picture_of_a_batch_has_its_own_region() -> None:
    regions = torch.stack([disc(256, 256), disc(256, 256, middle=(0.2, -0.3))])[:, None]
    inner, outer = (torch.cat([waves(256, 256, seed), waves(256, 256, seed + 9)]) for seed in (1, 2))
    made = membrane(regions, inner, outer, 2e-4)
    assert made is not None
    for k in range(2):
        alone = membrane(regions[k, 0], inner[k : k + 1], outer[k : k + 1], 2e-4)
        assert alone is not None
        assert torch.equal(made[k], alone[0])


def test_the_number_of_threads_changes_nothing() -> None:
    unknown = disc(300, 300)
    inner, outer = waves(300, 300, 1), waves(300, 300, 2)
    with limit_threads(1):
        one = membrane(unknown, inner, outer, 2e-4)
    with limit_threads(2):
        two = membrane(unknown, inner, outer, 2e-4)
    assert one is not None
    assert two is not None
    assert torch.equal(one, two)


def test_the_whole_grid_is_left_what_it_does_better() -> None:
    pictures = torch.zeros(1, 1, 300, 300), torch.ones(1, 1, 300, 300)
    large = disc(300, 300)
    assert membrane(large, *pictures, 2e-4) is not None
    assert membrane(large, *(picture.double() for picture in pictures), 2e-4) is None
    assert membrane(large, *pictures, 1e-6) is None   # what is interpolated is not that exact
    assert membrane(torch.ones_like(large), *pictures, 2e-4) is None   # nothing holds it
    assert membrane(torch.zeros_like(large), *pictures, 2e-4) is None
    assert membrane(disc(300, 300, reach=0.15), *pictures, 2e-4) is None   # little inside
    sieve = large.clone()
    sieve[::9, ::9] = False
    assert membrane(sieve, *pictures, 2e-4) is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_at_the_edge_is_not_solved(bad: float) -> None:
    unknown = disc(300, 300)
    inner, outer = torch.zeros(1, 1, 300, 300), torch.ones(1, 1, 300, 300)
    outer[..., ~unknown] = bad
    assert membrane(unknown, inner, outer, 2e-4) is None


def test_far_inside_is_where_all_blocks_around_are_whole() -> None:
    unknown = torch.zeros(200, 248, dtype=torch.bool)
    unknown[3:190, 20:236] = True
    found = interpolated(solid_blocks(unknown.numpy()))
    # a patch and two blocks of 8 pixels around it, each pixel with its neighbours
    wanted = np.zeros_like(found)
    for i, j in np.ndindex(*wanted.shape):
        wanted[i, j] = 16 * i >= 3 + 16 and 16 * (i + 1) + 16 <= 190 and 16 * j - 16 >= 20 and 16 * (j + 1) + 16 <= 236
    wanted[16 * np.arange(len(wanted)) - 16 < 8] = False   # blocks begin at multiples of 8
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("seed", range(20))
def test_the_box_of_marks_holds_all_of_them_and_no_more(seed: int) -> None:
    generator = np.random.default_rng(seed)
    marks = generator.random(generator.integers(1, 40, 2)) < generator.choice([0.0, 0.01, 0.1, 0.9])
    rows, columns = np.nonzero(marks)
    wanted = ((rows.min(), rows.max()), (columns.min(), columns.max())) if len(rows) else None
    assert box_of(torch.from_numpy(marks)) == wanted
