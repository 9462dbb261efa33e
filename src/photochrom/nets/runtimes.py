"""Other runtimes that compute a network: ONNX Runtime and OpenVINO, where they are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.nets.network import Network
from photochrom.nets.ready import stamp_of

Run = Callable[[Tensor], Tensor]

_KNOWN: WeakKeyDictionary[Network, dict[Any, tuple[Any, Run]]] = WeakKeyDictionary()
_NEEDS = {"onnx": "onnxruntime", "openvino": "openvino"}


def runtime(network: Network, scale: int, precision: str, backend: str) -> Run:
    """Return a function that runs a network elsewhere than in torch, made once for each state of its weights.

    Raises:
        ControlError: the runtime is not installed, or does not offer the precision.
    """
    from photochrom.nets.export import to_onnx

    if backend == "onnx" and precision != "fp32":
        raise ControlError("backend onnx computes on the processor in fp32 only; openvino and torch offer bf16")
    copies = _KNOWN.setdefault(network, {})
    stamp = stamp_of(network)
    found = copies.get((scale, precision, backend))
    if found is None or found[0] != stamp:
        content = to_onnx(network, scale)
        try:
            made = onnx_runtime(content) if backend == "onnx" else openvino_runtime(content, precision)
        except ImportError as error:
            raise ControlError(f"backend {backend} needs the package {_NEEDS[backend]}, which is not "
                               "installed") from error
        found = copies[scale, precision, backend] = (stamp, made)
    return found[1]


def onnx_runtime(content: bytes) -> Run:
    """Return ONNX Runtime on the processor with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(None, {"image": _plain(image)})[0])


def openvino_runtime(content: bytes, precision: str = "fp32") -> Run:
    """Return OpenVINO on the processor with as many threads as torch has."""
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32", "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(content), "CPU", settings)
    return lambda image: torch.from_numpy(np.array(compiled(_plain(image))[0]))   # its memory is used again


def reference_runtime(content: bytes) -> Run:
    """Return the interpreter that comes with the package onnx: slow, but always there beside an exporter."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(onnx.load_from_string(content))
    return lambda image: torch.from_numpy(session.run(None, {"image": _plain(image)})[0])


def _plain(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(image.detach().cpu().numpy(), np.float32)
