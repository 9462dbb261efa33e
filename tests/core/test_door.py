"""The door: every kind of picture in, the same kind, depth and range out; anything else refused with what mends it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.core.door import enter, through_the_door, to_depth
from photochrom.core.errors import ControlError

REFUSED: dict[str, tuple[Any, str]] = {
    "uint8 tensor": (torch.zeros(1, 3, 2, 2, dtype=torch.uint8), "torch.uint8; use image.float() / 255"),
    "uint16 tensor": (torch.zeros(1, 3, 2, 2, dtype=torch.uint16), "torch.uint16; use image.float() / 65535"),
    "long tensor": (torch.zeros(1, 3, 2, 2, dtype=torch.int64), "floating tensor with display range 0..1"),
    "tensor of three axes": (torch.zeros(3, 2, 2), "(B, C, H, W) and not be empty, got (3, 2, 2)"),
    "empty tensor": (torch.zeros(1, 3, 0, 2), "not be empty, got (1, 3, 0, 2)"),
    "complex tensor": (torch.zeros(1, 3, 2, 2, dtype=torch.complex64), "floating tensor"),
    "int array": (np.zeros((2, 2, 3), np.int64), "got int64"),
    "signed array": (np.zeros((2, 2, 3), np.int16), "got int16"),
    "bool array": (np.zeros((2, 2), bool), "got bool"),
    "text array": (np.array([["a"]]), "got <U1"),
    "object array": (np.array([[None]]), "got object"),
    "foreign byte order": (np.zeros((2, 2, 3), ">u2"), "native byte order, got >u2"),
    "foreign floats": (np.zeros((2, 2, 3), ">f4"), "native byte order, got >f4"),
    "long double": (np.zeros((2, 2, 3), np.longdouble), "float64 values"),
    "line": (np.zeros(5, np.uint8), "(H, W) or (H, W, C) with 1 to 4 channels, got (5,)"),
    "five bands": (np.zeros((2, 2, 5), np.uint8), "1 to 4 channels, got (2, 2, 5)"),
    "channels first": (np.zeros((3, 20, 20), np.uint8), "1 to 4 channels, got (3, 20, 20)"),
    "batch": (np.zeros((1, 2, 2, 3), np.uint8), "1 to 4 channels, got (1, 2, 2, 3)"),
    "empty array": (np.zeros((0, 2, 3), np.uint8), "got (0, 2, 3)"),
    "cmyk": (Image.new("CMYK", (2, 2)), "mode CMYK; use picture.convert('RGB')"),
    "hsv": (Image.new("HSV", (2, 2)), "mode HSV; use picture.convert('RGB')"),
    "int picture": (Image.new("I", (2, 2)), "mode I; use numpy.asarray(picture)"),
    "list": ([[0.5]], "a tensor, a NumPy array, a PIL picture or a Photo, got list"),
    "path": ("photo.jpg", "got str"),
    "nothing": (None, "got NoneType"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_picture_is_refused(case: str) -> None:
    picture, words = REFUSED[case]
    for way in (photochrom.negative, photochrom.Step(photochrom.negative)):
        with pytest.raises(ControlError) as error:
            way(picture)
        assert str(error.value).startswith("negative: image ")
        assert words in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(("mode", "back"), [("1", "L"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("RGB", "RGB"),
                                            ("RGBA", "RGBA"), ("I;16", "I;16"), ("F", "F"), ("PA", "RGBA")])
def test_pil_pictures_come_back_as_pil_pictures(mode: str, back: str) -> None:
    result = photochrom.brightness(Image.new(mode, (5, 3)), amount=0.0)
    assert isinstance(result, Image.Image)
    assert (result.mode, result.size) == (back, (5, 3))


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "F"])
def test_deep_grey_pil_pictures_keep_their_depth_or_say_that_pil_cannot(mode: str) -> None:
    values = np.random.default_rng(4).random((9, 12)).astype(np.float32)
    levels = np.round(values * 65535)
    stored = values if mode == "F" else levels.astype(">u2" if mode == "I;16B" else "<u2")
    deep = Image.frombytes(mode, (12, 9), stored.tobytes())
    made = photochrom.gaussian(deep)
    expected = photochrom.gaussian(values if mode == "F" else levels.astype(np.uint16))
    assert made.mode == ("F" if mode == "F" else "I;16")
    np.testing.assert_array_equal(np.asarray(made), expected)
    dots = [(3.5, 4.5, 0.9, 0.3, 0.2)]
    with pytest.raises(ControlError, match=r"3 channels of (16 bits|floats), which no PIL picture can hold") as error:
        photochrom.colorize_scribbles(deep, dots=dots)
    assert ". " not in str(error.value)
    native = np.asarray(deep).astype(np.float32 if mode == "F" else np.uint16)
    assert photochrom.colorize_scribbles(native, dots=dots).shape == (9, 12, 3)
    laid = photochrom.seamless_clone(Image.fromarray(np.zeros((9, 12, 3), np.uint8)), deep)   # as a second picture
    assert (laid.mode, laid.size) == ("RGB", (12, 9))


def test_a_palette_with_transparency_keeps_it() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    picture.info["transparency"] = bytes([255, 0])
    result = photochrom.negative(picture)
    assert result.mode == "RGBA"
    assert result.getpixel((0, 0)) == (0, 255, 255, 255)
    assert result.getpixel((1, 0))[3] == 0


def test_read_only_and_turned_arrays_are_taken_without_a_warning() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    views = [pixels[::-1], pixels[:, ::-2], pixels[..., ::-1], np.asfortranarray(pixels), pixels.transpose(1, 0, 2)]
    frozen = pixels.copy()
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for view in [*views, frozen, Image.fromarray(pixels)]:
            assert np.array_equal(photochrom.negative(view), 255 - np.asarray(view))
        frozen_floats = np.zeros((4, 5), np.float32)
        frozen_floats.flags.writeable = False
        assert photochrom.negative(frozen_floats).min() == 1


def test_integers_are_rounded_half_to_even_and_clipped() -> None:
    values = torch.tensor([-1.0, -0.001, 0.5, 1.5, 2.5, 3.4999, 254.5, 255.0, 300.0]) / 255
    exact = torch.tensor([0.5, 1.5, 2.5]) / 256   # times 256 these are exactly halfway; times 255 they are not
    assert to_depth(values, np.dtype(np.uint8)).tolist()[:2] == [0, 0]
    assert to_depth(values, np.dtype(np.uint8)).tolist()[5:] == [3, 254, 255, 255]
    assert to_depth(exact * 256 / 255, np.dtype(np.uint8)).tolist() == [0, 2, 2]
    assert to_depth(torch.tensor([2.0, -1.0]), np.dtype(np.uint16)).tolist() == [65535, 0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_neither_scaled_nor_clipped(dtype: str) -> None:
    pixels = np.array([[-1.5, 0.0, 7.25]], dtype)
    result = photochrom.brightness(pixels, amount=1.0)
    assert result.dtype == np.dtype(dtype)
    assert result.tolist() == [[-0.5, 1.0, 8.25]]


def test_gradients_pass_for_tensors_and_end_at_arrays() -> None:
    amount = torch.nn.Parameter(torch.tensor(0.25))
    assert photochrom.brightness(torch.zeros(1, 1, 1, 1), amount=amount).requires_grad
    assert photochrom.brightness(np.zeros((1, 1), np.float32), amount=amount).tolist() == [[0.25]]


def test_opened_pictures_know_their_alpha() -> None:
    for bands, colours in ((1, 1), (2, 1), (3, 3), (4, 3)):
        opened = enter(np.full((2, 5, bands), 51, np.uint8), "test")
        assert opened.image.shape == (1, colours, 2, 5)
        assert opened.image.dtype == torch.float32
        assert opened.image.unique().item() == torch.tensor(51 / 255)
        assert (opened.alpha is not None) == (bands in (2, 4))
    assert enter(torch.zeros(1, 4, 2, 2), "test").alpha is None, "the channels of a tensor are never guessed at"


def test_an_array_result_does_not_share_memory_with_a_scaled_input() -> None:
    pixels = np.full((3, 4, 3), 7, np.uint8)
    result = photochrom.brightness(pixels, amount=0.0)
    result[:] = 0
    assert pixels.min() == 7


def borrowed(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    return source


@pytest.mark.parametrize("given", [np.full((2, 3), 0.25, np.float32), torch.full((1, 1, 2, 3), 0.25)])
def test_a_result_shares_no_memory_with_what_came_in(given: Any) -> None:
    operation = replace(photochrom.seamless_clone.operation, function=borrowed, controls={})
    picture = np.zeros((2, 3), np.float32)
    for ports in ({"image": picture, "source": given}, {"image": given, "source": picture}):
        made = through_the_door(operation, ports, {})
        if isinstance(made, np.ndarray):
            made[:] = 1
    assert float(np.asarray(given).max()) == 0.25
    assert picture.max() == 0
    assert np.array_equal(photochrom.identity(picture), picture)
    photochrom.identity(picture)[:] = 1
    assert picture.max() == 0
