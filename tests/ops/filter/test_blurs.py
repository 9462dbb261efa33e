"""Filters against SciPy and against sums written out, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import torch

import photochrom
from tests.color.test_srgb import decode, encode

# What SciPy calls our borders. `normalize` is a zero border divided by the kernel's weight inside.
SCIPY = {"reflect": "mirror", "replicate": "nearest", "circular": "wrap", "constant": "constant"}
BORDERS = [*SCIPY, "normalize"]


def blur(plane: np.ndarray, sigma: float, border: str) -> np.ndarray:
    if border == "normalize":
        return blur(plane, sigma, "constant") / blur(np.ones_like(plane), sigma, "constant")
    return scipy.ndimage.gaussian_filter(plane, sigma, mode=SCIPY[border], truncate=4.0)


def mean(plane: np.ndarray, radius: int, border: str) -> np.ndarray:
    if border == "normalize":
        return mean(plane, radius, "constant") / mean(np.ones_like(plane), radius, "constant")
    kernel = np.full(2 * radius + 1, 1 / (2 * radius + 1))
    for axis in (0, 1):
        plane = scipy.ndimage.correlate1d(plane, kernel, axis=axis, mode=SCIPY[border])
    return plane


def planes(photo: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    pixels = photo.astype(np.float64) / 255
    return torch.from_numpy(pixels).movedim(-1, 0)[None], pixels


def check(found: torch.Tensor, expected: list[np.ndarray], tolerance: float) -> None:
    assert np.abs(found[0].double().numpy() - np.stack(expected)).max() < tolerance


PRECISION = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)],
                                    ids=["64", "32"])


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 2.0, 5.3, 20.0])
@PRECISION
def test_gaussian(rocket: np.ndarray, sigma: float, border: str, dtype: torch.dtype, tolerance: float) -> None:
    image, pixels = planes(rocket)
    found = photochrom.gaussian(image.to(dtype), sigma=sigma, border=border)
    check(found, [blur(pixels[..., c], sigma, border) for c in range(3)], tolerance)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("radius", [0, 1, 2, 7, 40, 90])
@PRECISION
def test_box(rocket: np.ndarray, radius: int, border: str, dtype: torch.dtype, tolerance: float) -> None:
    image, pixels = planes(rocket)
    found = photochrom.box(image.to(dtype), radius=radius, border=border)
    check(found, [mean(pixels[..., c], radius, border) for c in range(3)], tolerance)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("sigma", "amount"), [(0.7, 3.0), (2.0, 0.5), (20.0, 1.0)])
@PRECISION
def test_unsharp_mask(rocket: np.ndarray, sigma: float, amount: float, border: str, dtype: torch.dtype,
                      tolerance: float) -> None:
    image, pixels = planes(rocket)
    found = photochrom.unsharp_mask(image.to(dtype), sigma=sigma, amount=amount, border=border)
    expected = [plane + amount * (plane - blur(plane, sigma, border)) for plane in pixels.transpose(2, 0, 1)]
    check(found, expected, tolerance * (1 + amount))


def test_in_linear_light_the_light_is_mixed(coffee: np.ndarray) -> None:
    image, pixels = planes(coffee)
    lights = decode(pixels).transpose(2, 0, 1)
    check(photochrom.gaussian(image, sigma=2.0, space="linear"),
          [encode(blur(light, 2.0, "reflect")) for light in lights], 1e-10)
    check(photochrom.box(image, radius=3, space="linear"),
          [encode(mean(light, 3, "reflect")) for light in lights], 1e-10)
    check(photochrom.unsharp_mask(image, sigma=2.0, amount=0.8, space="linear"),
          [encode(light + 0.8 * (light - blur(light, 2.0, "reflect"))) for light in lights], 1e-10)


def test_black_and_white_stripes_mix_to_half_the_light() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 1, 64, 64)
    linear = photochrom.gaussian(stripes, sigma=5.0, space="linear")[..., 20:44, 20:44]
    encoded = photochrom.gaussian(stripes, sigma=5.0)[..., 20:44, 20:44]
    assert encoded.mean().item() == pytest.approx(0.5, abs=1e-5)
    assert linear.mean().item() == pytest.approx(0.735357, abs=1e-4)   # encode(0.5)


def test_wide_blurs_of_small_pictures(coffee: np.ndarray) -> None:
    """The kernel reaches round the picture several times."""
    image, pixels = planes(coffee[:5, :9])
    for border in BORDERS:
        check(photochrom.gaussian(image, sigma=8.0, border=border),
              [blur(pixels[..., c], 8.0, border) for c in range(3)], 1e-12)
        check(photochrom.box(image, radius=23, border=border),
              [mean(pixels[..., c], 23, border) for c in range(3)], 1e-12)


def test_blurs_keep_a_flat_picture_and_the_sum_of_a_dot() -> None:
    flat = torch.full((1, 1, 20, 30), 0.37, dtype=torch.float64)
    dot = torch.zeros(1, 1, 61, 61, dtype=torch.float64)
    dot[..., 30, 30] = 1
    for blurred in (lambda x: photochrom.gaussian(x, sigma=3.0), lambda x: photochrom.box(x, radius=4)):
        assert (blurred(flat) - flat).abs().max() < 1e-14
        assert blurred(dot).sum().item() == pytest.approx(1, abs=1e-13)
    spread = photochrom.gaussian(dot, sigma=3.0)[0, 0]
    place = torch.arange(61, dtype=torch.float64) - 30
    # cut at 4 sigma the variance is a little below sigma^2
    assert (spread.sum(0) * place**2).sum().sqrt().item() == pytest.approx(3.0, rel=2e-3)


@pytest.mark.parametrize("name", ["gaussian", "unsharp_mask"])
def test_the_slope_in_the_picture_is_the_mirrored_filter(name: str) -> None:
    """A symmetric filter with a circular border is its own transpose."""
    x, y = (torch.rand(1, 1, 14, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    x.requires_grad_()
    filtered = getattr(photochrom, name)(x, sigma=1.3, border="circular")
    (slope,) = torch.autograd.grad((filtered * y).sum(), x)
    assert (slope - getattr(photochrom, name)(y, sigma=1.3, border="circular")).abs().max() < 1e-14
