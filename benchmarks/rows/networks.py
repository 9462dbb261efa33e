"""Networks on a luminance picture: photochrom's tiles beside plain PyTorch, ONNX Runtime and OpenVINO.

Weights are drawn from a seed: time does not depend on them. What bfloat16 costs in dB is measured with published
weights by tests/nets/test_figures.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from benchmarks.measure import call, single
from benchmarks.picture import photograph, planes
from benchmarks.row import AbsentError, Bench, Contestant, Ready, Row, Target, times_as_fast


@cache
def _network(name: str) -> Any:
    import torch

    from photochrom.nets.weights import Descriptor, Network

    torch.manual_seed(0)
    task: Any = "denoise" if name == "dncnn" else "upscale"
    parameters = {"norm": False} if name == "dncnn" else {}
    known = Descriptor(name, name, parameters, task=task, scale=1, channels="gray" if name == "dncnn" else "y")
    made = Network.new(known).eval().requires_grad_(False)
    next(part for part in reversed(list(made.modules())) if isinstance(part, torch.nn.Conv2d)).weight.mul_(0.1)
    return made   # which now adds a few levels, as a trained one does


def _luminance(bench: Bench, side: int) -> Any:
    """A square picture, or for side 0 the photograph of 12 megapixels."""
    return planes(photograph(*((side, side) if side else bench.size))).mean(1, keepdim=True)


def _timed(function: Any, side: int) -> Ready:
    """Time many runs of a small picture; of the photograph, with which most take minutes, one run."""
    return call(function) if side else single(function)


def _ours(name: str, side: int, precision: str, backend: str = "torch") -> Any:
    def prepare(bench: Bench) -> Ready:
        from photochrom.nets.inference import restore

        package = {"onnx": "onnxruntime", "openvino": "openvino"}.get(backend)
        if package is not None:
            import importlib.util

            if importlib.util.find_spec(package) is None or importlib.util.find_spec("onnx") is None:
                raise AbsentError(package)
        image, network = _luminance(bench, side), _network(name)
        settings: dict[str, Any] = {"precision": precision, "backend": backend}
        return _timed(lambda: restore(network, image, **settings).numpy(), side)

    return prepare


def _eager(name: str, side: int) -> Any:
    def prepare(bench: Bench) -> Ready:
        import torch

        image, body = _luminance(bench, side), _network(name).body

        def run() -> Any:
            with torch.no_grad():
                return body(image).numpy()

        return _timed(run, side)

    return prepare


def _row(name: str, side: int) -> Row:
    low: dict[str, Any] = {"tolerance": 0.02}
    targets: tuple[Target, ...] = (times_as_fast("PyTorch", 1.3), times_as_fast("PyTorch", 3, "photochrom bf16"))
    many: dict[str, Any] = {"rounds": 3} if side else {"rounds": 1, "quick": False, "notes": (
        "each is run once, and what that run made is compared; the whole picture at once takes plain PyTorch 9 GB.",)}
    return Row(
        name=f"{name}-{side or '12mp'}",
        about=f"{name} in float32, {f'{side} x {side} pixels' if side else '12 megapixels'} of luminance",
        contestants=(Contestant("photochrom", _ours(name, side, "fp32")),
                     Contestant("PyTorch", _eager(name, side)),
                     Contestant("photochrom bf16", _ours(name, side, "bf16"), **low),
                     Contestant("photochrom, ONNX Runtime", _ours(name, side, "fp32", "onnx")),
                     Contestant("photochrom, OpenVINO", _ours(name, side, "fp32", "openvino")),
                     Contestant("photochrom, OpenVINO bf16", _ours(name, side, "bf16", "openvino"), **low)),
        targets=targets, tolerance=1e-4, warm=0, **many)


ROWS: tuple[Row, ...] = tuple(_row(name, side) for side in (512, 0) for name in ("vdsr", "dncnn"))
