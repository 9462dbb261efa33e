"""Named weights of grey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2gray, rgb2lab

import photochrom
from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from tests.ops.gray.test_color2gray import colours

ALL = ["rec601", "rec709", "rec2020", "average", "red", "green", "blue", "value", "middle"]


def test_against_scikit_image() -> None:
    image = colours(9, 11)
    array = image[0].movedim(0, -1).numpy()
    lightness = photochrom.luminance(image, weights="lightness")[0, 0].numpy()
    assert np.abs(lightness - rgb2lab(array)[..., 0] / 100).max() < 1e-4
    grey = photochrom.luminance(image, weights="rec709")[0, 0].numpy()
    assert np.abs(grey - rgb2gray(array)).max() < 4e-4   # theirs has 0.2125, 0.7154, 0.0721


def test_rec601_on_8_bits_is_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    found = photochrom.luminance(picture)
    theirs = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.abs(found.reshape(theirs.shape).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("weights", ALL)
@pytest.mark.parametrize("space", ["encoded", "linear"])
def test_grey_stays(weights: str, space: str) -> None:
    grey = torch.linspace(-0.5, 1.5, 21, dtype=torch.float64).reshape(1, 1, 3, 7)
    found = photochrom.luminance(grey.expand(-1, 3, -1, -1), weights=weights, space=space)
    assert (found - grey).abs().max() < 1e-9


def test_linear_weighs_light() -> None:
    image = colours(4, 5)
    light = srgb_to_linear(image)
    expected = linear_to_srgb(0.2126 * light[:, :1] + 0.7152 * light[:, 1:2] + 0.0722 * light[:, 2:])
    assert (photochrom.luminance(image, weights="rec709", space="linear") - expected).abs().max() < 1e-12
