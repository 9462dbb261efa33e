"""The banded-matrix engine against dense float64 matrices and SciPy."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from photochrom.num.bands import (
    Band,
    apply,
    box,
    box_kernel,
    gaussian_kernel,
    gaussian_radius,
    separable,
    toeplitz,
)
from photochrom.num.borders import BORDERS, fold

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 3), (13, 29), (64, 130), (131, 97), (7, 4100)]
LAYOUTS = ["planar", "interleaved", "transposed", "crop"]


def lay(x: torch.Tensor, layout: str) -> torch.Tensor:
    if layout == "interleaved":
        return x.contiguous(memory_format=torch.channels_last)
    if layout == "transposed":
        return x.transpose(2, 3).contiguous().transpose(2, 3)
    if layout == "crop":  # whatever is read outside the picture shows as NaN
        b, c, h, w = x.shape
        frame = torch.full((b, c + 1, h + 3, w + 5), float("nan"))
        frame[:, 1:, 1:-2, 2:-3] = x
        return frame[:, 1:, 1:-2, 2:-3]
    return x


def dense(x: torch.Tensor, ky: np.ndarray, kx: np.ndarray, border) -> torch.Tensor:
    return toeplitz(ky, x.shape[2], border).dense() @ x.double() @ toeplitz(kx, x.shape[3], border).dense().T


def kernel(radius: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).random(2 * radius + 1)
    return made / made.sum()


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 2e-6) -> None:
    assert a.shape == b.shape
    assert bool(((a.double() - b.double()).abs() <= tolerance).all())  # NaN fails too


@pytest.mark.parametrize("border", BORDERS)
def test_fold_of_far_positions_agrees_with_numpy_pad(border):
    mode = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}.get(border)
    for n in (1, 2, 5):
        at = np.arange(-12, n + 12)
        want = np.pad(np.arange(n), 12, mode=mode) if mode else np.where((at >= 0) & (at < n), at, -1)
        assert fold(at, n, border).tolist() == want.tolist()


def test_unknown_names_and_even_kernels_are_refused():
    x = torch.zeros(1, 1, 4, 4)
    for call in (
        lambda: toeplitz([1.0], 3, "mirror"),
        lambda: toeplitz([1.0, 1.0], 3),
        lambda: separable(x, [1.0], [1.0], "zero"),
        lambda: separable(x, [1.0], [1.0], method="fast"),
        lambda: separable(x.double(), [1.0], [1.0], method="direct"),
        lambda: box(x, -1),
        lambda: box(x[0], 1),
        lambda: apply(x, toeplitz([1.0], 3), toeplitz([1.0], 4)),
        lambda: gaussian_kernel(0.0),
    ):
        with pytest.raises(ValueError):
            call()


@pytest.mark.parametrize(
    ("border", "mode"),
    [("reflect", "mirror"), ("replicate", "nearest"), ("circular", "wrap"), ("constant", "constant")],
)
@pytest.mark.parametrize("method", ["direct", "products"])
def test_gaussian_agrees_with_scipy(border, mode, method):
    ndimage = pytest.importorskip("scipy.ndimage")
    x = torch.rand(1, 2, 61, 83)
    for sigma in (0.6, 2.0, 7.0):
        k = gaussian_kernel(sigma)
        want = ndimage.gaussian_filter(x.double().numpy(), sigma, mode=mode, axes=(2, 3))
        assert k.size == 2 * gaussian_radius(sigma) + 1
        close(separable(x, k, k, border, method=method), torch.from_numpy(want))


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_both_methods_and_box_agree_with_dense_matrices(border, shape):
    x = torch.rand(2, 3, *shape)
    for ry, rx in ((0, 0), (1, 2), (9, 3), (40, 40)):
        ky, kx = kernel(ry, 1), kernel(rx, 2)
        want, want_box = dense(x, ky, kx, border), dense(x, box_kernel(ry), box_kernel(rx), border)
        for layout in LAYOUTS:
            y = lay(x, layout)
            before = y.clone()
            close(separable(y, ky, kx, border, method="direct"), want)
            close(separable(y, ky, kx, border, method="products"), want)
            close(box(y, ry, rx, border), want_box)
            assert torch.equal(y, before)


def test_normalize_keeps_a_constant_picture():
    x = torch.full((1, 3, 40, 50), 0.7)
    k = gaussian_kernel(3.0)
    for made in (separable(x, k, k, "normalize", method="direct"), box(x, 60, border="normalize")):
        close(made, x, 3e-7)


def test_box_keeps_its_precision_far_from_the_start():
    x = torch.rand(1, 1, 700, 3000)
    for r in (1, 30):
        k = box_kernel(r)
        close(box(x, r), dense(x, k, k, "reflect"), 1e-6)
    large, k = x * 1000 + 1e6, box_kernel(5)
    close(box(large, 5), dense(large, k, k, "reflect"), 0.05)  # half a step of float32 there is 0.03


def test_a_general_band_resizes_and_transposes():
    rng = np.random.default_rng(0)
    starts, weights = np.sort(rng.integers(0, 290, 150)), rng.random((150, 10))
    band = Band.windows(starts, weights, 300)
    want = torch.zeros(150, 300, dtype=torch.float64)
    for i, s in enumerate(starts):
        want[i, s : s + 10] = torch.from_numpy(weights[i])
    assert torch.equal(band.dense(), want)
    assert torch.equal(band.transpose.dense(), want.T)
    assert band.transpose.transpose is band
    x = torch.rand(1, 2, 300, 40, dtype=torch.float64)
    other = toeplitz([0.2, 0.3, 0.5], 40, "circular")
    close(apply(x, band, other), want @ x @ other.dense().T, 1e-13)
    big = torch.rand(1, 1, 300, 2000)  # one plane by itself
    wide = toeplitz(kernel(200, 3), 2000, "circular")
    close(apply(big, band, wide), want @ big.double() @ wide.dense().T, 1e-5)


@pytest.mark.parametrize("border", BORDERS)
def test_gradients(border):
    ky, kx = kernel(2, 3), kernel(4, 4)
    x = torch.rand(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    for call in (lambda v: separable(v, ky, kx, border), lambda v: box(v, 1, 2, border)):
        assert torch.autograd.gradcheck(call, x, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(call, x)
    image = torch.rand(2, 2, 40, 50, requires_grad=True)
    weight = torch.rand(2, 2, 40, 50)
    pairs = [
        (separable(image, ky, kx, border, method="direct"), separable(image, ky, kx, border, method="products")),
        (box(image, 3, 5, border), separable(image, box_kernel(3), box_kernel(5), border, method="products")),
    ]
    for fast, plain in pairs:
        (a,) = torch.autograd.grad((fast * weight).sum(), image, create_graph=True)
        (b,) = torch.autograd.grad((plain * weight).sum(), image)
        close(a, b)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_kept_and_half_computed_in_float32(dtype):
    x = torch.rand(1, 3, 30, 40).to(dtype).requires_grad_()
    k = gaussian_kernel(1.5)
    want = dense(x.detach(), k, k, "reflect")
    for made in (separable(x, k, k), apply(x, toeplitz(k, 30), toeplitz(k, 40))):
        assert made.dtype == dtype
        close(made.detach(), want.to(dtype), max(2e-16, 4 * torch.finfo(dtype).eps))
    assert box(x, 2).dtype == dtype
    (grad,) = torch.autograd.grad(separable(x, k, k).sum(), x)
    assert grad.dtype == dtype


def test_inference_mode_empty_pictures_and_expanded_ones():
    k = gaussian_kernel(1.0)
    with torch.inference_mode():
        x = torch.rand(1, 3, 300, 310)
        for made in (separable(x, k, k, method="direct"), separable(x, k, k, method="products"), box(x, 2)):
            assert made.shape == x.shape
    assert separable(torch.zeros(0, 3, 8, 8), k, k).shape == (0, 3, 8, 8)
    assert box(torch.zeros(0, 3, 8, 8), 1).shape == (0, 3, 8, 8)
    row = torch.rand(1, 1, 1, 50).expand(2, 3, 20, 50)
    close(separable(row, k, k), dense(row, k, k, "reflect"))


def test_bands_are_kept():
    k = gaussian_kernel(1.0)
    assert toeplitz(k, 30) is toeplitz(list(k), 30, "reflect")
    assert not k.flags.writeable


def test_importing_does_not_import_numba():
    code = "import sys, photochrom.num.bands, photochrom.num.parallel; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
