"""The one rule for transparency: premultiply, work, unpremultiply; alpha untouched where pixels are looked at alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.alpha import with_alpha
from photochrom.core.op import operation_of
from photochrom.core.registry import registry
from tests.contract.cases import every, others, picture

PIXELWISE = [operation for operation in map(registry.get, registry.names())
             if operation.reach == "pixel" or operation.measured is not None]
BLURS = [registry.get(name) for name in ("gaussian", "box")]


def cut_out(hidden: tuple[float, float, float], soft: bool = False) -> np.ndarray:
    """A red square on nothing; `hidden` is the colour under what is transparent."""
    pixels = np.zeros((40, 40, 4), np.float32)
    pixels[..., :3] = hidden
    pixels[14:26, 14:26] = (1, 0.25, 0, 1)
    if soft:
        pixels[14:26, 14:26, 3] = np.linspace(0.2, 1, 12)
    return pixels


@every(PIXELWISE)
def test_alpha_passes_untouched_where_neighbours_do_not_mix(operation: object) -> None:
    pixels = cut_out((0.3, 0.9, 0.4), soft=True)
    given = others(operation, picture(40, 40))
    function = getattr(photochrom, operation.name)
    for way in (lambda x: function(x, **given), photochrom.Step(operation, **given),
                lambda x: photochrom.run(photochrom.Step(operation, **given), x)):
        assert np.array_equal(way(pixels)[..., -1], pixels[..., 3])
        small = (pixels * 255).round().astype(np.uint8)
        assert np.array_equal(way(small)[..., -1], small[..., 3])


@every(BLURS)
@pytest.mark.parametrize("border", ["reflect", "replicate", "circular", "constant", "normalize"])
def test_hidden_colours_do_not_show_in_a_blur(operation: object, border: str) -> None:
    function = getattr(photochrom, operation.name)
    blue, green = (function(cut_out(hidden), border=border) for hidden in ((0, 0, 1), (0, 1, 0)))
    seen = blue[..., 3] > 1e-6
    assert 0.1 < seen.mean() < 1
    assert np.abs(blue[seen] - green[seen]).max() < 1e-5
    assert np.allclose(blue[seen][:, :3], (1, 0.25, 0), atol=1e-4), "a square of one colour keeps its colour to its rim"
    assert np.array_equal(blue[~seen][:, :3], cut_out((0, 0, 1))[~seen][:, :3])
    alone = function(np.ascontiguousarray(cut_out((0, 0, 0))[..., 3]), border=border)
    assert np.abs(blue[..., 3] - alone.clip(0, 1)).max() < 1e-6


@every(BLURS)
def test_alpha_is_blurred_as_it_is_in_linear_light_too(operation: object) -> None:
    function = getattr(photochrom, operation.name)
    linear, encoded = (function(cut_out((0, 0, 1)), space=space) for space in ("linear", "encoded"))
    assert np.abs(linear[..., 3] - encoded[..., 3]).max() < 1e-6


@every(BLURS)
def test_opaque_pictures_are_blurred_as_if_they_had_no_alpha(operation: object) -> None:
    pixels = np.random.default_rng(0).random((20, 22, 4)).astype(np.float32)
    pixels[..., 3] = 1
    function = getattr(photochrom, operation.name)
    for border in ("reflect", "replicate", "circular", "normalize"):
        result = function(pixels, border=border)
        assert np.abs(result[..., :3] - function(pixels[..., :3], border=border)).max() < 1e-5
        assert np.abs(result[..., 3] - 1).max() < 1e-6


def test_what_is_transparent_does_not_count_in_statistics() -> None:
    reference = picture(9, 9, low=0.2, high=0.8)
    results = []
    for hidden in ((0, 0, 1), (0, 1, 0)):
        pixels = np.random.default_rng(0).random((40, 40, 4)).astype(np.float32) * 0.8 + 0.1
        pixels[..., 3] = cut_out((0, 0, 0))[..., 3]
        pixels[pixels[..., 3] == 0, :3] = hidden
        results.append([photochrom.transfer_statistics(pixels, reference),
                        photochrom.Step(photochrom.transfer_statistics, reference=reference)(pixels),
                        photochrom.run(photochrom.Step(photochrom.transfer_statistics, reference=reference), pixels)])
    inside = cut_out((0, 0, 0))[..., 3] == 1
    for blue, green in zip(*results, strict=True):
        assert np.abs(blue[inside] - green[inside]).max() < 1e-6
        assert np.abs(blue[inside] - results[0][0][inside]).max() < 1e-6


def test_without_alpha_the_call_is_the_call() -> None:
    image = torch.rand(1, 3, 4, 4)
    result, alpha = with_alpha(operation_of(photochrom.gaussian), image, None, {}, lambda picture: picture + 1)
    assert torch.equal(result, image + 1)
    assert alpha is None


def test_strength_blends_alpha_like_colour() -> None:
    pixels = cut_out((0, 0, 1))
    whole, half = (photochrom.Step(photochrom.box, radius=2, strength=strength)(pixels) for strength in (1.0, 0.5))
    assert np.abs(half[..., 3] - (whole[..., 3] + pixels[..., 3]) / 2).max() < 1e-6
    assert np.array_equal(photochrom.Step(photochrom.box, radius=2, strength=0.0)(pixels), pixels)
