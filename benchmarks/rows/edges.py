"""Derivatives, Canny's edges and edge-keeping filters: grey, planar for photochrom and kornia, HW for OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, photograph8
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times, times_as_fast

Make = Callable[[np.ndarray], Callable[[], Any]]


def _grey(bench: Bench) -> np.ndarray:
    return np.ascontiguousarray(photograph(*bench.size)[..., 1])


def _grey8(bench: Bench) -> np.ndarray:
    return np.ascontiguousarray(photograph8(*bench.size)[..., 1])


def _on(source: Callable[[Bench], np.ndarray], make: Make, form: Callable[[Any], Any] = lambda made: made) -> Any:
    def prepare(bench: Bench) -> Ready:
        return call(make(source(bench)), form)

    return prepare


def _planes(grey: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(grey)[None, None]


def _plane(made: Any) -> np.ndarray:
    return np.asarray(made[0, 0])


def _pair(grey: np.ndarray) -> Callable[[], Any]:
    from photochrom.num.edges import derivatives

    image = _planes(grey)
    return lambda: derivatives(image)


def _pair_cv(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: (cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8))


def _pair_kornia(grey: np.ndarray) -> Callable[[], Any]:
    from kornia.filters import spatial_gradient

    image = _planes(grey)
    return lambda: spatial_gradient(image)


def _laplacian(grey: np.ndarray) -> Callable[[], Any]:
    import photochrom

    image = _planes(grey)
    return lambda: photochrom.laplacian(image)


def _laplacian_cv(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.Laplacian(grey, cv2.CV_32F)


def _laplacian_kornia(grey: np.ndarray) -> Callable[[], Any]:
    from kornia.filters import laplacian

    image = _planes(grey)
    return lambda: laplacian(image, 3, normalized=False)


def _canny(grey: np.ndarray) -> Callable[[], Any]:
    import photochrom

    return lambda: photochrom.canny(grey)


def _canny_cv(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.Canny(cv2.GaussianBlur(grey, (5, 5), 1.4), 100, 200)


def _canny_kornia(grey: np.ndarray) -> Callable[[], Any]:
    from kornia.filters import canny

    # its linking goes over the frame again and again: the whole picture took it 225 s
    part = grey[:grey.shape[0] // 4, :grey.shape[1] // 3]
    image = _planes(np.ascontiguousarray(part).astype(np.float32) / 255)
    return lambda: canny(image, sigma=(1.4, 1.4))[1]


def _guided(grey: np.ndarray) -> Callable[[], Any]:
    import photochrom

    image = _planes(grey)
    return lambda: photochrom.guided(image, radius=8)


def _guided_kornia(grey: np.ndarray) -> Callable[[], Any]:
    from kornia.filters import guided_blur

    image = _planes(grey)
    return lambda: guided_blur(image, image, 17, 0.01)


def _bilateral(grey: np.ndarray) -> Callable[[], Any]:
    import photochrom

    image = _planes(grey)
    return lambda: photochrom.bilateral(image, sigma=2.0, sigma_range=0.1)


def _bilateral_cv(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.bilateralFilter(grey, 9, 0.1, 2.0)


def _median(grey: np.ndarray) -> Callable[[], Any]:
    import photochrom

    return lambda: photochrom.median(grey, radius=2)


def _median_cv(grey: np.ndarray) -> Callable[[], Any]:
    import cv2

    return lambda: cv2.medianBlur(grey, 5)


def _backward(bench: Bench) -> Ready:
    import torch

    import photochrom

    image = _planes(_grey(bench)).requires_grad_()
    made = photochrom.gaussian(image, sigma=2.0)
    weight = torch.ones_like(made)
    return call(lambda: torch.autograd.grad(made, image, weight, retain_graph=True)[0])


def _forward(bench: Bench) -> Ready:
    import photochrom

    image = _planes(_grey(bench))
    return call(lambda: photochrom.gaussian(image, sigma=2.0))


def _stacked(made: Any) -> np.ndarray:
    return np.stack([np.asarray(part).squeeze() for part in made])


def _inner(form: Callable[[Any], np.ndarray] = _plane) -> Callable[[Any], np.ndarray]:
    """Leave out the edge, where borders differ."""
    return lambda made: form(made)[..., 12:-12, 12:-12]


ROWS = (
    Row(name="sobel-pair", about="both derivatives by Sobel, 12 megapixels grey float32",
        contestants=(Contestant("photochrom", _on(_grey, _pair, _stacked)),
                     Contestant("OpenCV", _on(_grey, _pair_cv, _stacked)),
                     Contestant("kornia", _on(_grey, _pair_kornia), against=None)),
        targets=(at_most_times("photochrom", 1.3, "OpenCV"), times_as_fast("kornia", 8)), tolerance=1e-6, rounds=9),
    Row(name="laplacian", about="Laplacian of four neighbours, 12 megapixels grey float32",
        contestants=(Contestant("photochrom", _on(_grey, _laplacian, _plane)),
                     Contestant("OpenCV", _on(_grey, _laplacian_cv)),
                     Contestant("kornia", _on(_grey, _laplacian_kornia), against=None)),
        targets=(at_most_times("photochrom", 1.3, "OpenCV"), times_as_fast("kornia", 8)), tolerance=2e-6, rounds=9),
    Row(name="canny", about="Gaussian of 5 x 5 and Canny, 12 megapixels grey 8 bits",
        contestants=(Contestant("photochrom", _on(_grey8, _canny)), Contestant("OpenCV", _on(_grey8, _canny_cv)),
                     Contestant("kornia, a twelfth of the pixels", _on(_grey8, _canny_kornia), against=None)),
        targets=(at_most_times("photochrom", 1, "OpenCV"), times_as_fast("kornia, a twelfth of the pixels", 100)),
        tolerance=0, unit="of 255", rounds=5,
        notes=("Equal to OpenCV in every pixel; kornia's limits are of another kind and not compared.",)),
    Row(name="guided", about="guided filter, radius 8, its own guide, 12 megapixels grey float32",
        contestants=(Contestant("photochrom", _on(_grey, _guided, _inner())),
                     Contestant("kornia", _on(_grey, _guided_kornia, _inner()))),
        targets=(times_as_fast("kornia", 10),), tolerance=2e-3, rounds=5,
        notes=("Compared away from the edge; sums in float32 differ where the variance is a small difference.",)),
    Row(name="bilateral", about="bilateral filter, disc of radius 4, 12 megapixels grey float32",
        contestants=(Contestant("photochrom", _on(_grey, _bilateral, _plane)),
                     Contestant("OpenCV", _on(_grey, _bilateral_cv), tolerance=5e-4)),
        targets=(at_most_times("photochrom", 1, "OpenCV"),), tolerance=5e-4, rounds=5,
        notes=("OpenCV looks the weights of differences up in a table.",)),
    Row(name="median-5", about="median of 5 x 5, 12 megapixels grey 8 bits",
        contestants=(Contestant("photochrom", _on(_grey8, _median)),
                     Contestant("OpenCV", _on(_grey8, _median_cv), against=None)),
        targets=(at_most_times("photochrom", 2, "OpenCV"),), tolerance=0, unit="of 255", rounds=11,
        notes=("Results differ along the edge, which OpenCV repeats; tests/num/test_medians.py holds ours to SciPy.",)),
    Row(name="backward-gaussian", about="gradient of a Gaussian blur, sigma 2, 12 megapixels grey float32",
        contestants=(Contestant("forward", _forward), Contestant("backward", _backward, against=None)),
        targets=(at_most_times("backward", 3, "forward"),), tolerance=0, rounds=7),
)
