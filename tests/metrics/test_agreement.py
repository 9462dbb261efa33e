"""Scores agree with those of other libraries where the protocol is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmarks.vision import import_peer
from photochrom.metrics.delta_e import delta_e
from photochrom.metrics.psnr import psnr
from photochrom.metrics.ssim import ms_ssim, ssim


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    from skimage import data

    original = data.astronaut()[:300, :277] / 255
    noise = np.random.default_rng(0).normal(0, 0.08, original.shape)
    return np.clip(original + noise, 0, 1), original


def planes(picture: np.ndarray, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scikit_image(pair: tuple[np.ndarray, np.ndarray], dtype: torch.dtype) -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    image, original = pair
    given = planes(image, dtype), planes(original, dtype)
    near = 1e-9 if dtype == torch.float64 else 2e-5
    assert psnr(*given).item() == pytest.approx(peak_signal_noise_ratio(original, image, data_range=1), abs=near)
    options: dict[str, Any] = {"channel_axis": 2, "data_range": 1}
    assert ssim(*given, window="uniform").item() == pytest.approx(structural_similarity(original, image, **options),
                                                                  abs=near)
    options |= {"gaussian_weights": True, "use_sample_covariance": False}
    assert ssim(*given).item() == pytest.approx(structural_similarity(original, image, **options), abs=near)
    wanted = deltaE_ciede2000(rgb2lab(image), rgb2lab(original)).mean()
    assert delta_e(*given).item() == pytest.approx(wanted, abs=1e-3)   # its white is rounded to four digits


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_piq(pair: tuple[np.ndarray, np.ndarray], dtype: torch.dtype) -> None:
    try:
        piq = import_peer("piq")
    except ImportError:
        pytest.skip("piq is not installed")
    given = planes(pair[0], dtype), planes(pair[1], dtype)
    near = 1e-9 if dtype == torch.float64 else 2e-5
    assert psnr(*given).item() == pytest.approx(piq.psnr(*given, data_range=1.0).item(), abs=1e-4)   # adds 1e-8
    assert ssim(*given).item() == pytest.approx(piq.ssim(*given, downsample=False).item(), abs=near)
    large = [part.repeat(1, 1, 3, 2) for part in given]
    assert ssim(*large, shrink=True).item() == pytest.approx(piq.ssim(*large).item(), abs=near)
    assert ms_ssim(*given).item() == pytest.approx(piq.multi_scale_ssim(*given).item(), abs=near)


def test_ipol_and_the_gradient_of_ssim() -> None:
    """The figure is of IPOL's imdiff (Limare), as the tests of scikit-image cite it, for this picture and this noise.

    MATLAB's figure for the same test is of an older photograph; see the next one.
    """
    from skimage import data
    from skimage.metrics import structural_similarity

    camera = data.camera()
    noise = 20 * np.random.RandomState(5).randn(*camera.shape)
    noisy = np.clip(camera + noise, 0, 255).astype(np.uint8)
    image, original = (torch.from_numpy(levels / 255.0)[None, None] for levels in (noisy, camera))
    image.requires_grad_()
    found = ssim(image, original)
    assert found.item() == pytest.approx(0.357959091663361, abs=1e-4)
    found.backward()
    assert image.grad is not None
    # scikit-image: in the second picture, of the mean over all windows, in levels
    _, slope = structural_similarity(camera, noisy, gradient=True, data_range=255, gaussian_weights=True,
                                     use_sample_covariance=False)
    inner = (slice(12, -12), slice(12, -12))
    share = (camera.size / ((camera.shape[0] - 10) * (camera.shape[1] - 10)))
    apart = image.grad[0, 0].numpy()[inner] / 255 - slope[inner] * share
    assert np.abs(apart).max() < 1e-4 * np.abs(slope).max()


OLD = Path(__file__).parents[2] / ".." / "shared" / "data" / "iqa" / "skimage_mssim"


@pytest.mark.skipif(not (OLD / "camera-0.17.png").is_file(), reason="the photograph of scikit-image 0.17 is not here")
def test_matlabs_ssim_and_its_gradient() -> None:
    """MATLAB's figures are of the photograph that scikit-image had up to 0.17, which may not be passed on.

    pip download scikit-image==0.17.2 --no-deps --only-binary=:all: --python-version 3.8 --platform manylinux1_x86_64
    unzip -p scikit_image-0.17.2-*.whl skimage/data/camera.png > camera-0.17.png
    """
    wanted = np.load(OLD / "mssim_matlab_output.npz")
    camera = np.array(Image.open(OLD / "camera-0.17.png"))
    noise = 20 * np.random.RandomState(5).randn(*camera.shape)
    noisy = np.clip(camera + noise, 0, 255).astype(np.uint8)
    image, original = (torch.from_numpy(levels / 255.0)[None, None] for levels in (noisy, camera))
    image.requires_grad_()
    found = ssim(image, original)
    assert found.item() == pytest.approx(wanted["mssim_matlab"].item(), abs=1e-12)   # 0.3273142956733568
    found.backward()
    assert image.grad is not None
    # Theirs is in levels, of the mean over all windows; away from the edges, which they continue and we leave out.
    inner = (slice(12, -12), slice(12, -12))
    share = (camera.shape[0] - 10) * (camera.shape[1] - 10) / camera.size
    apart = image.grad[0, 0].numpy()[inner] / 255 * share - wanted["grad_matlab"][inner]
    assert np.abs(apart).max() < 1e-9 * np.abs(wanted["grad_matlab"]).max()
