"""The grid solver against SciPy's direct solution, in both engines and all methods."""

import numpy as np
import pytest
import torch

from photochrom.num.parallel import limit_threads
from photochrom.num.solve import NEIGHBOURS, GridSystem, SolverError, solve
from photochrom.num.solve.part import Part, Plan
from tests.num.solve.zoo import direct, levin, masks

MASKS = masks()
KINDS = ("plain", "five", "nine", "levin", "screened", "contrast")
LEVEL = 0.1 / 255


def system(kind: str, mask: torch.Tensor, dtype=torch.float64) -> GridSystem:
    h, w = mask.shape
    g = torch.Generator().manual_seed(1)
    if kind == "five":
        return GridSystem(mask, torch.exp(torch.randn(2, h, w, generator=g, dtype=torch.float64)).to(dtype))
    if kind == "nine":
        return GridSystem(mask, torch.rand(4, h, w, generator=g, dtype=torch.float64).to(dtype) + 0.01)
    if kind == "levin":
        return GridSystem(mask, levin(np.random.default_rng(1).random((h, w))).to(dtype))
    if kind == "screened":
        return GridSystem(mask, None, torch.rand(h, w, generator=g, dtype=torch.float64).to(dtype))
    if kind == "contrast":  # islands of weight 1 in a sea of 1/1000
        y, x = np.mgrid[:h, :w]
        sea = torch.from_numpy(np.where(((x // 9) + (y // 13)) % 2, 1.0, 1e-3))
        return GridSystem(mask, torch.stack([sea, sea]).to(dtype))
    return GridSystem(mask)


def problem(mask: torch.Tensor, channels: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    shape = (1, channels, *mask.shape)
    rhs = 0.1 * torch.randn(shape, generator=g, dtype=torch.float64)
    return rhs, torch.rand(shape, generator=g, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MASKS)
def test_float32_is_within_a_tenth_of_a_level_of_the_direct_solution(name, kind):
    if (name, kind) == ("pinned", "contrast"):
        pytest.skip("one pixel holds a picture through weights of 1/1000: float32 weights themselves move the solution")
    mask = MASKS[name]
    rhs, boundary = problem(mask)
    want = direct(system(kind, mask), rhs, boundary)
    made = solve(system(kind, mask, torch.float32), rhs.float(), boundary=boundary.float())
    assert made.converged
    assert made.values.dtype == torch.float32
    scale = max(1.0, float(want.abs().max()))
    assert float((made.values - want).abs().max()) < LEVEL * scale
    assert torch.equal(made.values[..., ~mask], boundary.float()[..., ~mask])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ellipse", "noise", "neck", "touching"])
def test_float64_reaches_the_direct_solution_in_both_engines(name, kind):
    mask = MASKS[name]
    rhs, boundary = problem(mask)
    want = direct(system(kind, mask), rhs, boundary)
    made = [solve(system(kind, mask), rhs, boundary=boundary, tolerance=1e-11, engine=e) for e in ("kernels", "torch")]
    for one in made:
        assert float((one.values - want).abs().max()) < 1e-8
        assert float(one.residual.max()) < 1e-8
    assert abs(made[0].iterations - made[1].iterations) <= 1


@pytest.mark.parametrize("kind", ["plain", "five", "levin"])
def test_kernels_and_definition_take_the_same_steps(kind):
    mask = MASKS["holes"]
    rhs, boundary = problem(mask)
    made = [
        solve(system(kind, mask), rhs, boundary=boundary, iterations=2, tolerance=0.0, engine=e).values
        for e in ("kernels", "torch")
    ]
    assert float((made[0] - made[1]).abs().max()) < 1e-12


def ellipse(n: int) -> torch.Tensor:
    y, x = np.mgrid[:n, :n]
    return torch.from_numpy(((x - n / 2) / (0.46 * n)) ** 2 + ((y - n / 2) / (0.39 * n)) ** 2 < 1)


def test_cycles_do_not_grow_with_the_picture():
    counts = []
    for n in (64, 128, 256, 512, 1024):
        made = solve(GridSystem(ellipse(n)), torch.zeros(1, 1, n, n), boundary=torch.rand(1, 1, n, n))
        assert made.converged
        counts.append(made.iterations)
    assert max(counts) <= 6
    assert max(counts) - min(counts) <= 2


def test_a_long_harmonic_function_comes_back():
    """In float32 at 1024 pixels: x and x y are harmonic on the grid, whatever the mask."""
    n = 1024
    y, x = torch.meshgrid(torch.linspace(-1, 1, n), torch.linspace(-1, 1, n), indexing="ij")
    want = torch.stack([x, x * y])[None]
    for start in (None, torch.full_like(want, 0.5)):
        made = solve(GridSystem(ellipse(n)), torch.zeros(1, 2, n, n), boundary=want, start=start)
        assert float((made.values - want).abs().max()) < LEVEL


def test_a_free_picture_takes_the_mean_of_the_start():
    g = torch.Generator().manual_seed(3)
    want = torch.randn(1, 2, 40, 53, generator=g, dtype=torch.float64)
    rhs = torch.zeros_like(want)
    for d, axis in ((want.diff(dim=2), 2), (want.diff(dim=3), 3)):
        n = d.shape[axis]
        rhs.narrow(axis, 1, n).add_(d)
        rhs.narrow(axis, 0, n).sub_(d)
    free = GridSystem(torch.ones(40, 53, dtype=torch.bool))
    start = torch.zeros_like(want) + torch.tensor([0.25, -2.0])[:, None, None]
    for method, engine in (("multigrid", "kernels"), ("multigrid", "torch"), ("transform", None),
                           ("conjugate_gradient", None)):  # fmt: skip
        made = solve(free, rhs + 7, start=start, method=method, tolerance=1e-10, engine=engine).values
        shift = start.mean((2, 3), keepdim=True) - want.mean((2, 3), keepdim=True)
        assert float((made - (want + shift)).abs().max()) < 1e-7


def test_regions_without_anything_that_holds_them():
    """Weights of 0 cut two rooms out of a picture: each takes the mean of its own start."""
    mask = torch.ones(30, 34, dtype=torch.bool)
    weights = torch.ones(2, 30, 34, dtype=torch.float64)
    weights[0, :, 12] = 0  # a wall between columns 12 and 13
    mask[:, 33] = False  # the right room is held by known pixels
    start = torch.zeros(1, 1, 30, 34, dtype=torch.float64)
    start[..., :13] = torch.rand(30, 13, dtype=torch.float64)
    made = solve(GridSystem(mask, weights), torch.zeros_like(start), boundary=start + 3, start=start, tolerance=1e-10)
    assert float((made.values[..., :13] - start[..., :13].mean()).abs().max()) < 1e-8
    assert float((made.values[..., 13:] - 3).abs().max()) < 1e-8


def test_a_lopsided_region_without_hints_stays_at_its_start():
    mask = torch.ones(20, 20, dtype=torch.bool)
    start = torch.rand(1, 1, 20, 20)
    weights = levin(np.random.default_rng(0).random((20, 20))).float()
    assert torch.equal(solve(GridSystem(mask, weights), torch.zeros_like(start), start=start).values, start)


def test_nothing_unknown_gives_the_boundary_back():
    boundary = torch.rand(1, 3, 8, 9)
    made = solve(GridSystem(torch.zeros(8, 9, dtype=torch.bool)), torch.zeros_like(boundary), boundary=boundary)
    assert torch.equal(made.values, boundary)
    assert made.converged


@pytest.mark.parametrize("sides", [(1, 1, 1, 1), (0, 1, 1, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 0, 0)])
@pytest.mark.parametrize("screen", [None, 0.3])
def test_all_methods_agree_on_rectangles(sides, screen):
    mask = torch.zeros(33, 26, dtype=torch.bool)
    top, bottom, left, right = sides
    mask[3 * top : 33 - 2 * bottom, 4 * left : 26 - right] = True
    rhs, boundary = problem(mask)
    want = direct(GridSystem(mask, None, screen), rhs, boundary)
    for method, tolerance in (("multigrid", 1e-10), ("transform", None), ("conjugate_gradient", 1e-11),
                              ("gradient_descent", 1e-11)):  # fmt: skip
        made = solve(GridSystem(mask, None, screen), rhs, boundary=boundary, method=method, tolerance=tolerance)
        assert made.converged
        assert float((made.values - want).abs().max()) < 1e-7


@pytest.mark.parametrize("kind", ["plain", "five", "nine", "levin", "screened"])
def test_gradients(kind):
    torch.manual_seed(0)
    mask = torch.zeros(12, 13, dtype=torch.bool)
    mask[0:11, 1:13] = torch.rand(11, 12) < 0.8
    base = system(kind, mask)
    rhs, boundary = problem(mask, 1)
    given = [rhs.requires_grad_(), boundary.requires_grad_()]
    screen = None if base.screen is None else base.screen.requires_grad_()
    weights = None if base.weights is None else (base.weights + 0.01).requires_grad_()  # room for a step down
    given += [v for v in (weights, screen) if v is not None]

    def run(rhs, boundary, *rest):
        w = rest[0] if weights is not None else None
        made = GridSystem(mask, w, rest[-1] if screen is not None else None)
        return solve(made, rhs, boundary=boundary, tolerance=1e-13, iterations=40).values

    assert torch.autograd.gradcheck(run, given, atol=1e-6, rtol=1e-5, fast_mode=True)


def test_the_result_depends_neither_on_threads_nor_on_the_run():
    mask = ellipse(700)
    boundary = torch.rand(1, 3, 700, 700)
    rhs = torch.randn(1, 3, 700, 700) * 0.1
    made = [solve(GridSystem(mask), rhs, boundary=boundary).values for _ in range(2)]
    with limit_threads(1):
        made.append(solve(GridSystem(mask), rhs, boundary=boundary).values)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


def test_a_mask_for_each_picture_and_inputs_left_alone():
    both = torch.stack([MASKS["ellipse"], MASKS["noise"]])[:, None]
    rhs = torch.randn(2, 1, *both.shape[-2:])
    boundary = torch.rand_like(rhs)
    before = rhs.clone(), boundary.clone()
    made = solve(GridSystem(both), rhs, boundary=boundary).values
    for k in range(2):
        alone = solve(GridSystem(both[k, 0]), rhs[k : k + 1], boundary=boundary[k : k + 1]).values
        assert torch.equal(made[k : k + 1], alone)
    assert torch.equal(rhs, before[0])
    assert torch.equal(boundary, before[1])


def test_known_pixels_far_away_may_be_anything():
    mask = MASKS["ellipse"].clone()
    boundary = torch.rand(1, 1, *mask.shape)
    want = solve(GridSystem(mask), torch.zeros_like(boundary), boundary=boundary).values
    rhs = torch.full_like(boundary, float("nan"))
    rhs[..., mask] = 0
    bad = boundary.clone()
    bad[..., 0, 0] = float("nan")
    made = solve(GridSystem(mask), rhs, boundary=bad, start=torch.where(mask, 0.0, float("nan"))[None, None]).values
    assert torch.equal(made[..., mask], want[..., mask])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rhs": torch.zeros(3, 4, 4)}, "rhs must be floating"),
        ({"boundary": torch.zeros(1, 1, 4, 5)}, "boundary must have the shape"),
        ({"method": "magic"}, "method must be one of"),
        ({"rhs": torch.full((1, 1, 4, 4), float("nan"))}, "finite"),
        ({"system": (torch.ones(4, 4),)}, "bool mask"),
        ({"system": (torch.ones(4, 4, dtype=torch.bool), -torch.ones(2, 4, 4))}, "weights must be finite"),
        ({"system": (torch.ones(4, 4, dtype=torch.bool), None, -1.0)}, "screen must be"),
        ({"system": (torch.eye(4, dtype=torch.bool),), "method": "transform"}, "transform needs"),
        (
            {"system": (torch.eye(4, dtype=torch.bool), torch.ones(8, 4, 4)), "method": "conjugate_gradient"},
            "symmetric",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(change, words):
    given = {"system": (torch.eye(4, dtype=torch.bool),), "rhs": torch.zeros(1, 1, 4, 4), **change}
    with pytest.raises(SolverError, match=words):
        solve(GridSystem(*given.pop("system")), given.pop("rhs"), **given)


def test_too_few_iterations_are_reported():
    made = solve(GridSystem(ellipse(200)), torch.randn(1, 1, 200, 200), iterations=1)
    assert not made.converged
    assert made.iterations == 1


def test_neighbours_come_in_opposite_pairs():
    assert all((a[0] + b[0], a[1] + b[1]) == (0, 0) for a, b in zip(NEIGHBOURS[::2], NEIGHBOURS[1::2], strict=True))


def pairs(dtype: torch.dtype = torch.float64) -> tuple[GridSystem, torch.Tensor]:
    """Return equations of a dark picture with bright pairs of pixels, most of them not on the coarser grid."""
    plane = 0.02 * np.random.default_rng(2).random((41, 47))
    plane[5::8, 5:40:6] = plane[5::8, 6:41:6] = 1
    plane[9::8, 9:40:6] = plane[10::8, 10:41:6] = 1
    mask = torch.ones(41, 47, dtype=torch.bool)
    mask[:, [0, 46]] = False
    hints = torch.zeros(1, 2, 41, 47, dtype=torch.float64)
    hints[..., 46] = 1
    hints[:, 1] *= torch.linspace(0, 1, 41)[:, None]
    return GridSystem(mask, levin(plane).to(dtype)), hints.to(dtype)


@pytest.mark.parametrize("engine", ["kernels", "torch"])
def test_pixels_that_only_see_each_other_are_solved_together(engine):
    system, hints = pairs()
    part = Part(Plan("multigrid", 1e-12, 100, engine, 0.9), system, system.unknown, hints)
    grid = part.grid
    b, x, _ = grid.enter(torch.zeros_like(hints), hints, None, part.asked, part.frame)
    grid.remainder(x, b)
    grid.view(0, b)[:] = torch.rand(grid.view(0, b).shape, generator=torch.Generator().manual_seed(4)) * system.unknown
    e, product, other = (grid.new(0, 2) for _ in range(3))
    grid.update(e, b, 0.0, 0.0)
    grid.update(product, b, 0.0, 0.0)
    grid.settle(e, product, b)
    changed = (grid.view(0, e) != 0).any(0)
    assert 30 < int(changed.sum()) < 120   # the pairs and nothing else
    grid.product(e, other, e)
    assert float((grid.view(0, product) - grid.view(0, other)).abs().max()) < 1e-12
    left = grid.view(0, b) - grid.view(0, product)
    assert float(left[:, changed].abs().max()) < 1e-3   # but for what pairs see of others


def test_lopsided_systems_take_few_cycles_and_both_engines_the_same():
    system, hints = pairs()
    want = direct(system, torch.zeros_like(hints), hints)
    made = [solve(system, torch.zeros_like(hints), boundary=hints, tolerance=1e-10, engine=e)
            for e in ("kernels", "torch")]
    for one in made:
        assert one.converged
        assert one.iterations < 40
        assert float((one.values - want).abs().max()) < 1e-8
    assert float((made[0].values - made[1].values).abs().max()) < 1e-9
    single = solve(GridSystem(system.unknown, system.weights.float()), torch.zeros_like(hints).float(),
                   boundary=hints.float())
    assert single.converged
    assert float((single.values - want).abs().max()) < LEVEL
