"""Transfer by the whole distribution: the sliced distance falls, the grain comes back, bad pictures stay finite."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import photochrom
from photochrom.color.axes import rgb_to_axes
from photochrom.num.regrain import regrain
from photochrom.num.transport import Cloud, distance, follow, quantiles, through, transport
from tests.ops.test_transfer import as_tensor


def test_the_sliced_distance_falls(coffee: np.ndarray, rocket: np.ndarray) -> None:
    directions = torch.nn.functional.normalize(
        torch.randn(100, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64), dim=1)
    own, wanted = (Cloud(rgb_to_axes(as_tensor(photo), "lab")[0].flatten(1)) for photo in (coffee, rocket))
    turns = transport(own, wanted, 8, 0, 1e-3)
    far = [distance(own.moved(turns[:count]), wanted, directions).item() for count in range(9)]
    assert all(after < before * 1.01 for before, after in itertools.pairwise(far)), far
    assert far[-1] < far[0] / 25


def test_one_turn_matches_every_axis() -> None:
    """Along one axis transport is sorting: the quantiles are met. Without ties, which one curve cannot part."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 60, 70, generator=generator, dtype=torch.float64) ** 2
    reference = torch.rand(1, 3, 50, 90, generator=generator, dtype=torch.float64) * 0.5 + 0.3
    found = photochrom.transfer_distribution(image, reference, axes="rgb", iterations=1, regrain=0.0)
    at = np.linspace(0.02, 0.98, 49)
    for ours, theirs in zip(found[0], reference[0], strict=True):
        assert np.abs(np.quantile(ours, at) - np.quantile(theirs, at)).max() < 1e-3


def test_quantiles_are_those_of_numpy() -> None:
    values = torch.randn(501, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    at = torch.linspace(0.01, 0.99, 33, dtype=torch.float64)
    expected = np.quantile(values.numpy(), at.numpy(), method="hazen")
    assert np.abs(quantiles(values, None, at).numpy() - expected).max() < 1e-12
    twice = quantiles(values, torch.full_like(values, 3.0), at)
    assert np.abs(twice.numpy() - expected).max() < 1e-12


def test_a_curve_goes_on_with_slope_1() -> None:
    x, y = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([5.0, 7.0, 7.5])
    assert follow(torch.tensor([-2.0, 0.5, 1.5, 4.0]), x, y).tolist() == [3.0, 6.0, 7.25, 9.5]


def test_the_kernel_gives_the_numbers_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    own = Cloud(torch.rand(3, 20000, generator=generator))
    turns = transport(own, Cloud(torch.rand(3, 9000, generator=generator) ** 3), 6, 1, 1e-6)
    beyond = own.colours * 1.5 - 0.2
    assert (through(beyond, turns) - through(beyond.double(), turns)).abs().max() < 1e-5


def test_regrain_is_the_dense_solution() -> None:
    generator = torch.Generator().manual_seed(0)
    image, wanted = torch.rand(2, 1, 3, 6, 7, generator=generator, dtype=torch.float64)
    grey = image[0].numpy()
    slope = np.sqrt(sum(((np.take(p, np.minimum(np.arange(n) + 1, n - 1), a)
                          - np.take(p, np.maximum(np.arange(n) - 1, 0), a)) / 2) ** 2
                        for p in grey for a, n in ((0, 6), (1, 7))))
    pull, even = np.clip(slope * 256 / 5, 0.01, 1), 30 / (1 + 10 * slope)
    index = np.arange(42).reshape(6, 7)
    matrix = np.diag(pull.ravel())
    for a, b in [*zip(index[:, 1:].ravel(), index[:, :-1].ravel(), strict=True),
                 *zip(index[1:].ravel(), index[:-1].ravel(), strict=True)]:
        weight = (even.ravel()[a] + even.ravel()[b]) / 2
        matrix[[a, b], [a, b]] += weight
        matrix[[a, b], [b, a]] -= weight
    away = (wanted - image)[0].numpy().reshape(3, -1)
    expected = grey + np.linalg.solve(matrix, (pull.ravel() * away).T).T.reshape(3, 6, 7)
    assert np.abs(regrain(image, wanted)[0].numpy() - expected).max() < 1e-9


def test_regrain_calms_what_was_stretched(coffee: np.ndarray, rocket: np.ndarray) -> None:
    image, reference = as_tensor(coffee).float(), as_tensor(rocket).float()
    plain, calm = (photochrom.transfer_distribution(image, reference, regrain=share) for share in (0.0, 1.0))

    def rough(picture: torch.Tensor) -> float:
        return ((picture - image).diff(dim=-1).abs().mean() + (picture - image).diff(dim=-2).abs().mean()).item()

    assert rough(calm) < rough(plain) / 2
    assert (calm.mean((2, 3)) - plain.mean((2, 3))).abs().max() < 0.08


def test_the_seed_alone_decides(coffee: np.ndarray, rocket: np.ndarray) -> None:
    one, same, other = (photochrom.transfer_distribution(coffee, rocket, seed=seed, regrain=0.0, iterations=3)
                        for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("size", [(1, 1), (8, 8)], ids=["one pixel", "one colour"])
def test_one_colour_takes_the_mean_colour(size: tuple[int, int], rocket: np.ndarray) -> None:
    reference = as_tensor(rocket).float()
    flat = torch.full((1, 3, *size), 0.4)
    found = rgb_to_axes(photochrom.transfer_distribution(flat, reference), "lab")
    wanted = rgb_to_axes(reference, "lab").mean((2, 3), keepdim=True)
    assert (found - wanted).abs().max() < 0.2
    assert photochrom.transfer_distribution(reference, flat).isfinite().all()
    empty = torch.zeros(1, 1, *size)
    assert photochrom.transfer_distribution(flat, reference, empty, None).isfinite().all()
