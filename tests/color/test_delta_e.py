"""Colour differences against Sharma's table, scikit-image and colour-science."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.color import delta_e_76, delta_e_94, delta_e_2000
from tests.color import literals
from tests.color.literals import picture, pixels

TABLE = Path(__file__).parents[3] / "shared" / "data" / "colour_ref" / "ciede2000_test_data.txt"


@pytest.mark.skipif(not TABLE.exists(), reason="Sharma's table in ../shared/data is not here")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-4), (torch.float32, 2e-4)], ids=str)
def test_sharmas_34_pairs(dtype: torch.dtype, tolerance: float) -> None:
    rows = np.loadtxt(TABLE)
    assert rows.shape == (34, 23)
    one, two, wanted = rows[:, 2:5], rows[:, 17:20], rows[:, 15]
    made = pixels(delta_e_2000(picture(one, dtype), picture(two, dtype)))[:, 0]
    assert np.abs(made - wanted).max() < tolerance
    back = pixels(delta_e_2000(picture(two, dtype), picture(one, dtype)))[:, 0]
    assert np.abs(made - back).max() < tolerance


@pytest.mark.parametrize("name", ["76", "94", "94 textiles", "2000"])
def test_against_colour_science(name: str) -> None:
    one, two = picture(literals.LAB[:-1]), picture(literals.LAB[1:])
    made = {"76": lambda: delta_e_76(one, two), "94": lambda: delta_e_94(two, one),
            "94 textiles": lambda: delta_e_94(two, one, "textiles"), "2000": lambda: delta_e_2000(one, two)}[name]()
    assert made.shape == (1, 1, 1, 4)
    # their grey is off by 1e-14 and so has a hue
    assert np.abs(pixels(made)[:, 0] - literals.DELTA[name]).max() < 1e-6


def test_against_scikit_image() -> None:
    from skimage.color import deltaE_cie76, deltaE_ciede94, deltaE_ciede2000

    rng = np.random.default_rng(0)
    one, two = (rng.uniform((0, -100, -100), (100, 100, 100), (5000, 3)) for _ in range(2))
    near = one + rng.normal(0, 1, one.shape)
    for other in (two, near):
        a, b = picture(one), picture(other)
        assert np.abs(pixels(delta_e_76(a, b))[:, 0] - deltaE_cie76(one, other)).max() < 1e-10
        # theirs takes the first as the standard
        assert np.abs(pixels(delta_e_94(b, a))[:, 0] - deltaE_ciede94(one, other)).max() < 1e-9
        assert np.abs(pixels(delta_e_2000(a, b))[:, 0] - deltaE_ciede2000(one, other)).max() < 1e-9
        single = delta_e_2000(a.float(), b.float()).double()
        assert (single - delta_e_2000(a, b)).abs().max() < 1e-3


@pytest.mark.parametrize("function", [delta_e_76, delta_e_94, delta_e_2000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_slopes_are_finite_and_right(function, dtype: torch.dtype) -> None:
    special = [[0, 0, 0], [50, 0, 0], [50, 10, 0], [100, 1e-20, 0], [50, 1e-4, 1e-4], [50, 20, -10], [1e5, 1e6, -1e6]]
    one = picture(special * len(special), dtype).requires_grad_()
    two = picture(np.repeat(special, len(special), 0), dtype).requires_grad_()
    made = function(one, two)
    assert made.isfinite().all()
    assert (made >= 0).all()
    for slope in torch.autograd.grad(made.sum(), (one, two)):
        assert slope.isfinite().all()
    assert (function(one, one) == 0).all()
    if dtype == torch.float64:
        a = picture([[50, 20, 10], [30, -40, 20], [70, 5, 60]]).requires_grad_()
        b = picture([[55, 25, -5], [31, -41, 22], [60, 3, 50]]).requires_grad_()
        assert torch.autograd.gradcheck(function, (a, b), atol=1e-6)


def test_sizes_strips_and_wrong_words() -> None:
    one, two = torch.rand(2, 3, 300, 400) * 50, torch.rand(1, 3, 300, 400) * 50
    whole = delta_e_2000(one, two)
    assert whole.shape == (2, 1, 300, 400)
    part = delta_e_2000(one[:1, :, 100:110, 20:90], two[:, :, 100:110, 20:90])
    assert torch.allclose(whole[:1, :, 100:110, 20:90], part, atol=1e-4)
    assert delta_e_76(one.half(), two.half()).dtype == torch.float16
    with pytest.raises(ValueError, match="of one size"):
        delta_e_76(one, two[..., 1:])
    with pytest.raises(ValueError, match="field must be"):
        delta_e_94(one, two, "paint")
    with pytest.raises(ValueError, match="weights must be"):
        delta_e_2000(one, two, (1, 0, 1))
