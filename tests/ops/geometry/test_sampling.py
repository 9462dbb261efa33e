"""Resize, downsample, upsample, crop: published files, other libraries, definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.core.errors import ControlError, PhotochromError
from photochrom.num.sampling import resample_planes, windows

SET5 = Path(__file__).parents[4] / "shared" / "data" / "sr" / "Set5"


def picture(height=23, width=31, channels=3, batch=1, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, channels, height, width, generator=generator, dtype=torch.float64).to(dtype)


def luma(rgb):
    """Y of MATLAB's rgb2ycbcr of an 8-bit picture."""
    rgb = rgb.astype(float)
    return np.rint(16 + (65.481 * rgb[..., 0] + 128.553 * rgb[..., 1] + 24.966 * rgb[..., 2]) / 255)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_matlab_bicubic_gives_the_published_files_bit_for_bit(factor):
    if not SET5.exists():
        pytest.skip("needs ../shared/data/sr/Set5")
    paths = sorted((SET5 / f"x{factor}").glob("*_HR.png"))
    assert len(paths) == 5
    for path in paths:
        high = np.asarray(Image.open(path).convert("RGB"))
        low = np.asarray(Image.open(str(path).replace("_HR", "_LR")).convert("RGB"))
        np.testing.assert_array_equal(photochrom.resize(high, scale=1 / factor, resample="matlab-bicubic"), low)


@pytest.mark.parametrize(("factor", "expected"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_published_figures_of_bicubic_on_luma(factor, expected):
    """Luma of the low files, rounded to 8 bits, goes up as floating numbers and is not rounded again."""
    if not SET5.exists():
        pytest.skip("needs ../shared/data/sr/Set5")
    figures = []
    for path in sorted((SET5 / f"x{factor}").glob("*_HR.png")):
        high = np.asarray(Image.open(path).convert("RGB"))
        low = luma(np.asarray(Image.open(str(path).replace("_HR", "_LR")).convert("RGB")))
        again = photochrom.resize(low / 255, size=high.shape[:2], resample="matlab-bicubic-float") * 255
        apart = (again - luma(high))[factor:-factor, factor:-factor]
        figures.append(10 * np.log10(255 ** 2 / np.mean(apart ** 2)))
    assert len(figures) == 5
    assert np.mean(figures) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("size", [(11, 15), (46, 62), (23, 40), (7, 90), (1, 1)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_antialiased_weights_are_those_of_torch(size, mode, dtype):
    image = picture(dtype=dtype)
    expected = torch.nn.functional.interpolate(image.double(), size=size, mode=mode, antialias=True)
    made = photochrom.resize(image, size=size, resample=mode)
    assert made.dtype == dtype
    torch.testing.assert_close(made.double(), expected, atol=2e-6 if dtype == torch.float32 else 1e-12, rtol=0)


@pytest.mark.parametrize("kind", ["nearest", "bilinear", "bicubic", "lanczos", "area"])
def test_pillow_agrees_and_planes_are_those_of_the_matrix(kind):
    names = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
             "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
    image = picture(channels=1)
    for size in ((12, 20), (40, 64)):
        made = photochrom.resize(image, size=size, resample=kind)
        if kind != "area":   # Pillow's box takes whole pixels only
            expected = np.asarray(Image.fromarray(image[0, 0].numpy(), "F").resize(size[::-1], names[kind]))
            np.testing.assert_allclose(made[0, 0].numpy(), expected, atol=2e-6)
        rows, columns = windows(23, size[0], 0, 23, kind), windows(31, size[1], 0, 31, kind)
        exact = rows.band.dense() @ image[0, 0].double() @ columns.band.dense().T
        np.testing.assert_allclose(made[0, 0].double().numpy(), exact.numpy(), atol=1e-6)
        assert rows.weights.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["bicubic", "bilinear", "lanczos", "nearest", "area"])
def test_the_same_size_is_the_same_picture(kind):
    image = picture()
    image[..., 3, 4] = torch.nan
    made = photochrom.resize(image, size=(23, 31), resample=kind)
    assert torch.equal(made.nan_to_num(9), image.nan_to_num(9))


def test_not_a_number_stays_where_it_is():
    image = picture(40, 40)
    image[..., 20, 20] = torch.nan
    lost = photochrom.resize(image, scale=0.5).isnan()[0, 0].nonzero()
    assert (lost - 10).abs().max() <= 2


def test_light_is_mixed_where_asked():
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 3, 4, 16)
    made = photochrom.resize(stripes, scale=0.5, resample="area", space="linear")
    expected = torch.full_like(made, 0.735357)   # 1.055 / 2 ** (1 / 2.4) - 0.055
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)


def test_what_is_transparent_lends_no_colour():
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :4] = (200, 100, 50, 255)
    image[:, 4:] = (0, 255, 0, 0)
    made = photochrom.resize(image, size=(8, 4), resample="bilinear")
    shown = made[..., 3] > 0
    assert (np.abs(made[shown][:, :3].astype(int) - (200, 100, 50)) <= 1).all()


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"size": (0, 4)}, {"size": (10 ** 6, 10 ** 6)}, {"scale": 1001.0}])
def test_sizes_that_cannot_be_are_one_sentence(wrong):
    with pytest.raises(ControlError) as error:
        photochrom.resize(picture(), **wrong)
    assert "\n" not in str(error.value)
    assert "resize" in str(error.value)


def test_every_third_pixel_and_back():
    image = picture(9, 12)
    assert torch.equal(photochrom.downsample(image, factor=3, prefilter="none"), image[..., 1::3, 1::3])
    wide = photochrom.upsample(image, factor=3, between="zeros")
    assert torch.equal(photochrom.downsample(wide, factor=3, prefilter="none"), image)
    assert wide.sum() == pytest.approx(float(image.sum()), rel=1e-5)


def test_aliasing_is_seen_without_the_prefilter_only():
    x = torch.arange(240.0)
    waves = (0.5 + 0.5 * torch.cos(2 * torch.pi * 0.45 * x)).expand(1, 1, 240, 240)
    bare, blurred = (photochrom.downsample(waves, factor=3, prefilter=kind) for kind in ("none", "gaussian"))
    assert bare.std() > 0.3
    assert blurred[..., 4:-4].std() < 0.02


@pytest.mark.parametrize("kind", ["bicubic", "bilinear", "lanczos", "area"])
@pytest.mark.parametrize("size", [(5, 4), (9, 15), None])
def test_the_gradient_of_all_four_numbers_of_a_box(kind, size):
    image = picture(11, 13, batch=2, dtype=torch.float64).requires_grad_()
    box = torch.tensor([[2.31, 1.72, 10.24, 8.93], [-0.62, 0.41, 5.13, 9.27]], dtype=torch.float64, requires_grad=True)
    size = size or (7, 8)
    assert torch.autograd.gradcheck(lambda image, box: photochrom.crop(image, box=box, size=size, resample=kind),
                                    (image, box))


@pytest.mark.parametrize("kind", ["bicubic", "bilinear", "lanczos", "area", "nearest"])
def test_a_learnt_box_gives_the_numbers_of_a_plain_one(kind):
    image, box = picture(dtype=torch.float64), (3.3, -1.2, 20.7, 18.4)
    learnt = photochrom.crop(image, box=torch.tensor(box, dtype=torch.float64), size=(30, 12), resample=kind)
    plain = photochrom.crop(image, box=box, size=(30, 12), resample=kind)
    torch.testing.assert_close(learnt, plain, atol=1e-12, rtol=0)


def test_a_box_of_whole_pixels_is_cut_out_bit_for_bit():
    image = picture()
    for box in ((0, 0, 31, 23), torch.tensor([0.0, 0.0, 31.0, 23.0]), None):
        assert torch.equal(photochrom.crop(image, box=box), image)
    assert torch.equal(photochrom.crop(image, box=(4, 2, 14, 9)), image[..., 2:9, 4:14])
    near = photochrom.crop(image, box=torch.tensor([4.0, 2.0, 14.0, 9.0]))
    assert torch.equal(near, image[..., 2:9, 4:14])


def test_a_crop_is_a_part_of_the_resized_picture():
    image = picture(24, 32, dtype=torch.float64)
    whole = photochrom.resize(image, scale=2.0)
    part = photochrom.crop(image, box=(8, 6, 20, 18), size=(24, 24))
    torch.testing.assert_close(part, whole[..., 12:36, 16:40], atol=1e-12, rtol=0)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (9, 5, 5, 9), (40, 0, 50, 5), (-9, -9, 0, 0), (0, 0, float("nan"), 4),
                                 torch.tensor([9.0, 5.0, 5.0, 9.0]), torch.tensor([40.0, 0.0, 50.0, 5.0])])
def test_boxes_that_hold_nothing_are_one_sentence(box):
    with pytest.raises(PhotochromError) as error:
        photochrom.crop(picture(), box=box)
    assert "crop" in str(error.value)
    assert "\n" not in str(error.value)


def test_resampling_is_carried_back_by_the_transposed_weights():
    image = picture(9, 14, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: photochrom.resize(image, size=(5, 20)), (image,))
    rows, columns = windows(9, 5, 0, 9, "bicubic"), windows(14, 20, 0, 14, "bicubic")
    single = image.detach().float().requires_grad_()
    weights = picture(5, 20, seed=3)
    (resample_planes(single, rows, columns) * weights).sum().backward()
    expected = rows.band.dense().T @ weights[0].double() @ columns.band.dense()
    torch.testing.assert_close(single.grad[0].double(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["bicubic", "lanczos", "area"])
@pytest.mark.parametrize("size", [(5, 4), (19, 25)])
def test_the_kernel_carries_back_to_picture_and_box_what_the_definition_does(kind, size):
    box = torch.tensor([-1.6, 2.3, 14.2, 12.5], dtype=torch.float64, requires_grad=True)
    image, weights = picture(13, 17), picture(*size, seed=5)
    found = []
    for dtype in (torch.float32, torch.float64):
        one = image.to(dtype).requires_grad_()
        made = photochrom.crop(one, box=box, size=size, resample=kind)
        found.append(torch.autograd.grad((made * weights.to(dtype)).sum(), [one, box]))
    torch.testing.assert_close(found[0][0].double(), found[1][0], atol=2e-6, rtol=0)
    torch.testing.assert_close(found[0][1], found[1][1], atol=2e-5, rtol=1e-5)
