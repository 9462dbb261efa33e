"""Correlation by every method against SciPy in float64, its gradients, and pictures and kernels that are not nice."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage, signal

from photochrom.num import overlap
from photochrom.num.convolve import choose, convolve, correlate, separable_parts
from photochrom.num.places import Place

METHODS: Any = ("direct", "separable", "fourier", "auto")
SCIPY = {"reflect": "mirror", "replicate": "nearest", "circular": "wrap", "constant": "constant"}
SIZES = [(40, 53), (7, 5), (1, 9), (130, 300)]
KERNELS = [(3, 3), (2, 2), (1, 4), (15, 15), (31, 20), (5, 1), (1, 1)]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def weights(rows: int, columns: int) -> np.ndarray:
    made = numbers(rows, columns, seed=1) / (rows * columns)
    return np.outer(made[0], made[1]) * 15 if rows == columns == 15 else made


@pytest.mark.parametrize("shape", KERNELS, ids=str)
@pytest.mark.parametrize("border", SCIPY)
def test_same_equals_scipy(border: Any, shape: tuple[int, int]) -> None:
    kernel = weights(*shape)
    for height, width in SIZES:
        image = numbers(2, 2, height, width)
        expected = np.stack([[ndimage.correlate(p, kernel, mode=SCIPY[border]) for p in planes] for planes in image])
        for method, (dtype, near) in itertools.product(METHODS, ((torch.float32, 3e-6), (torch.float64, 1e-13))):
            found = correlate(torch.tensor(image, dtype=dtype), kernel, border, "same", method)
            assert found.dtype == dtype
            assert np.abs(found.numpy() - expected).max() < near, (height, width, method, dtype)


@pytest.mark.parametrize("size", ["full", "valid"])
@pytest.mark.parametrize("shape", KERNELS, ids=str)
def test_full_and_valid_equal_scipy(shape: tuple[int, int], size: Any) -> None:
    kernel = weights(*shape)
    for height, width in SIZES:
        image = numbers(1, 2, height, width)
        if size == "valid" and (shape[0] > height or shape[1] > width):
            with pytest.raises(ValueError, match="leaves nothing valid"):
                convolve(torch.tensor(image), kernel, "constant", size)
            continue
        expected = np.stack([[signal.convolve(p, kernel, mode=size, method="direct") for p in image[0]]])
        for method, (dtype, near) in itertools.product(METHODS, ((torch.float32, 3e-6), (torch.float64, 1e-13))):
            found = convolve(torch.tensor(image, dtype=dtype), kernel, "constant", size, method).numpy()
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() < near, (height, width, method, dtype)


def test_the_definitions() -> None:
    image, kernel = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3), np.array([[1.0, 2], [3, 4]])
    for method in METHODS:
        near = 0 if method == "direct" else 1e-5
        for function, rows in ((correlate, [[37.0, 47], [67, 77]]), (convolve, [[23.0, 33], [53, 63]])):
            torch.testing.assert_close(function(image, kernel, "constant", "valid", method)[0, 0], torch.tensor(rows),
                                       atol=near, rtol=0)


def test_normalize_averages_what_is_inside() -> None:
    image = torch.tensor(numbers(1, 1, 5, 6), dtype=torch.float64)
    for method in METHODS:
        found = correlate(image, np.full((3, 3), 1 / 9), "normalize", "same", method)
        torch.testing.assert_close(found[0, 0, 0, 0], image[0, 0, :2, :2].mean())
        torch.testing.assert_close(found[0, 0, 2, 5], image[0, 0, 1:4, 4:].mean())
        torch.testing.assert_close(found[0, 0, 2, 2], image[0, 0, 1:4, 1:4].mean())
    # of weight 0: nothing is left of a sum that lost a part of another weight, and one that lost none is kept
    laplacian = np.array([[0, 1.0, 0], [1, -4, 1], [0, 1, 0]])
    assert correlate(image, laplacian, "normalize")[0, 0, 0].abs().max() == 0
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    torch.testing.assert_close(correlate(image, sobel, "normalize")[0, 0, 0, 1:-1],
                               correlate(image, sobel, "constant")[0, 0, 0, 1:-1])


@pytest.mark.parametrize("border", [*SCIPY, "normalize"])
@pytest.mark.parametrize("size", ["same", "full", "valid"])
def test_gradients_of_picture_and_kernel(border: Any, size: Any) -> None:
    image = torch.tensor(numbers(1, 1, 5, 4), requires_grad=True)
    for kernel in (numbers(3, 2, seed=2) + 0.3, numbers(5, 4, seed=3) + 0.3):
        learnt = torch.tensor(kernel, requires_grad=True)
        for method in ("direct", "separable", "fourier"):
            assert torch.autograd.gradcheck(lambda x, k, m=method: convolve(x, k, border, size, m), (image, learnt))
    small = torch.tensor(numbers(2, 3, seed=4) + 0.3, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, k: correlate(x, k, border, size), (image, small), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda x, k: correlate(x, k, border, size), (image, small))


def test_gradients_are_deterministic_and_those_of_float64() -> None:
    image, kernel = torch.tensor(numbers(1, 3, 90, 70)), torch.tensor(numbers(9, 9) / 81)
    found = []
    for dtype in (torch.float32, torch.float32, torch.float64):
        x, k = (t.to(dtype).requires_grad_() for t in (image, kernel))
        (correlate(x, k, "reflect") ** 2).sum().backward()
        found.append((x.grad, k.grad))
    for first, second, exact in zip(*found, strict=True):
        assert torch.equal(first, second)
        torch.testing.assert_close(first.double(), exact, rtol=1e-4, atol=1e-4)


def test_nan_and_infinity_stay_local() -> None:
    image = torch.tensor(numbers(1, 2, 200, 260), dtype=torch.float32)
    for kernel in (numbers(41, 41), np.ones((31, 31)), numbers(3, 3)):
        radius = len(kernel) // 2
        for bad in (torch.nan, torch.inf):
            holed = image.clone()
            holed[0, 1, 60, 70] = bad
            found, clean = (correlate(x, kernel, "reflect") for x in (holed, image))
            touched = torch.zeros_like(image, dtype=torch.bool)
            touched[0, 1, 60 - radius:61 + radius, 70 - radius:71 + radius] = True
            assert torch.isfinite(found[~touched]).all()
            assert not torch.isfinite(found[touched]).any()
            torch.testing.assert_close(found[~touched], clean[~touched], rtol=1e-4, atol=1e-3)


def test_the_method_follows_from_the_kernel() -> None:
    image = torch.zeros(1, 1, 1000, 1500)
    for kernel, expected in ((numbers(3, 3), "direct"), (numbers(31, 31), "fourier"),
                             (np.outer(numbers(15), numbers(15)).astype(np.float32), "separable")):
        rows, columns = kernel.shape
        place = Place(1000, 1500, rows, columns, rows // 2, columns // 2, 1000, 1500, "reflect")
        assert choose(image, kernel.astype(np.float64), place) == expected


def test_separable_parts_add_up_to_the_kernel() -> None:
    kernel = np.outer([1.0, 2, 1], [1, 0, -1]) + np.outer([0.0, 1, 0], [1, 1, 1])
    parts = separable_parts(kernel)
    assert len(parts) == 2
    assert np.abs(sum(np.outer(u, v) for u, v in parts) - kernel).max() < 1e-14
    assert separable_parts(np.zeros((3, 3))) == []


def test_odd_kernels() -> None:
    image = torch.tensor(numbers(1, 1, 6, 9), dtype=torch.float32)
    for method in METHODS:
        assert correlate(image, np.zeros((4, 5)), method=method).abs().max() == 0
        huge = numbers(40, 50) / 2000   # larger than the picture, which the mirror repeats
        expected = ndimage.correlate(image[0, 0].double().numpy(), huge, mode="mirror")
        assert np.abs(correlate(image, huge, method=method)[0, 0].numpy() - expected).max() < 1e-5
    assert torch.isnan(correlate(image, np.full((1, 1), np.nan))).all()
    for bad in (np.zeros((0, 3)), np.zeros(3), torch.zeros(2, 2, dtype=torch.int64)):
        with pytest.raises(ValueError, match="expected rows of numbers"):
            correlate(image, bad)
    assert correlate(image[..., :0], np.ones((3, 3))).shape == (1, 1, 6, 0)


def test_layouts_and_small_floats() -> None:
    image = torch.tensor(numbers(2, 3, 50, 130), dtype=torch.float32)
    kernel = numbers(5, 4) / 20
    expected = correlate(image, kernel, method="direct")
    for made in (image.contiguous(memory_format=torch.channels_last), image.flip(-1).flip(-1),
                 torch.cat([image, image], -1)[..., :130]):
        for method in METHODS:
            torch.testing.assert_close(correlate(made, kernel, method=method), expected, rtol=0, atol=1e-5)
    half = correlate(image.half(), kernel)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half, correlate(image.half().float(), kernel).half())


def test_pieces_of_every_shape_agree_with_direct_sums() -> None:
    kernel = numbers(9, 13) / 117
    for planes, height, width in ((1, 9, 700), (3, 333, 40), (5, 100, 100), (1, 2000, 33), (2, 64, 1031)):
        image = torch.tensor(numbers(1, planes, height, width), dtype=torch.float32)
        place = Place(height, width, 9, 13, 4, 6, height, width, "reflect")
        assert overlap.plan(planes, place) is not None
        torch.testing.assert_close(overlap.correlate(image, kernel, place), correlate(image, kernel, method="direct"),
                                   rtol=0, atol=1e-5)
