"""lowpass, highpass, bandpass, notch, deconvolve: what they must leave of waves and of a photograph."""

from typing import Any

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError


def wave(u: float, v: float, height: int = 64, width: int = 96) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return torch.cos(2 * torch.pi * (u * x + v * y))[None, None]


@pytest.mark.parametrize("shape", ["ideal", "gaussian", "butterworth"])
def test_a_wave_is_weakened_by_the_response_at_its_frequency(shape: Any) -> None:
    f = 12 / 96
    expected = {"ideal": 0.0, "gaussian": np.exp(-0.5 * 1.5**2), "butterworth": 1 / (1 + 1.5**4)}[shape]
    given: Any = {"shape": shape, "mirror": False}
    for cutoff, unit in ((8.0, "picture"), (8 / 96, "pixel")):
        low = photochrom.lowpass(wave(f, 0), cutoff=cutoff, unit=unit, **given)
        torch.testing.assert_close(low, expected * wave(f, 0), atol=1e-12, rtol=0)
        high = photochrom.highpass(wave(0, f), cutoff=cutoff, unit=unit, **given)
        torch.testing.assert_close(high, (1 - expected) * wave(0, f), atol=1e-12, rtol=0)


def test_low_and_high_add_up_to_the_picture() -> None:
    image = torch.rand(2, 3, 31, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for mirror in (True, False):
        both = photochrom.lowpass(image, cutoff=5, mirror=mirror) + photochrom.highpass(image, cutoff=5, mirror=mirror)
        torch.testing.assert_close(both, image)
    assert photochrom.highpass(image, cutoff=5, mirror=False).mean().abs() < 1e-12
    torch.testing.assert_close(photochrom.lowpass(image, cutoff=0, mirror=False),
                               image.mean((-2, -1), keepdim=True).expand_as(image))


def test_a_band_keeps_what_lies_in_it() -> None:
    given: Any = {"low": 6.0, "high": 18.0, "shape": "ideal", "mirror": False}
    for cycles, kept in ((3, 0), (12, 1), (24, 0)):
        found = photochrom.bandpass(wave(cycles / 96, 0), **given)
        torch.testing.assert_close(found, kept * wave(cycles / 96, 0), atol=1e-12, rtol=0)
    with pytest.raises(ControlError, match="high must not lie below low"):
        photochrom.bandpass(wave(0.1, 0), low=5.0, high=4.0)


def test_a_notch_takes_a_pattern_out_of_a_photograph() -> None:
    data = pytest.importorskip("skimage.data")
    clean = torch.from_numpy(data.camera() / 255.0)[None, None]
    hummed = clean + 0.2 * wave(64 / 512, 32 / 512, 512, 512)
    mended = photochrom.notch(hummed, at=((64, 32),), width=3.0)
    assert (hummed - clean).square().mean().sqrt() > 0.1
    assert (mended - clean).square().mean().sqrt() < 0.03
    torch.testing.assert_close(photochrom.notch(clean, at=((0, 0),), width=2.0, mirror=False).mean(), clean.mean())


def test_a_blur_is_undone() -> None:
    data = pytest.importorskip("skimage.data")
    sharp = torch.from_numpy(data.camera() / 255.0)[None, None]
    kernel = np.full((9, 9), 1 / 81).tolist()
    blurred = photochrom.convolve(sharp, kernel=kernel)
    noise = torch.randn(blurred.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    noisy = blurred + 0.002 * noise
    mended = photochrom.deconvolve(noisy, kernel=kernel, noise=1e-3)
    before, after = ((x - sharp).square().mean() for x in (noisy, mended))
    assert after < 0.35 * before
    row = ((0.1, 0.8, 0.1),)
    exact = photochrom.deconvolve(photochrom.convolve(sharp, kernel=row), kernel=row, noise=0.0)
    torch.testing.assert_close(exact, sharp)


def test_wiener_equals_scikit_image() -> None:
    restoration = pytest.importorskip("skimage.restoration")
    image, kernel = np.random.default_rng(0).random((32, 40)), np.outer([1, 2, 1], [1, 2, 1]) / 16
    delta = np.zeros((3, 3))
    delta[1, 1] = 1   # a regulariser of 1 at all frequencies makes its balance our noise
    expected = restoration.wiener(image, kernel, 0.05, reg=np.ones((32, 21), complex), clip=False)
    found = photochrom.deconvolve(torch.from_numpy(image)[None, None], kernel=kernel.tolist(), noise=0.05,
                                  mirror=False)[0, 0].numpy()
    np.testing.assert_allclose(found / 1.05, expected, atol=1e-9)   # ours keeps the mean


def test_bad_kernels_of_deconvolve() -> None:
    image = torch.rand(1, 1, 8, 8)
    assert photochrom.deconvolve(image, kernel=np.zeros((3, 3)).tolist()).abs().max() == 0
    assert photochrom.deconvolve(image, kernel=np.zeros((2, 2)).tolist(), noise=0.0).abs().max() == 0
    assert torch.isfinite(photochrom.deconvolve(image, kernel=np.ones((40, 3)).tolist())).all()
    kernel = torch.tensor([[0.2, 0.6, 0.2]], requires_grad=True)
    photochrom.deconvolve(image, kernel=kernel).square().mean().backward()
    assert kernel.grad is not None
    assert torch.isfinite(kernel.grad).all()


def test_opaque_pictures_stay_opaque() -> None:
    image = np.random.default_rng(0).random((20, 24, 4)).astype(np.float32)
    image[..., 3] = 1
    for operation in (photochrom.lowpass, photochrom.highpass, photochrom.notch, photochrom.deconvolve):
        made = operation(image)
        np.testing.assert_allclose(made[..., 3], 1, atol=1e-5)
        np.testing.assert_allclose(made[..., :3], operation(np.ascontiguousarray(image[..., :3])), atol=1e-4)
