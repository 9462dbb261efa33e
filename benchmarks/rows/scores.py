"""Scores of a pair of 2 megapixels in float32 beside those of other libraries."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import call
from benchmarks.picture import photograph
from benchmarks.row import AbsentError, Bench, Contestant, Ready, Row, times_as_fast
from benchmarks.vision import import_peer


@functools.lru_cache(maxsize=1)
def _pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    original = photograph(height, width)
    noise = np.random.default_rng(3).normal(0, 0.05, original.shape)
    return np.clip(original + noise, 0, 1).astype(np.float32), original


def _arrays(bench: Bench) -> tuple[np.ndarray, np.ndarray]:
    return _pair(1080, 1920) if bench.size[0] > 1000 else _pair(270, 480)


def _planes(bench: Bench) -> tuple[Tensor, Tensor]:
    one, other = (torch.from_numpy(part).permute(2, 0, 1)[None].contiguous() for part in _arrays(bench))
    return one, other


def _value(made: Any) -> np.ndarray:
    return np.array([float(made.item() if hasattr(made, "item") else made)])


def _contestant(name: str, score: Callable[[Bench], Callable[[], Any]], against: str | None = "") -> Contestant:
    def prepare(bench: Bench) -> Ready:
        run = score(bench)

        def once() -> Any:
            with torch.inference_mode():
                return run()

        return call(once, _value)

    return Contestant(name, prepare, against=against)


def _of(module: str, name: str, **settings: Any) -> Callable[[Bench], Callable[[], Any]]:
    """Return a function of a library of tensors, on the planar pair."""
    def score(bench: Bench) -> Callable[[], Any]:
        try:
            function = getattr(import_peer(module), name)
        except ImportError as error:
            raise AbsentError(str(error)) from error
        one, other = _planes(bench)
        return lambda: function(one, other, **settings)

    return score


def _image(name: str, **settings: Any) -> Callable[[Bench], Callable[[], Any]]:
    def score(bench: Bench) -> Callable[[], Any]:
        import skimage.metrics

        one, other = _arrays(bench)
        function = getattr(skimage.metrics, name)
        return lambda: function(other, one, data_range=1, **settings)

    return score


def _their_lpips() -> Any:
    try:
        package = import_peer("lpips")
    except ImportError as error:
        raise AbsentError(str(error)) from error
    torch.manual_seed(0)
    return package.LPIPS(net="squeeze", pnet_rand=True, verbose=False).eval()   # linear layers as published


def _lpips(bench: Bench) -> Callable[[], Any]:
    """Ours, with the weights that theirs was given."""
    from photochrom.metrics.lpips import Perceptual

    theirs, ours = _their_lpips(), Perceptual("squeeze").eval()
    with torch.no_grad():
        for own, other in zip(ours.features.parameters(), theirs.net.parameters(), strict=True):
            own.copy_(other)
    ours.linear = [layer.model[1].weight.detach().flatten() for layer in theirs.lins]
    one, other_picture = _planes(bench)
    return lambda: ours(one, other_picture)


def _lpips_package(bench: Bench) -> Callable[[], Any]:
    network = _their_lpips()
    one, other = _planes(bench)
    return lambda: network(one, other, normalize=True)


ROWS = (
    Row(name="score-psnr", about="PSNR of 2 megapixels RGB", contestants=(
        _contestant("photochrom", _of("photochrom.metrics.psnr", "psnr")),
        _contestant("scikit-image", _image("peak_signal_noise_ratio")),
        _contestant("piq", _of("piq", "psnr", data_range=1.0)),
        _contestant("torchmetrics", _of("torchmetrics.functional.image", "peak_signal_noise_ratio", data_range=1.0))),
        targets=tuple(times_as_fast(peer, 1) for peer in ("scikit-image", "piq", "torchmetrics")), tolerance=1e-3),
    Row(name="score-ssim", about="SSIM of 2 megapixels RGB, Gaussian of 11 x 11", contestants=(
        _contestant("photochrom", _of("photochrom.metrics.ssim", "ssim")),
        _contestant("scikit-image", _image("structural_similarity", channel_axis=2, gaussian_weights=True,
                                           use_sample_covariance=False)),
        _contestant("piq", _of("piq", "ssim", data_range=1.0, downsample=False)),
        _contestant("torchmetrics", _of("torchmetrics.functional.image", "structural_similarity_index_measure",
                                        data_range=1.0))),
        targets=tuple(times_as_fast(peer, 1) for peer in ("scikit-image", "piq", "torchmetrics")), tolerance=1e-3,
        rounds=3),
    Row(name="score-lpips", about="LPIPS of 2 megapixels RGB, SqueezeNet with weights drawn by chance", contestants=(
        _contestant("photochrom", _lpips), _contestant("lpips", _lpips_package)),
        targets=(times_as_fast("lpips", 1),), tolerance=1e-4, rounds=3),
)
