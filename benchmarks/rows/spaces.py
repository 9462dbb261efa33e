"""Colour spaces in float32: planar (1, 3, H, W) for photochrom and kornia, HWC for OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, times_as_fast
from benchmarks.rows.filters import interleaved


def _lab(bench: Bench) -> Ready:
    from photochrom.color import rgb_to_lab

    image = planes(photograph(*bench.size))
    return call(lambda: rgb_to_lab(image), interleaved)


def _lab_exact(bench: Bench) -> Ready:
    from photochrom.color import rgb_to_lab

    image = planes(photograph(*bench.size)).double()
    return call(lambda: rgb_to_lab(image), interleaved)


def _lab_cv(bench: Bench) -> Ready:
    import cv2

    image = photograph(*bench.size)
    return call(lambda: cv2.cvtColor(image, cv2.COLOR_RGB2LAB))


def _lab_kornia(bench: Bench) -> Ready:
    from kornia.color import rgb_to_lab

    image = planes(photograph(*bench.size))
    return call(lambda: rgb_to_lab(image), interleaved)


def _full_frames(bench: Bench, chain: Callable[[Any], Any]) -> Ready:
    """The definitions in torch on full frames, with torch's own threads."""
    import torch

    image = planes(photograph(*bench.size))

    def whole() -> Any:
        with torch.no_grad():
            return chain(image)

    return call(whole, interleaved)


def _linear(bench: Bench) -> Ready:
    from photochrom.color import linear_to_srgb, srgb_to_linear

    image = planes(photograph(*bench.size))
    return call(lambda: linear_to_srgb(srgb_to_linear(image) * np.float32(1.5)), interleaved)


def _linear_torch(bench: Bench) -> Ready:
    from photochrom.color.srgb import _decode, _encode

    return _full_frames(bench, lambda image: _encode(_decode(image) * 1.5))


def _l_alpha_beta(bench: Bench) -> Ready:
    from photochrom.color import l_alpha_beta_to_rgb, rgb_to_l_alpha_beta

    image = planes(photograph(*bench.size))
    return call(lambda: l_alpha_beta_to_rgb(rgb_to_l_alpha_beta(image)), interleaved)


def _l_alpha_beta_torch(bench: Bench) -> Ready:
    from photochrom.color.l_alpha_beta import _backwards, _forwards

    return _full_frames(bench, lambda image: _backwards(_forwards(image)))


ROWS = (
    Row(name="rgb-to-lab", about="sRGB to CIELAB, 12 megapixels RGB float32",
        contestants=(Contestant("float64", _lab_exact, timed=False),
                     Contestant("photochrom", _lab, tolerance=1e-4), Contestant("OpenCV", _lab_cv),
                     Contestant("kornia", _lab_kornia, tolerance=0.05)),
        targets=(times_as_fast("OpenCV", 1.5), times_as_fast("kornia", 15)), tolerance=1.0, unit="of L* = 100",
        rounds=7,
        notes=("OpenCV's float path looks its curves up and is off by up to 0.7; kornia's matrix has six decimals.",)),
    Row(name="linear-chain", about="sRGB to linear light, 1.5 times, and back, 12 megapixels RGB float32",
        contestants=(Contestant("photochrom", _linear), Contestant("full frames", _linear_torch)),
        targets=(times_as_fast("full frames", 2),), tolerance=2e-6, rounds=7),
    Row(name="l-alpha-beta-chain", about="sRGB to l-alpha-beta and back, 12 megapixels RGB float32",
        contestants=(Contestant("photochrom", _l_alpha_beta), Contestant("full frames", _l_alpha_beta_torch)),
        targets=(times_as_fast("full frames", 2),), tolerance=5e-6, rounds=7),
)
