"""Color2Gray against all pairs written again in NumPy, the paper's promises, and its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

import photochrom
from photochrom.color.lab import lab_to_rgb, rgb_to_lab

PICTURES = Path(__file__).parents[3].parent / "shared" / "data" / "color2gray"


def delta(lab: np.ndarray, theta: float = 45.0, bound: float = 10.0) -> np.ndarray:
    """The signed differences of the paper for all pairs of (N, 3)."""
    apart = lab[:, None] - lab[None]
    chroma = bound * np.tanh(np.hypot(apart[..., 1], apart[..., 2]) / bound)
    side = apart[..., 1] * np.cos(np.radians(theta)) + apart[..., 2] * np.sin(np.radians(theta))
    return np.where((np.abs(apart[..., 0]) > chroma) | (side == 0), apart[..., 0], np.copysign(chroma, side))


def objective(grey: np.ndarray, wanted: np.ndarray) -> float:
    return float(((grey[:, None] - grey[None] - wanted) ** 2).sum())


def labs(image: torch.Tensor) -> np.ndarray:
    return rgb_to_lab(image.double())[0].flatten(1).T.numpy()


def light(grey: torch.Tensor) -> np.ndarray:
    """L* of an encoded grey."""
    return rgb_to_lab(grey.double().expand(-1, 3, -1, -1))[0, 0].flatten().numpy()


def colours(height: int, width: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def as_tensor(photo: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(photo).astype(np.float32) / 255).movedim(-1, 0)[None]


def read(name: str) -> np.ndarray:
    if not (PICTURES / name).exists():
        pytest.skip(f"{PICTURES / name} is not there")
    from PIL import Image

    return np.array(Image.open(PICTURES / name).convert("RGB"))


@pytest.mark.parametrize(("theta", "bound"), [(45.0, 10.0), (200.0, 3.0), (-90.0, 40.0)])
def test_it_solves_the_least_squares_of_all_pairs(theta: float, bound: float) -> None:
    """The normal equations, with the mean pinned, by a dense solver."""
    image = colours(5, 7)
    lab = labs(image)
    n = len(lab)
    equations = n * np.eye(n) - 1 + np.full((n, n), 1 / n)   # the last term pins the mean
    expected = np.linalg.solve(equations, delta(lab, theta, bound).sum(1) + lab[:, 0].mean())
    found = light(photochrom.color2gray(image, theta=theta, bound=bound))
    assert np.abs(found - expected).max() < 1e-9


def test_large_pictures_of_few_colours_are_exact() -> None:
    """Beyond 2048 pixels colours are counted: every pair of the 600 is still looked at."""
    palette = (np.random.default_rng(1).integers(0, 256, (600, 3))).astype(np.uint8)
    index = np.random.default_rng(2).integers(0, 600, (90, 110))
    lab = labs(as_tensor(palette[None]))
    share = np.bincount(index.ravel(), minlength=600) / index.size
    expected = (share @ lab[:, 0] + delta(lab) @ share)[index].ravel()
    assert np.abs(light(photochrom.color2gray(as_tensor(palette[index]))) - expected).max() < 1e-3


def test_many_colours_are_gathered_within_half_a_level() -> None:
    """70000 colours off the 8-bit grid: boxes of four levels. Against all sources at 300 of the pixels."""
    image = (colours(250, 280, 3, torch.float32) * 0.5 + torch.linspace(0, 0.4, 280))
    lab = labs(image)
    picked = np.random.default_rng(0).choice(len(lab), 300, replace=False)
    expected = lab[:, 0].mean() + np.array([_ask(lab[i], lab) for i in picked])
    found = light(photochrom.color2gray(image))[picked]
    assert np.abs(found - expected).max() < 0.5 / 255 * 100


def _ask(one: np.ndarray, lab: np.ndarray) -> float:
    apart = one - lab
    chroma = 10 * np.tanh(np.hypot(apart[:, 1], apart[:, 2]) / 10)
    side = apart[:, 1] + apart[:, 2]
    return float(np.where((np.abs(apart[:, 0]) > chroma) | (side == 0), apart[:, 0], np.copysign(chroma, side)).mean())


@pytest.mark.parametrize("seed", range(5))
def test_the_objective_is_never_above_that_of_luminance(seed: int) -> None:
    image = colours(6, 9, seed)
    wanted = delta(labs(image))
    ours = objective(light(photochrom.color2gray(image)), wanted)
    assert ours <= objective(labs(image)[:, 0], wanted)
    assert ours <= objective(light(photochrom.luminance(image)), wanted)


@pytest.mark.parametrize("size", [(7, 9), (120, 130)], ids=["pixels", "counted"])
def test_a_grey_picture_comes_back(size: tuple[int, int]) -> None:
    grey = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.3
    for operation in (photochrom.color2gray, photochrom.color2gray_local):
        assert (operation(grey.expand(-1, 3, -1, -1)) - grey).abs().max() < 1e-4


def test_swapping_theta_mirrors_the_chroma() -> None:
    """A picture of one lightness asks for the opposite at the opposite theta."""
    lab = torch.tensor([[50.0, 20, 0], [50, -10, 5], [50, 0, -25]], dtype=torch.float64).T[None, :, None]
    image = lab_to_rgb(lab)
    one, other = (light(photochrom.color2gray(image, theta=theta)) for theta in (30.0, 210.0))
    assert np.abs((one - 50) + (other - 50)).max() < 1e-6


@pytest.mark.parametrize("name", ["isolum050.ppm", "isolum100.ppm", "isolum200.ppm"])
def test_isoluminant_pictures_keep_their_pattern(name: str) -> None:
    picture = as_tensor(read(name))
    assert photochrom.luminance(picture).std() < 0.5 / 255, "no pattern in luminance (Rec. 601)"
    for grey in (photochrom.color2gray(picture), photochrom.color2gray_local(picture, radius=8)):
        assert grey.std() > 10 / 255


@pytest.mark.parametrize("name", ["mapa.ppm", "ramp.ppm", "teste.ppm", "rua.ppm"])
def test_the_paper_pictures_are_within_half_a_level_of_the_exact_sum(name: str) -> None:
    picture = read(name)
    colour, index, count = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    lab = rgb2lab(colour[None])[0]
    picked = np.random.default_rng(0).choice(len(lab), min(300, len(lab)), replace=False)
    share = count / count.sum()
    found = photochrom.color2gray(as_tensor(picture)).flatten().numpy()
    for i in picked:
        apart = lab[i] - lab
        chroma = 10 * np.tanh(np.hypot(apart[:, 1], apart[:, 2]) / 10)
        wanted = np.where(np.abs(apart[:, 0]) > chroma, apart[:, 0], np.copysign(chroma, apart[:, 1] + apart[:, 2]))
        grey = lab_to_rgb(torch.tensor([share @ lab[:, 0] + share @ wanted, 0, 0])
                                               .reshape(1, 3, 1, 1))[0, 1].item()
        assert np.abs(found[index.ravel() == i] - grey).max() < 0.5 / 255


def test_nothing_that_counts_leaves_the_lightness() -> None:
    image = np.concatenate([(colours(20, 20)[0].movedim(0, -1).numpy()), np.zeros((20, 20, 1))], -1)
    assert np.isfinite(photochrom.color2gray(image)).all()
