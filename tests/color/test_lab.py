"""CIELAB and CIELUV against scikit-image, its reference arrays, and the kernel against the definition in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.color import (
    lab_to_rgb,
    lab_to_xyz,
    luv_to_xyz,
    rgb_to_lab,
    rgb_to_luv,
    srgb_to_linear,
    white_point,
    xyz_to_lab,
    xyz_to_luv,
)
from photochrom.num.parallel import limit_threads
from tests.color.literals import picture, pixels

DATA = Path(__file__).parents[3] / "shared" / "data" / "colour_ref" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the reference arrays of ../shared/data are not here")
# The colours of scikit-image's reference arrays.
COLOURS = [[0.4124, 0.2126, 0.0193], [0, 0, 0], [0.9505, 1.0, 1.089], [0.1805, 0.0722, 0.9505],
           [0.07719, 0.15438, 0.02573]]
# "r": the whites of grDevices::convertColor
R_WHITES = {"d50": (0.9639501491621826, 1, 0.8241280285499208), "d55": (0.9565317453467969, 1, 0.9202554587037198),
            "d65": (0.9532057125493769, 1, 1.0853843816469158)}


@needs_data
@pytest.mark.parametrize(("space", "tolerance"), [("lab", 0.02), ("luv", 0.02)])
def test_reference_arrays_of_all_illuminants(space: str, tolerance: float) -> None:
    """Their constants 0.008856 and 7.787 are rounded; the arrays of R have few digits."""
    there, back = (xyz_to_lab, lab_to_xyz) if space == "lab" else (xyz_to_luv, luv_to_xyz)
    files = sorted(DATA.glob(f"{space}_array_*.npy"))
    assert len(files) == 21
    for file in files:
        _, _, illuminant, observer = file.stem.split("_")
        if observer == "r":
            white = R_WHITES.get(illuminant) or illuminant.upper()
        else:
            white = illuminant.upper() + ("/10" if observer == "10" else "")
        wanted = np.load(file).reshape(-1, 3)
        assert np.abs(pixels(there(picture(COLOURS), white)) - wanted).max() < tolerance, file.name
        assert np.abs(pixels(back(picture(wanted), white)) - np.array(COLOURS)).max() < 2e-4, file.name


def test_against_scikit_image(coffee: np.ndarray) -> None:
    from skimage.color import rgb2lab, rgb2luv, xyz2lab, xyz2luv

    flat = coffee.reshape(-1, 3) / 255.0
    assert np.abs(pixels(xyz_to_lab(picture(flat), "D50")) - xyz2lab(flat, "D50")).max() < 1e-3
    assert np.abs(pixels(xyz_to_luv(picture(flat), "A/10")) - xyz2luv(flat, "A", "10")).max() < 1e-2
    # Their matrix has six decimals and takes white to 1.08875 instead of D65's 1.08883: 0.03 in b*.
    assert np.abs(pixels(rgb_to_lab(picture(flat))) - rgb2lab(flat)).max() < 0.03
    assert np.abs(pixels(rgb_to_luv(picture(flat))) - rgb2luv(flat)).max() < 0.05


def test_white_points() -> None:
    assert white_point((0.9, 1, 1.1)) == (0.9, 1.0, 1.1)
    for wrong in ("D93", (1, 1), (0, 1, 1), (float("nan"), 1, 1)):
        with pytest.raises(ValueError, match="white must be"):
            white_point(wrong)
    white = picture([white_point("D55/10")])
    assert np.abs(pixels(xyz_to_lab(white, "D55/10")) - [100, 0, 0]).max() < 1e-12


def exact_grid() -> torch.Tensor:
    """Every 5th 8-bit colour, random colours, and the first octaves above black."""
    grid = torch.cartesian_prod(*[torch.arange(0, 256, 5) / 255] * 3)
    noise = torch.rand(200000, 3, generator=torch.Generator().manual_seed(0))
    dark = noise * 2.0 ** -torch.randint(0, 20, (200000, 1), generator=torch.Generator().manual_seed(1))
    return torch.cat([grid, noise, dark]).T[None, :, None, :].contiguous()


def test_the_kernel_is_within_its_bound() -> None:
    """1e-4 in all of [0, 1]: OpenCV's float path is off by up to 0.7."""
    image = exact_grid()
    assert (rgb_to_lab(image).double() - rgb_to_lab(image.double())).abs().max() < 1e-4
    values = rgb_to_lab(image)
    assert (lab_to_rgb(values).double() - lab_to_rgb(values.double())).abs().max() < 5e-7


def test_the_kernel_is_within_rounding_far_outside() -> None:
    """Where X is a small difference of large lights, their last digit counts up to 500 * 7.8 times."""
    image = (torch.rand(1, 3, 100, 1000, generator=torch.Generator().manual_seed(0)) - 0.3) * 40
    error = (rgb_to_lab(image) - rgb_to_lab(image.double())).abs()
    assert (error / srgb_to_linear(image).abs().amax(1, keepdim=True).clamp(min=1)).max() < 1e-6 * 500 * 7.8


def test_threads_change_no_bit() -> None:
    image = exact_grid()
    with limit_threads(1):
        alone = rgb_to_lab(image)
    assert torch.equal(rgb_to_lab(image), alone)


def test_the_curve_has_no_step_where_its_line_ends() -> None:
    for function in (rgb_to_lab, rgb_to_luv):
        grey = torch.linspace(0, 0.15, 30001, dtype=torch.float64).expand(1, 3, 1, -1)
        slope = function(grey)[0, 0, 0].diff()
        assert (slope > 0).all()
        assert slope.diff().abs().max() < slope.max() * 2e-2   # sRGB's own knee
