"""Exposure stacks: radiance and fusion beside OpenCV, on published photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.row import AbsentError, Bench, Contestant, Ready, Row, at_most_times

_DATA = Path(__file__).parents[3] / "shared" / "data" / "hdr"


def _stack(name: str, pattern: str) -> list[np.ndarray]:
    """Return pictures (H, W, 3), uint8, RGB."""
    from PIL import Image

    files = sorted((_DATA / name).glob(pattern))
    if not files:
        raise AbsentError(f"needs ../shared/data/hdr/{name}")
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def _planar(pictures: list[np.ndarray]) -> list[Any]:
    import torch

    return [(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255).contiguous()
            for picture in pictures]


def _memorial() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Return the exposures, their times, and ln exposure of each level (256, 3), the same for all."""
    import torch

    import photochrom

    pictures = _stack("memorial", "*.png")
    times = 2.0 ** (5 - np.arange(len(pictures), dtype=np.float32))
    curve = photochrom.response_curve(_planar(pictures), torch.from_numpy(times)).log_exposure
    return pictures, times, curve.numpy().T


def _decoded(made: Any) -> np.ndarray:
    from photochrom.color.srgb import srgb_to_linear

    return np.asarray(srgb_to_linear(made)[0].permute(1, 2, 0).log())


def _merge(bench: Bench) -> Ready:
    import torch

    import photochrom

    pictures, times, curve = _memorial()
    planar, seconds, flat = _planar(pictures), torch.from_numpy(times), torch.from_numpy(curve.T.ravel().copy())
    return call(lambda: photochrom.merge_hdr(planar, seconds, flat), _decoded)


def _merge_cv(bench: Bench) -> Ready:
    import cv2

    pictures, times, curve = _memorial()
    bgr = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
    response = np.ascontiguousarray(np.exp(curve[:, None, ::-1]).astype(np.float32))
    merger = cv2.createMergeDebevec()
    return call(lambda: merger.process(bgr, times.copy(), response), lambda made: np.log(made[..., ::-1]))


def _fuse(bench: Bench) -> Ready:
    import photochrom

    planar = _planar(_stack("grandcanal", "*.jpg"))
    return call(lambda: photochrom.fuse_exposures(planar), lambda made: made[0].permute(1, 2, 0).numpy())


def _fuse_cv(bench: Bench) -> Ready:
    import cv2

    bgr = [np.ascontiguousarray(picture[..., ::-1]) for picture in _stack("grandcanal", "*.jpg")]
    fuser = cv2.createMergeMertens(1, 1, 1)
    return call(lambda: fuser.process(bgr), lambda made: made[..., ::-1])


ROWS = (
    Row(name="merge-hdr", about="16 exposures of 512 x 768 (memorial) to radiance, the response given",
        contestants=(Contestant("photochrom", _merge), Contestant("OpenCV", _merge_cv, against=None)),
        targets=(at_most_times("photochrom", 1, "OpenCV"),), rounds=21,
        notes=("Results are not compared: OpenCV weighs all channels of a pixel alike and trusts the fog of the film; "
               "how far each is from the published radiance is tested in tests/ops/hdr.",)),
    Row(name="fuse-exposures", about="3 exposures of 1200 x 800 (grandcanal), Mertens, all three measures",
        contestants=(Contestant("photochrom", _fuse), Contestant("OpenCV", _fuse_cv, against=None)),
        targets=(at_most_times("photochrom", 2, "OpenCV"),), rounds=21,
        notes=("Results are not compared: OpenCV's borders and its float32 weights of flat grey differ from the "
               "authors' program; ours is within 60 dB of what that published, which is tested in tests/ops/hdr.",)),
)
