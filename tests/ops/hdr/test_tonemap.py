"""Tone mapping: against the formulas of the papers, written out in float64."""

import math

import numpy as np
import pytest
import torch

import photochrom
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.num.bilateral import bilateral

LIGHT = np.array([0.001, 0.02, 0.3, 1.0, 7.0, 80.0])
OPERATORS = ("reinhard", "reinhard_local", "drago", "durand", "fattal", "hable", "aces")


def picture(light=LIGHT):
    return linear_to_srgb(torch.from_numpy(np.asarray(light, float)).reshape(1, 1, 1, -1))


def shown(image):
    return srgb_to_linear(image).flatten().numpy()


MEAN = np.exp(np.log(LIGHT + 1e-6).mean())


def test_reinhard_is_equation_4():
    x = 0.18 * LIGHT / MEAN
    assert np.allclose(shown(photochrom.tonemap_reinhard(picture())), x * (1 + x / x.max() ** 2) / (1 + x))
    assert np.allclose(shown(photochrom.tonemap_reinhard(picture(), key=0.5, white=2.0)),
                       0.5 / 0.18 * x * (1 + 0.5 / 0.18 * x / 4) / (1 + 0.5 / 0.18 * x))


def test_drago_is_equation_4():
    x = LIGHT / MEAN
    expected = np.log(1 + x) / np.log10(1 + x.max()) / np.log(2 + 8 * (x / x.max()) ** (math.log(0.85) / math.log(0.5)))
    assert np.allclose(shown(photochrom.tonemap_drago(picture())), expected)


@pytest.mark.parametrize("film", ["hable", "aces"])
def test_film_curves_are_the_published_ones(film):
    x = 0.18 * LIGHT / MEAN

    def hable(v):
        return (v * (0.15 * v + 0.05) + 0.004) / (v * (0.15 * v + 0.5) + 0.06) - 0.02 / 0.3

    expected = hable(2 * x) / hable(11.2) if film == "hable" else x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    assert np.allclose(shown(photochrom.tonemap_filmic(picture(), film=film)), expected)


def test_local_reinhard_is_the_global_one_without_white_where_light_is_even():
    even = linear_to_srgb(torch.full((1, 3, 20, 20), 4.0, dtype=torch.float64))
    assert np.allclose(shown(photochrom.tonemap_reinhard_local(even)), 0.18 / 1.18, rtol=1e-5)


def test_bilateral_is_the_direct_sum():
    image = torch.rand(1, 1, 14, 17, dtype=torch.float64, generator=torch.Generator().manual_seed(4)) * 0.3
    image[..., 8:] += 2
    y, x = torch.meshgrid(torch.arange(14.0), torch.arange(17.0), indexing="ij")
    place = torch.stack([y.flatten(), x.flatten()], 1).double()
    values = image.flatten()
    weight = torch.exp(-torch.cdist(place, place) ** 2 / 2 / 1.5 ** 2 - (values[:, None] - values) ** 2 / 2 / 0.4 ** 2)
    expected = (weight @ values / weight.sum(1)).reshape(14, 17)
    # five values to a sigma_tone would be exact; one, as in the paper, is near
    assert (bilateral(image, 1.5, 0.4)[0, 0] - expected).abs().max() < 0.03


def test_durand_compresses_the_base_and_keeps_the_detail():
    steps = torch.ones(1, 1, 60, 120, dtype=torch.float64)
    steps[..., 60:] = 1000
    fine = 1 + 0.1 * (torch.arange(120) % 2 * 2 - 1)
    found = srgb_to_linear(photochrom.tonemap_durand(linear_to_srgb(steps * fine), sigma=5.0))
    dark, light = found[..., 20:40].mean(), found[..., 80:100].mean()
    assert light / dark == pytest.approx(5, rel=0.05)
    for part in (found[0, 0, 30, 20:40], found[0, 0, 30, 80:100]):
        assert part.max() / part.min() == pytest.approx(1.1 / 0.9, rel=0.02)


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_door_to_all_is_each_with_its_settings(operator):
    image = linear_to_srgb(torch.exp(4 * torch.randn(1, 3, 20, 30, generator=torch.Generator().manual_seed(6))))
    name = f"tonemap_{operator}" if operator not in ("hable", "aces") else "tonemap_filmic"
    controls = {"film": operator} if name == "tonemap_filmic" else {}
    own = getattr(photochrom, name)(image, **controls)
    assert torch.allclose(photochrom.tonemap(image, operator=operator), own, atol=2e-5, rtol=1e-5)
    assert photochrom.tonemap(image, operator=operator, stops=1).mean() > own.mean()


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("level", [0.0, -5.0, 1e-20, 65504.0])
def test_any_light_has_a_finite_picture_and_slope(operator, level):
    image = torch.full((1, 3, 6, 5), level)
    image[..., 0, 0] = 0.5
    image.requires_grad_()
    found = photochrom.tonemap(image, operator=operator)
    found.sum().backward()
    assert found.isfinite().all()
    assert image.grad.isfinite().all()
