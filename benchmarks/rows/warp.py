"""Sampling at any place, bilinear, float32: planar (1, 3, H, W) for photochrom, kornia and torch, HWC for OpenCV."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times, times_as_fast
from benchmarks.rows.filters import interleaved

ANGLE = 5.0
PLACES = 1e-2
"""OpenCV and kornia work out places in float32, and OpenCV may round them to 1/32 of a pixel: on the steepest edge of
the picture that is this much."""


def turn(height: int, width: int) -> np.ndarray:
    """Return the matrix of a small rotation about the middle, between points whose first pixel centre is (0.5, 0.5)."""
    c, s = np.cos(np.deg2rad(ANGLE)), np.sin(np.deg2rad(ANGLE))
    x, y = width / 2, height / 2
    return np.array([[c, s, x - c * x - s * y], [-s, c, y + s * x - c * y]])


def from_zero(matrix: np.ndarray) -> np.ndarray:
    """Return the same matrix between points whose first pixel centre is (0, 0), as OpenCV counts."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return moved


def bends(height: int, width: int) -> np.ndarray:
    """Return a smooth flow (2, H, W) of up to 20 pixels."""
    i, j = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([20 * np.sin(i / 90 + j / 210), 20 * np.cos(j / 130 - i / 170)]).astype(np.float32)


def _affine(bench: Bench) -> Ready:
    import photochrom

    image, matrix = planes(photograph(*bench.size)), tuple(map(tuple, turn(*bench.size).tolist()))
    return call(lambda: photochrom.affine(image, matrix=matrix, resample="bilinear"), interleaved)


def _affine_cv(bench: Bench) -> Ready:
    import cv2

    image, matrix, (height, width) = photograph(*bench.size), from_zero(turn(*bench.size)), bench.size
    return call(lambda: cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR,
                                       borderMode=cv2.BORDER_REFLECT_101))


def _affine_kornia(bench: Bench) -> Ready:
    import torch
    from kornia.geometry.transform import warp_affine

    image = planes(photograph(*bench.size))
    matrix = torch.from_numpy(from_zero(turn(*bench.size)))[None].float()
    # with align_corners=True kornia means what OpenCV means
    return call(lambda: warp_affine(image, matrix, bench.size, mode="bilinear", padding_mode="reflection",
                                    align_corners=True), interleaved)


def _warp(bench: Bench) -> Ready:
    import torch

    import photochrom

    image, flow = planes(photograph(*bench.size)), torch.from_numpy(bends(*bench.size))[None]
    return call(lambda: photochrom.warp(image, flow, resample="bilinear"), interleaved)


def _remap(bench: Bench) -> Ready:
    import cv2

    image, flow = photograph(*bench.size), bends(*bench.size)
    i, j = np.mgrid[:bench.size[0], :bench.size[1]].astype(np.float32)
    x, y = flow[0] + j, flow[1] + i
    return call(lambda: cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def _forward(bench: Bench, back: bool) -> Ready:
    import torch

    import photochrom

    image = planes(photograph(*bench.size)).requires_grad_()
    matrix = torch.from_numpy(turn(*bench.size)).requires_grad_()
    weight = torch.ones_like(image)

    def made() -> Any:
        return photochrom.affine(image, matrix=matrix, resample="bilinear")

    if not back:
        return call(made, lambda result: interleaved(result.detach()))
    result = made()
    return call(lambda: torch.autograd.grad(result, (image, matrix), weight, retain_graph=True),
                lambda grads: interleaved(result.detach()))


ROWS = (
    Row(name="affine", about=f"a matrix that turns by {ANGLE:g} degrees, bilinear, reflect, float32, 12 megapixels RGB",
        contestants=(Contestant("photochrom", _affine), Contestant("OpenCV", _affine_cv),
                     Contestant("kornia", _affine_kornia)),
        targets=(at_most_times("photochrom", 1.5, "OpenCV"), times_as_fast("kornia", 5)), tolerance=PLACES, rounds=7),
    Row(name="warp", about="a flow of up to 20 pixels, bilinear, reflect, float32, 12 megapixels RGB",
        contestants=(Contestant("photochrom", _warp), Contestant("OpenCV", _remap)),
        targets=(), tolerance=PLACES, rounds=7),
    Row(name="affine-backward", about="affine as above: forward, and backward in picture and matrix",
        contestants=(Contestant("photochrom", partial(_forward, back=False)),
                     Contestant("photochrom backward", partial(_forward, back=True))),
        targets=(), tolerance=PLACES, rounds=5),
)
