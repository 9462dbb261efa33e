"""Fitting filters: kernels are found again from one photograph, to a thousandth of their taps and better."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from scipy.ndimage import correlate

import photochrom
from photochrom.core.errors import ControlError
from photochrom.learn.kernels import fit_kernel, windows, write_text
from photochrom.learn.pairs import pairs_of

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SHARPEN = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
_BELL = np.exp(-np.arange(-2, 3) ** 2 / 2.0)
BLUR = np.outer(_BELL, _BELL) / _BELL.sum() ** 2
KERNELS = {"sobel": SOBEL, "sharpen": SHARPEN, "blur": BLUR}


@pytest.fixture(scope="module")
def camera() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.camera()[100:356, 150:406])


def stored(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("border", ["mirror", "nearest", "wrap", "constant"])
def test_known_kernels_are_found_to_a_thousandth(camera: np.ndarray, name: str, border: Any) -> None:
    """From an 8-bit copy, in which half of a Sobel picture is clipped to black, whatever the border was."""
    h = KERNELS[name]
    found = fit_kernel(camera, stored(correlate(camera / 255, h, mode=border)), size=len(h))
    assert np.abs(found.kernels[0].numpy() - h).max() < 1e-3
    assert found.psnr > 58


@pytest.mark.parametrize("name", KERNELS)
def test_descent_ends_where_least_squares_does(camera: np.ndarray, name: str) -> None:
    h = KERNELS[name]
    noisy = correlate(camera / 255, h) + np.random.default_rng(0).normal(0, 0.02, camera.shape) + 10   # not clipped
    found = fit_kernel(camera, noisy, size=len(h), offset=True)
    r = len(h) // 2
    # The picture is stored as float32, which the descent is given.
    patches = np.lib.stride_tricks.sliding_window_view((camera / np.float32(255)).astype(float), h.shape)
    patches = patches.reshape(-1, h.size)
    exact = np.linalg.lstsq(np.hstack([patches, np.ones((len(patches), 1))]), noisy[r:-r, r:-r].ravel(), rcond=None)[0]
    np.testing.assert_allclose(found.kernels[0].numpy().ravel(), exact[:-1], atol=1e-6)
    assert found.offset == pytest.approx(exact[-1], abs=1e-6)


def test_colour_and_several_pairs(coffee: np.ndarray, rocket: np.ndarray) -> None:
    def filtered(picture: np.ndarray) -> np.ndarray:
        return np.stack([correlate(picture[..., c] / 255, SHARPEN) for c in range(3)], -1)

    found = fit_kernel([coffee, rocket], [filtered(coffee), filtered(rocket)])
    assert np.abs(found.kernels[0].numpy() - SHARPEN).max() < 1e-6
    assert found.samples == 3 * sum((p.shape[0] - 2) * (p.shape[1] - 2) for p in (coffee, rocket))


MIXTURES = {
    "abs": ([SOBEL, SOBEL.T], lambda x, y: np.abs(x) + np.abs(y)),
    "relu": ([SOBEL, SOBEL.T], lambda x, y: np.maximum(x, 0) + np.maximum(y, 0)),
    "square": ([SOBEL, SOBEL.T], lambda x, y: x ** 2 + y ** 2),
    "magnitude": ([SOBEL, SOBEL.T], np.hypot),
}


@pytest.mark.parametrize("point", MIXTURES)
def test_mixtures_are_found(camera: np.ndarray, point: Any) -> None:
    small = camera[:160, :160] / 255
    hs, mix = MIXTURES[point]
    after = mix(*(correlate(small, h) for h in hs))
    found = fit_kernel(small, after, kernels=2, point=point)
    known = [h if point == "relu" else h * np.sign(h[h != 0][0]) for h in hs]
    for h in known:
        assert min(np.abs(k - h).max() for k in found.kernels.numpy()) < 1e-3, found.kernels
    assert found.psnr > 90


def test_one_rectified_kernel_from_8_bits(camera: np.ndarray) -> None:
    found = fit_kernel(camera, stored(np.abs(correlate(camera / 255, SOBEL))), point="abs")
    assert np.abs(found.kernels[0].numpy() + SOBEL).max() < 1e-3   # the sign is hidden; the first large tap is positive


def test_it_is_deterministic(camera: np.ndarray) -> None:
    after = np.abs(correlate(camera / 255, SOBEL))
    first, again = (fit_kernel(camera, after, point="abs", steps=20, seed=1) for _ in range(2))
    assert first.history == again.history
    assert (first.kernels == again.kernels).all()


def test_windows_that_are_transparent_or_broken_do_not_count(camera: np.ndarray) -> None:
    before, after = camera / 255, correlate(camera / 255, SHARPEN)
    before[10, 10], after[40:60, 30:50] = math.nan, math.inf
    found = fit_kernel(before, after)
    assert np.abs(found.kernels[0].numpy() - SHARPEN).max() < 1e-6
    X, y, weight = windows(pairs_of(before, after), 3, 0)
    assert (weight == 0).sum() == 9 + 22 * 22   # windows that meet a broken value before or after
    assert bool(X.isfinite().all())
    assert bool(y.isfinite().all())


def test_a_flat_picture_tells_nothing_but_the_sum() -> None:
    found = fit_kernel(np.full((9, 9), 0.5), np.full((9, 9), 0.75))
    assert float(found.kernels.sum()) == pytest.approx(1.5, abs=1e-6)
    assert found.kernels.isfinite().all()
    assert fit_kernel(np.zeros((9, 9)), np.zeros((9, 9))).kernels.isfinite().all()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "even": ({"size": 4}, "size must be odd"),
    "nought": ({"size": 0}, "size must be a whole number between 1 and 63, got 0"),
    "huge": ({"size": 65}, "size must be a whole number between 1 and 63, got 65"),
    "larger than the picture": ({"size": 11}, "a picture of 8 x 8 pixels holds no window of 11 x 11"),
    "many without a point": ({"kernels": 2}, "several kernels without a point non-linearity"),
    "point": ({"point": "root"}, "point must be one of none, abs"),
    "steps": ({"steps": 0}, "steps must be"),
    "sizes": ({"after": np.zeros((8, 9))}, "must have one size"),
    "channels": ({"after": np.zeros((8, 8, 3))}, "as many channels, got 1 and 3"),
    "nan": ({"after": np.full((8, 8), np.nan)}, "nothing to compare"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str) -> None:
    changed, sentence = BAD[case]
    given: dict[str, Any] = {"before": np.zeros((8, 8)), "after": np.zeros((8, 8)), **changed}
    with pytest.raises(ControlError) as error:
        photochrom.fit_kernel(given.pop("before"), given.pop("after"), **given)
    assert str(error.value).startswith("fit_kernel: ")
    assert sentence in str(error.value)


def test_the_text_is_rows_of_numbers() -> None:
    text = write_text(torch.tensor(BLUR))
    read = np.array([[float(value) for value in row.split()] for row in text.splitlines()])
    np.testing.assert_allclose(read, BLUR, atol=1e-8)
    assert write_text(torch.zeros(1, 1)) == "0\n"
