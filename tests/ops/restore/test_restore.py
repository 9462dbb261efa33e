"""Enlarging and denoising: colour, grey, 16 bits, alpha, tiles, files, backends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError, FileError
from photochrom.core.recipe import Recipe, loads
from photochrom.core.step import Step
from photochrom.engine.files import Options, run_file
from photochrom.nets.weights import save
from photochrom.num.noise import noise_sigma
from tests.contract.cases import one_sentence, picture
from tests.nets.test_architectures import small


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("weights")
    for name in ("espcn", "vdsr", "dncnn", "rcan", "mdsr", "edsr"):
        save(small(name), place / f"small-{name}.safetensors")
    return place


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_WEIGHTS", str(folder))


KINDS = [("small-espcn", 3), ("small-vdsr", 2), ("small-vdsr", 4), ("small-mdsr", 3), ("bicubic", 2)]


@pytest.mark.parametrize(("model", "scale"), KINDS)
def test_a_run_in_tiles_is_the_whole(model: str, scale: int) -> None:
    image = picture(150, 31)
    step = Step(photochrom.upscale, scale=scale, model=model)
    done: list[int] = []
    whole = step(image)
    assert whole.shape == (1, 3, 150 * scale, 31 * scale)
    parts = photochrom.run(step, image, memory=31 * 3 * 32 * scale ** 2 * 80, progress=done.append)
    assert len(done) > 1
    assert (parts - whole).abs().max() <= 1e-5 * whole.abs().max()


def test_steps_before_and_after_see_their_own_sizes() -> None:
    image = picture(160, 21)
    recipe = Recipe([Step(photochrom.gaussian, sigma=0.8), Step(photochrom.upscale, scale=3, model="small-espcn"),
                     Step(photochrom.brightness, amount=0.1), Step(photochrom.upscale, scale=2, model="bicubic"),
                     Step(photochrom.box, radius=2), Step(photochrom.equalize)])
    done: list[int] = []
    whole = recipe(image)
    parts = photochrom.run(recipe, image, memory=21 * 3 * 32 * 36 * 90, progress=done.append)
    assert len(done) > 4
    assert whole.shape == (1, 3, 960, 126)
    assert (parts - whole).abs().max() <= 1e-4


def test_the_whole_picture_where_attention_asks_for_it() -> None:
    step = Step(photochrom.upscale, scale=2, model="small-rcan")
    image = picture(40, 31)
    assert step.operation.reaches(step.values()) is None
    assert torch.equal(photochrom.run(step, image), step(image))


@pytest.mark.parametrize(("model", "scale"), KINDS)
def test_grey_stays_grey(model: str, scale: int) -> None:
    grey = picture(12, 14, 1)
    alone = photochrom.upscale(grey, scale=scale, model=model)
    assert alone.shape[1] == 1
    if model == "small-mdsr":
        return   # one that knows colour makes of three equal channels what it has learnt to make
    colour = photochrom.upscale(grey.expand(-1, 3, -1, -1), scale=scale, model=model)
    assert (colour - colour.mean(1, keepdim=True)).abs().max() <= 2e-5 * colour.abs().max()
    assert torch.allclose(colour.mean(1, keepdim=True), alone, atol=2e-5 * float(alone.abs().max()))


def test_colour_differences_are_those_of_the_interpolation() -> None:
    from photochrom.color.ycbcr import rgb_to_ycbcr

    image = picture(12, 14)
    found = rgb_to_ycbcr(photochrom.upscale(image, scale=3, model="small-espcn"))
    plain = rgb_to_ycbcr(photochrom.upscale(image, scale=3, model="bicubic"))
    assert torch.allclose(found[:, 1:], plain[:, 1:], atol=1e-5)
    assert not torch.allclose(found[:, :1], plain[:, :1], atol=1e-3)


def test_bicubic_is_that_of_resize() -> None:
    image = picture(12, 14)
    expected = photochrom.resize(image, scale=3, resample="matlab-bicubic-float")
    assert torch.equal(photochrom.upscale(image, scale=3, model="bicubic"), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_depth_and_alpha_are_kept(dtype: Any, bands: int) -> None:
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(1).integers(0, top, (9, 8, bands), dtype, endpoint=True)
    found = photochrom.upscale(pixels, scale=2, model="small-vdsr")
    assert found.dtype == dtype
    assert found.shape == (18, 16, bands)
    cleaned = photochrom.denoise(pixels, model="small-dncnn")
    assert cleaned.dtype == dtype
    if bands in (2, 4):
        assert np.array_equal(cleaned[..., -1], pixels[..., -1])
        opaque = pixels.copy()
        opaque[..., -1] = top
        assert (photochrom.upscale(opaque, scale=2, model="small-vdsr")[..., -1] == top).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_pictures_smaller_than_the_reach(size: tuple[int, int]) -> None:
    image = picture(*size)
    assert photochrom.upscale(image, scale=2, model="small-vdsr").shape[-2:] == (2 * size[0], 2 * size[1])
    for settings in ({"model": "small-dncnn"}, {"model": "small-dncnn", "keep_mean": True}):
        assert photochrom.denoise(image, **settings).isfinite().all()


def test_the_mean_is_kept_if_asked() -> None:
    image = picture(20, 30)
    moved = photochrom.upscale(image, scale=3, model="small-espcn")
    kept = photochrom.upscale(image, scale=3, model="small-espcn", keep_mean=True)
    before = image.mean((-2, -1))
    assert (moved.mean((-2, -1)) - before).abs().max() > 0.01
    assert (kept.mean((-2, -1)) - before).abs().max() < 1e-5
    step = Step(photochrom.upscale, scale=3, model="small-espcn", keep_mean=True)
    assert torch.allclose(photochrom.run(step, image), kept, atol=1e-5)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_other_runtimes_give_the_same_numbers(backend: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime", "openvino": "openvino"}[backend])
    pytest.importorskip("onnx")
    image = picture(21, 18)
    for call in (lambda **more: photochrom.upscale(image, scale=3, model="small-espcn", **more),
                 lambda **more: photochrom.denoise(image, model="small-dncnn", **more)):
        assert torch.allclose(call(backend=backend), call(), atol=1e-5, rtol=1e-5)


def test_bfloat16_is_near() -> None:
    image = picture(21, 18)
    plain = photochrom.denoise(image, model="small-dncnn")
    low = photochrom.denoise(image, model="small-dncnn", precision="bf16")
    assert 0 < (plain - low).abs().max() < 0.02 * (plain - image).abs().max()


def test_noise_is_measured_as_scikit_image_does() -> None:
    restoration = pytest.importorskip("skimage.restoration")
    pytest.importorskip("pywt")
    wave = torch.sin(torch.arange(96) * 0.1)[:, None] * torch.cos(torch.arange(128) * 0.07) * 0.4 + 0.5
    for sigma in (5, 25, 50):
        noise = torch.randn(96, 128, generator=torch.Generator().manual_seed(sigma)) * sigma / 255
        theirs = restoration.estimate_sigma((wave + noise).numpy().astype(np.float64))
        ours = noise_sigma((wave + noise)[None, None]).item()
        assert abs(ours - theirs) < 0.03 * theirs
        assert abs(ours * 255 - sigma) < 0.07 * sigma


def test_no_noise_changes_nothing() -> None:
    image = picture(9, 8)
    assert torch.equal(photochrom.denoise(image, sigma=0), image)
    assert torch.equal(photochrom.run(Step(photochrom.denoise, sigma=0), image), image)


def test_a_recipe_file_holds_the_network() -> None:
    text = Recipe([Step(photochrom.upscale, scale=3, model="small-espcn")]).dumps()
    assert 'model = "small-espcn"' in text
    image = picture(7, 6)
    assert torch.equal(loads(text)(image), photochrom.upscale(image, scale=3, model="small-espcn"))


@pytest.mark.parametrize(("call", "words"), [
    (lambda image: photochrom.upscale(image, scale=2, model="small-espcn"), ("espcn", "3 times", "scale 2")),
    (lambda image: photochrom.upscale(image, scale=5), ("upscale", "scale", "between 2 and 4")),
    (lambda image: photochrom.upscale(image, model="small-dncnn"), ("upscale", "denoise")),
    (lambda image: photochrom.denoise(image, model="small-espcn"), ("denoise", "upscale")),
    (lambda image: photochrom.upscale(image, model="nothing-x2"), ("nothing-x2",)),
    (lambda image: photochrom.denoise(image, model="small-dncnn", backend="onnx", precision="bf16"), ("onnx", "fp32")),
])
def test_what_cannot_be_is_one_sentence(call: Any, words: tuple[str, ...]) -> None:
    with pytest.raises((ControlError, FileError)) as error:
        call(picture(8, 8))
    one_sentence(error, *words)


def test_a_file_becomes_a_larger_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 65535, (90, 40, 3), np.uint16)
    import pyvips

    pyvips.Image.new_from_array(pixels).write_to_file(str(tmp_path / "in.png"))
    step = Step(photochrom.upscale, scale=2, model="small-vdsr")
    done = run_file(step, tmp_path / "in.png", tmp_path / "out.png", Options(memory=40 * 3 * 32 * 4 * 100))
    assert (done.width, done.height) == (80, 180)
    found = photochrom.read(tmp_path / "out.png")
    assert found.about.depth == "uint16"
    expected = step(torch.from_numpy(pixels.astype(np.float32) / 65535).movedim(-1, 0)[None]).clamp(0, 1)
    assert (found.image - expected).abs().max() <= 1e-5 + 0.5 / 65535
