"""Resize and crop in float32, forward and backward: planar (1, 3, H, W) for photochrom and torch, HWC for OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, at_most_times, times_as_fast
from benchmarks.rows.filters import interleaved

ROUNDING = 5e-6
"""Float32 sums of up to 81 products, in another order each."""


def _resize(scale: float) -> Row:
    def ours(bench: Bench) -> Ready:
        import photochrom

        image = planes(photograph(*bench.size))
        return call(lambda: photochrom.resize(image, scale=scale), interleaved)

    def torches(bench: Bench) -> Ready:
        from torch.nn.functional import interpolate

        image = planes(photograph(*bench.size))
        size = tuple(round(length * scale) for length in bench.size)
        return call(lambda: interpolate(image, size=size, mode="bicubic", antialias=True), interleaved)

    def cv(bench: Bench) -> Ready:
        import cv2

        image = photograph(*bench.size)
        size = tuple(round(length * scale) for length in bench.size[::-1])
        return call(lambda: cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))

    return Row(
        name=f"resize-{scale:g}",
        about=f"resize by {scale:g}, bicubic with antialiasing, float32, 12 megapixels RGB",
        contestants=(Contestant("photochrom", ours), Contestant("torch", torches),
                     Contestant("OpenCV without antialiasing", cv, against=None)),
        targets=(times_as_fast("torch", 2), at_most_times("photochrom", 1.5, "OpenCV without antialiasing")),
        tolerance=ROUNDING, rounds=9 if scale < 1 else 5,
        notes=("torch's interpolate with antialias=True; OpenCV's INTER_CUBIC reads 4 x 4 pixels whatever the size, "
               "so its picture is another one.",))


def _backward(name: str, about: str, work: Callable[[Any, Any], Any], learnt: bool = False) -> Row:
    """Make a row of a function of a picture and a box: forward with the graph, then backward from ones."""
    def inputs(bench: Bench) -> tuple[Any, Any, tuple[int, int]]:
        import torch

        height, width = bench.size
        image = planes(photograph(*bench.size)).requires_grad_()
        box = torch.tensor([1.3, 2.1, width - 3.2, height - 1.7], requires_grad=learnt)
        return image, box, (height // 2, width // 2)

    def forward(bench: Bench) -> Ready:
        image, box, size = inputs(bench)
        return call(lambda: work(image, (box, size)).detach(), interleaved)

    def backward(bench: Bench) -> Ready:
        import torch

        image, box, size = inputs(bench)
        made = work(image, (box, size))
        grad = torch.ones_like(made)
        wanted = [image, box] if learnt else [image]
        return call(lambda: torch.autograd.grad(made, wanted, grad, retain_graph=True))

    return Row(name=name, about=about,
               contestants=(Contestant("forward", forward), Contestant("backward", backward, against=None)),
               targets=(at_most_times("backward", 3, "forward"),), tolerance=0, rounds=9)


def _resized(image: Any, given: Any) -> Any:
    import photochrom

    return photochrom.resize(image, size=given[1])


def _cropped(image: Any, given: Any) -> Any:
    import photochrom

    return photochrom.crop(image, box=given[0], size=given[1])


ROWS = (_resize(0.5), _resize(2),
        _backward("resize-backward", "resize by 0.5 and the gradient in the picture, 12 megapixels RGB", _resized),
        _backward("crop-backward", "crop by a tensor box to half the size, gradient in the picture, 12 megapixels RGB",
                  _cropped),
        _backward("crop-box-backward", "the same with the gradient in the four numbers of the box too", _cropped, True))
