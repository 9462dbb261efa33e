"""What every conversion promises: a way back, its dtype, finite slopes, values outside 0..1; and their list."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import photochrom.color as color
from tests.color import literals
from tests.color.literals import picture, pixels

FROM_RGB = [name for name in color.__all__ if name.startswith("rgb_to_")]
PAIRS = [(name, "_to_".join(reversed(name.split("_to_")))) for name in color.__all__ if "_to_" in name]


def colours(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random colours, the corners of the cube, its edges, greys and near-blacks, (1, 3, 64, 512)."""
    rng = np.random.default_rng(0)
    values = rng.random((64 * 512, 3))
    kind = rng.integers(0, 4, values.shape)
    values[kind == 0] = 0
    values[kind == 1] *= 0.05
    values[:2000] = values[:2000, :1]
    values[2000:2008] = np.indices((2, 2, 2)).reshape(3, -1).T
    return torch.from_numpy(values.T.reshape(1, 3, 64, 512)).to(dtype)


def test_every_conversion_is_on_the_list_and_loads_nothing_early() -> None:
    folder = Path(color.__file__).parent
    listed = {space: set(names) for space, names in color._SPACES.items()}
    for space, names in listed.items():
        module = importlib.import_module(f"photochrom.color.{space}")
        assert (folder / f"{space}.py").exists()
        public = {name for name, made in vars(module).items() if inspect.isfunction(made)
                  and made.__module__ == module.__name__ and not name.startswith("_")}
        shared = {"hexagon", "wheel"} if space == "hsv" else set()
        assert names == public - shared
    assert dir(color) == color.__all__ == sorted(color._EXPORTS)
    for name in color.__all__:
        assert getattr(color, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'rgb_to_cmyk'"):
        color.rgb_to_cmyk   # noqa: B018
    code = "import sys, photochrom.color as c; dir(c); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_editors_are_told_is_the_list() -> None:
    import ast

    tree = ast.parse(Path(color.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    told = {(line.module, alias.asname) for line in block.body if isinstance(line, ast.ImportFrom)
            for alias in line.names}
    assert told == {(f"photochrom.color.{space}", name) for name, space in color._EXPORTS.items()}


def test_every_conversion_has_a_way_back_by_name() -> None:
    assert {name for pair in PAIRS for name in pair} == {name for name in color.__all__ if "_to_" in name}
    assert len(PAIRS) == 38


@pytest.mark.parametrize("name", FROM_RGB)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=str)
@pytest.mark.parametrize("graph", [False, True])
def test_there_and_back(name: str, dtype: torch.dtype, tolerance: float, graph: bool) -> None:
    image = colours(dtype).requires_grad_(graph)
    back = getattr(color, "_to_".join(reversed(name.split("_to_"))))(getattr(color, name)(image))
    assert back.dtype == dtype
    assert (back - image).abs().max() < tolerance


@pytest.mark.parametrize("name", FROM_RGB)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 5e-3)], ids=str)
def test_negative_and_high_values_have_a_way_back(name: str, dtype: torch.dtype, tolerance: float) -> None:
    values = np.random.default_rng(2).uniform(-1, 5, (10000, 3))
    values[:5] = [[-1, 0, 0], [0, -1, -1], [-0.5, 0, 0.5], [2, 2, 0], [-2, -2, -2]]   # V and room of HSL at 0
    image = picture(values, dtype)
    made = getattr(color, name)(image)
    assert made.isfinite().all()
    assert (getattr(color, "_to_".join(reversed(name.split("_to_"))))(made) - image).abs().max() < tolerance


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair[:1]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_slopes_are_finite_everywhere(name: str, dtype: torch.dtype) -> None:
    special = [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5 + 1e-7], [1e-20, 0, 0], [1e-30, 1e-30, 1e-38],
               [1, 0, 0], [1, 1, 0], [0, 1, 1], [0.5, 1, 0], [-1, -1, -1], [-0.5, 0, 0.5], [0, -1, -1], [4, 4, 4],
               [0.0031308] * 3, [0.04045] * 3, [8.0, 0, 0], [20, 0, 0], [50, 1e-20, -1e-20]]
    image = picture(special, dtype).requires_grad_()
    made = getattr(color, name)(image)
    assert made.isfinite().all()
    noise = torch.randn(made.shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    for weights in (torch.ones_like(made), noise):
        slope, = torch.autograd.grad((made * weights).sum(), image, retain_graph=True)
        assert slope.isfinite().all()


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair[:1]])
def test_slopes_are_right(name: str) -> None:
    image = picture([[0.8, 0.2, 0.1], [0.1, 0.6, 0.35], [0.02, 0.03, 0.9], [1.4, -0.2, 0.04], [0.3, 0.31, 0.33]])
    assert torch.autograd.gradcheck(getattr(color, name), (image.requires_grad_(),), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair[:1]])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_dtype_and_shape_are_kept_and_the_input_unchanged(name: str, dtype: torch.dtype) -> None:
    image = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1)).to(dtype)
    before = image.clone()
    made = getattr(color, name)(image)
    assert (made.dtype, made.shape) == (dtype, image.shape)
    assert torch.equal(image, before)
    assert torch.equal(getattr(color, name)(image[1:]), made[1:])
    assert getattr(color, name)(image[:0]).shape == (0, 3, 4, 5)


@pytest.mark.parametrize("name", FROM_RGB)
def test_layout_and_cuts_change_no_number(name: str) -> None:
    """Interleaved pictures, cut-outs, one row, one pixel: always the same bits for the same colour."""
    function = getattr(color, name)
    image = colours(torch.float32)
    whole = function(image)
    assert torch.equal(function(image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)), whole)
    assert torch.equal(function(image[..., 3:30, 5:40]), whole[..., 3:30, 5:40])
    assert torch.equal(function(image[..., 7:8, 9:10]), whole[..., 7:8, 9:10])
    assert torch.equal(function(image.reshape(1, 3, 1, -1)), whole.reshape(1, 3, 1, -1))


@pytest.mark.parametrize("name", [name for name in color.__all__ if "_to_" in name and "srgb" not in name])
def test_what_is_no_colour_picture_is_refused(name: str) -> None:
    for wrong in (torch.rand(1, 4, 2, 2), torch.rand(3, 2, 2), torch.zeros(1, 3, 2, 2, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=r"expected a floating picture \(B, 3, H, W\)"):
            getattr(color, name)(wrong)


def test_nan_stays_where_it_is() -> None:
    image = torch.full((1, 3, 4, 600), 0.5)
    image[0, 1, 2, 300] = float("nan")
    for name in FROM_RGB:
        made = getattr(color, name)(image)
        assert made[0, :, 2, 300].isnan().any(), name
        assert made.isnan().any(1).sum() == 1, name


def test_derivatives_forwards_and_per_picture() -> None:
    """jvp and vmap go by the definition, and agree with gradients."""
    image = torch.rand(2, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for name in FROM_RGB:
        function = getattr(color, name)
        value, tangent = torch.func.jvp(function, (image,), (torch.ones_like(image),))
        slope = torch.autograd.functional.jvp(function, image, torch.ones_like(image))[1]
        assert torch.allclose(value, function(image))
        assert torch.allclose(tangent, slope)
        single = torch.func.grad(lambda part, f=function: f(part).square().sum())(image.float())
        assert single.isfinite().all()


@pytest.mark.parametrize(("name", "wanted", "tolerance"), [
    ("rgb_to_xyz", literals.XYZ, 1e-14), ("rgb_to_lab", literals.LAB, 1e-11), ("rgb_to_luv", literals.LUV, 1e-11),
    # Their OKLab goes by XYZ and a rounded matrix: their grey has b = -5e-5.
    ("rgb_to_oklab", literals.OKLAB, 2e-4), ("rgb_to_lms", literals.CAT16, 1e-14)])
def test_against_colour_science(name: str, wanted: list[list[float]], tolerance: float) -> None:
    assert np.abs(pixels(getattr(color, name)(picture(literals.PIXELS))) - np.array(wanted)).max() < tolerance


def test_hues_against_colour_science() -> None:
    without_grey = [pixel for pixel in literals.PIXELS if len(set(pixel)) > 1]
    assert np.abs(pixels(color.rgb_to_lch(picture(without_grey))) - np.array(literals.LCH)).max() < 1e-11


def test_adaptation_against_colour_science() -> None:
    adapted = pixels(color.adapt_white(picture(literals.XYZ), "D65", "D50"))
    assert np.abs(adapted - np.array(literals.D50)).max() < 1e-14
    back = color.adapt_white(color.adapt_white(picture(literals.XYZ), "A", "D50", "cat02"), "D50", "A", "cat02")
    assert np.abs(pixels(back) - np.array(literals.XYZ)).max() < 1e-14
    for cones in ("cat16", "cat02", "bradford", "hunt_pointer_estevez"):
        white = picture([color.white_point("A")])
        assert np.abs(pixels(color.adapt_white(white, "A", "E", cones)) - 1).max() < 1e-14
        assert torch.allclose(color.lms_to_xyz(color.xyz_to_lms(white, cones), cones), white)
    with pytest.raises(ValueError, match="cones must be one of cat16"):
        color.xyz_to_lms(white, "smith")


@pytest.mark.parametrize(("standard", "levels"), list(literals.YCBCR))
def test_ycbcr_against_colour_science(standard: str, levels: str) -> None:
    made = pixels(color.rgb_to_ycbcr(picture(literals.PIXELS), standard, levels))
    middle = np.array([0, 0.5, 0.5]) if levels == "full" else 0   # they have the differences about 0
    assert np.abs(made - middle - np.array(literals.YCBCR[standard, levels])).max() < 1e-14
    back = color.ycbcr_to_rgb(picture(made), standard, levels)
    assert np.abs(pixels(back) - np.array(literals.PIXELS)).max() < 1e-14


def test_ycbcr_against_scikit_image_and_wrong_words(coffee: np.ndarray) -> None:
    from skimage.color import rgb2ycbcr

    flat = coffee.reshape(-1, 3) / 255.0
    made = pixels(color.rgb_to_ycbcr(picture(flat), levels="studio")) * 255
    assert np.abs(made - rgb2ycbcr(flat)).max() < 1e-3   # their matrix has three decimals
    with pytest.raises(ValueError, match="standard must be"):
        color.rgb_to_ycbcr(picture(flat), "bt2020")
    with pytest.raises(ValueError, match="levels must be"):
        color.ycbcr_to_rgb(picture(flat), levels="tv")


def test_hsv_and_hsl_against_the_standard_library(rocket: np.ndarray) -> None:
    import colorsys

    flat = np.concatenate([rocket.reshape(-1, 3)[::7] / 255.0, np.indices((2, 2, 2)).reshape(3, -1).T])
    hsv = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in flat])
    hls = np.array([colorsys.rgb_to_hls(*pixel) for pixel in flat])
    assert np.abs(pixels(color.rgb_to_hsv(picture(flat))) - hsv * [360, 1, 1]).max() < 1e-10
    assert np.abs(pixels(color.rgb_to_hsl(picture(flat))) - hls[:, [0, 2, 1]] * [360, 1, 1]).max() < 1e-10
    assert np.abs(pixels(color.hsv_to_rgb(picture(hsv * [360, 1, 1] + [720, 0, 0]))) - flat).max() < 1e-12


def test_oklab_is_its_authors() -> None:
    """Ottosson 2020, table of results: XYZ to Lab, three decimals."""
    table = [([0.950, 1.000, 1.089], [1.000, 0.000, 0.000]), ([1.000, 0.000, 0.000], [0.450, 1.236, -0.019]),
             ([0.000, 1.000, 0.000], [0.922, -0.671, 0.263]), ([0.000, 0.000, 1.000], [0.153, -1.415, -0.449])]
    for xyz, lab in table:
        made = pixels(color.rgb_to_oklab(color.xyz_to_rgb(picture([xyz]))))[0]
        assert np.abs(made - lab).max() < 1.5e-3


@pytest.mark.parametrize("name", ["rgb_to_lab", "rgb_to_luv", "rgb_to_oklab"])
def test_greys_have_no_colour(name: str) -> None:
    greys = torch.linspace(0, 4, 1001).expand(1, 3, 1, -1)
    assert getattr(color, name)(greys)[0, 1:].abs().max() < 2e-4   # of 100, in float32
    assert (getattr(color, name)(greys)[0, 0, 0].diff() > 0).all()
    assert (getattr(color, name)(torch.zeros(1, 3, 1, 1)).abs() < 1e-5).all()
