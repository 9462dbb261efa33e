"""Tone operations against their equations in float64 NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError
from tests.color.test_srgb import decode, encode

VALUES = np.concatenate([np.linspace(-1, 3, 4001), [0.0, 1.0, 0.5]])


def odd_power(value: np.ndarray, exponent: float) -> np.ndarray:
    return np.sign(value) * np.abs(value) ** exponent


def by_hand(name: str, r: np.ndarray, **c: float) -> np.ndarray:
    if name == "levels":
        t = odd_power((r - c["black"]) / (c["white"] - c["black"]), 1 / c["gamma"])
        return t * (c["out_white"] - c["out_black"]) + c["out_black"]
    equations: dict[str, Callable[[], np.ndarray]] = {
        "exposure": lambda: encode(decode(r) * 2.0 ** c["stops"]),
        "power": lambda: c["coefficient"] * odd_power(r, c["gamma"]),
        "brightness": lambda: r + c["amount"],
        "contrast": lambda: c["amount"] * (r - c["centre"]) + c["centre"],
        "negative": lambda: 1 - r,
    }
    return equations[name]()


CASES: list[tuple[str, dict[str, float]]] = [
    ("exposure", {"stops": -3.5}), ("exposure", {"stops": 1.0}), ("exposure", {"stops": 20.0}),
    ("power", {"gamma": 0.45, "coefficient": 1.0}), ("power", {"gamma": 2.2, "coefficient": 0.7}),
    ("power", {"gamma": 0.01, "coefficient": 100.0}), ("power", {"gamma": 3.0, "coefficient": 0.0}),
    ("brightness", {"amount": -0.3}), ("brightness", {"amount": 10.0}),
    ("contrast", {"amount": 0.0, "centre": 0.4}), ("contrast", {"amount": 2.5, "centre": -0.2}), ("negative", {}),
    ("levels", {"black": 0.1, "white": 0.8, "gamma": 1.7, "out_black": 0.2, "out_white": 0.9}),
    ("levels", {"black": 0.8, "white": 0.1, "gamma": 0.5, "out_black": 1.0, "out_white": 0.0}),
    ("levels", {"black": -1.0, "white": 10.0, "gamma": 1.0, "out_black": 0.0, "out_white": 0.0}),
]


@pytest.mark.parametrize(("name", "controls"), CASES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["64", "32"])
def test_the_equation(name: str, controls: dict[str, float], dtype: torch.dtype, tolerance: float) -> None:
    image = torch.from_numpy(VALUES).to(dtype).reshape(1, 1, 1, -1)
    expected = by_hand(name, image.double().numpy(), **controls)
    for values in (controls, {key: torch.tensor(value, dtype=torch.float64) for key, value in controls.items()}):
        found = getattr(photochrom, name)(image, **values).double().numpy()
        assert np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))) < tolerance


def test_every_control_is_in_a_case() -> None:
    for operation in photochrom.operations():
        if operation.name in {name for name, _ in CASES}:
            given: set[str] = set().union(*(controls for name, controls in CASES if name == operation.name))
            assert given == set(operation.controls), operation.name


def test_exposure_moves_the_light_by_stops() -> None:
    image = torch.linspace(0, 1, 50, dtype=torch.float64).reshape(1, 1, 5, 10)
    twice = photochrom.exposure(photochrom.exposure(image, stops=0.75), stops=0.25)
    assert (twice - photochrom.exposure(image, stops=1.0)).abs().max() < 1e-6
    assert (photochrom.exposure(photochrom.exposure(image, stops=2), stops=-2) - image).abs().max() < 1e-6


def test_the_negative_of_the_negative_is_the_picture() -> None:
    image = torch.arange(256).reshape(1, 1, 16, 16) / 256
    assert torch.equal(photochrom.negative(photochrom.negative(image)), image)


def test_roots_of_black_are_black_and_their_slopes_finite() -> None:
    for make in (lambda x: photochrom.power(x, gamma=0.01), lambda x: photochrom.levels(x, gamma=100.0),
                 lambda x: photochrom.power(x, gamma=torch.tensor(0.01, requires_grad=True))):
        image = torch.tensor([0.0, -0.0, 1e-30, 0.5]).reshape(1, 1, 1, 4).requires_grad_()
        result = make(image)
        assert result[0, 0, 0, :2].tolist() == [0, 0]
        result.sum().backward()
        assert image.grad is not None
        assert image.grad.isfinite().all()


def test_levels_needs_two_points() -> None:
    with pytest.raises(ControlError, match=r"^levels: white must differ from black, both are 0\.5$"):
        photochrom.levels(torch.zeros(1, 1, 1, 1), black=0.5, white=0.5)


def test_the_slope_in_gamma_is_finite_at_black() -> None:
    for name, controls in (("power", ("gamma",)), ("levels", ("gamma", "black", "white"))):
        for control in controls:
            value: Any = torch.tensor(0.9, requires_grad=True)
            other = {"gamma": 0.5} if name == "levels" and control != "gamma" else {}
            getattr(photochrom, name)(torch.zeros(1, 1, 2, 2), **{control: value}, **other).sum().backward()
            assert value.grad.isfinite()
