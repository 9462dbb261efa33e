"""The curve through points, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

import photochrom
from photochrom.core.errors import ControlError
from photochrom.core.recipe import loads


def random_points(count: int, seed: int, monotone: bool) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.uniform(0.05, 1, count)), rng.uniform(-1, 2, count)
    return np.stack([x / x[-1], np.sort(y) if monotone else y], 1)


@pytest.mark.parametrize("count", [2, 3, 4, 9])
@pytest.mark.parametrize("monotone", [True, False])
def test_it_is_scipys_within_and_straight_without(count: int, monotone: bool) -> None:
    for seed in range(20):
        points = random_points(count, seed, monotone)
        theirs = PchipInterpolator(points[:, 0], points[:, 1])
        x = np.linspace(points[0, 0], points[-1, 0], 200)
        image = torch.from_numpy(x).reshape(1, 1, 10, 20)
        found = photochrom.curve(image, points=points).numpy().ravel()
        assert np.abs(found - theirs(x)).max() < 1e-12
        if monotone:
            assert (np.diff(found) >= -1e-15).all()
        slope = theirs.derivative()
        for end, step in ((0, -0.75), (-1, 2.5)):
            out = photochrom.curve(torch.full((1, 1, 1, 1), points[end, 0] + step, dtype=torch.float64), points=points)
            assert out.item() == pytest.approx(points[end, 1] + step * float(slope(points[end, 0])), abs=1e-9)


def test_the_slope_in_the_points_is_right() -> None:
    image = torch.rand(2, 2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2
    image.requires_grad_()
    for points in (torch.tensor([[0.0, 0.1], [0.3, 0.2], [0.55, 0.7], [1.0, 0.9]], dtype=torch.float64),
                   torch.tensor([[[0.0, 0.1], [0.3, 0.2], [1.0, 0.9]], [[0.1, 0.8], [0.6, 0.2], [0.9, 0.5]]],
                                dtype=torch.float64)):
        assert torch.autograd.gradcheck(lambda i, p: photochrom.curve(i, points=p), (image, points.requires_grad_()))


def test_a_curve_can_be_fitted_and_kept() -> None:
    image = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
    wanted = photochrom.curve(image, points=((0, 0.05), (0.4, 0.3), (1, 0.9)))
    points = torch.nn.Parameter(torch.tensor([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]))
    step = photochrom.Step(photochrom.curve, points=points)
    optimiser = torch.optim.Adam(step.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        loss = (step(image) - wanted).square().mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-4
    again = loads(photochrom.Recipe([step]).dumps())
    assert torch.allclose(again(image), step(image), atol=1e-6)


def test_a_curve_a_picture() -> None:
    image = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(1))
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.5]], [[0.0, 1.0], [1.0, 0.0]]])
    found = photochrom.curve(image, points=points)
    assert torch.allclose(found, torch.stack([image[0] / 2, 1 - image[1]]))


def test_points_that_do_not_rise_are_refused_or_sorted() -> None:
    image = torch.linspace(-0.2, 1.2, 50).reshape(1, 1, 5, 10)
    for points in (((0.5, 0), (0.5, 1)), ((1, 0), (0, 1)), ((0, 0),)):
        with pytest.raises(ControlError, match=r"^curve: points must be two or more points .* rising inputs, got"):
            photochrom.curve(image, points=points)
    falling = torch.tensor([[1.0, 0.8], [0.0, 0.1], [0.5, 0.6]])
    assert torch.equal(photochrom.curve(image, points=falling),
                       photochrom.curve(image, points=((0.0, 0.1), (0.5, 0.6), (1.0, 0.8))))
    twice = torch.tensor([[0.0, 0.0], [0.5, 0.2], [0.5, 0.8], [1.0, 1.0]], requires_grad=True)
    result = photochrom.curve(image, points=twice)
    assert result.isfinite().all()
    result.sum().backward()
    assert twice.grad is not None
    assert twice.grad.isfinite().all()
    with pytest.raises(ControlError, match=r"^curve: points must be a tensor \(N, 2\)"):
        photochrom.curve(image, points=torch.zeros(3))


def test_8_bits_go_through_one_table() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    step = photochrom.Step(photochrom.curve, points=((0, 0), (0.5, 0.7), (1, 1)))
    expected = PchipInterpolator([0, 0.5, 1], [0, 0.7, 1])(levels / 255) * 255
    assert np.abs(photochrom.run(step, levels) - expected).max() < 0.501
