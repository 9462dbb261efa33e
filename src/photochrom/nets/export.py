"""Networks as ONNX, for other runtimes."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from photochrom.core.errors import ControlError
from photochrom.nets.network import Network
from photochrom.nets.ready import ready
from photochrom.nets.runtimes import Run, onnx_runtime, openvino_runtime, reference_runtime

OPSET = 17


@dataclass(frozen=True)
class Exported:
    """What was written, and how well it agrees."""

    path: Path
    runtime: str
    """What ran the file for comparison."""
    difference: float
    """The greatest difference to torch in 0..1, over pictures of several sizes."""


class _OneScale(nn.Module):
    """A network of several scales with one of them chosen, for runtimes that know tensors only."""

    def __init__(self, network: Network, scale: int) -> None:
        super().__init__()
        self.network, self.scale = network, scale

    def forward(self, image: Tensor) -> Tensor:
        """Run at the scale."""
        made: Tensor = self.network(image, scale=self.scale)
        return made


def to_onnx(network: Network, scale: int | None = None) -> bytes:
    """Return a network as an ONNX model of (B, C, H, W) pictures of any size, called `image` and `result`.

    Args:
        network: what `photochrom.nets.weights.load` gives.
        scale: which of its factors, where it offers several.

    Raises:
        ControlError: the package onnx is not installed, or the scale is not offered.
    """
    known = network.descriptor
    scale = known.scales[0] if scale is None else scale
    if scale not in known.scales:
        raise ControlError(f"export: '{known.name}' enlarges {' or '.join(map(str, known.scales))} times, got {scale}")
    file = io.BytesIO()
    axes = {0: "batch", 2: "height", 3: "width"}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # The exporter that traces takes 0.3 s for DnCNN, the newer one 6.6, for the same numbers.
            warnings.simplefilter("ignore")
            torch.onnx.export(_OneScale(ready(network), scale), (_sample(network, 24, 32),), file, dynamo=False,
                              opset_version=OPSET, input_names=["image"], output_names=["result"],
                              dynamic_axes={"image": axes, "result": {0: "batch", 2: "tall", 3: "wide"}})
    except ImportError as error:
        needed = error.name or "onnx"
        raise ControlError(f"export: the package {needed} is needed; pip install photochrom[export]") from error
    return file.getvalue()


def export(network: Network, path: Path, scale: int | None = None) -> Exported:
    """Write a network as ONNX and compare what a runtime makes of the file with torch.

    Args:
        network: what is written.
        path: the file; one that exists is replaced. It appears whole or not at all.
        scale: which of the network's factors, where it offers several.

    Returns:
        The file and the greatest difference.

    Raises:
        ControlError: a package is missing, or the numbers differ by more than 1e-4; then nothing is written.
    """
    scale = network.descriptor.scales[0] if scale is None else scale
    content = to_onnx(network, scale)
    name, run = _any_runtime(content)
    worst = 0.0
    for height, width in ((24, 32), (37, 41), (64, 17)):
        image = _sample(network, height, width)
        with torch.no_grad():
            expected = network(image, scale=scale)
        worst = max(worst, float((run(image) - expected).abs().max()))
    if not worst <= 1e-4:
        raise ControlError(f"export: {name} differs from torch by {worst:.2g}, more than 1e-4; nothing is written")
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ControlError(f"export: '{path}' cannot be written: {error.strerror}") from error
    return Exported(path, name, worst)


def _any_runtime(content: bytes) -> tuple[str, Run]:
    for name, start in (("ONNX Runtime", onnx_runtime), ("OpenVINO", openvino_runtime),
                        ("onnx's reference", reference_runtime)):
        try:
            return name, start(content)
        except ImportError:
            continue
    raise ControlError("export: onnxruntime, openvino or onnx is needed to check what is written")


def _sample(network: Network, height: int, width: int) -> Tensor:
    """Return a picture of waves, the same each time."""
    channels = 3 if network.descriptor.channels == "rgb" else 1
    y, x = torch.arange(height)[:, None] * 0.37, torch.arange(width) * 0.23
    return (0.5 + 0.4 * torch.sin(x + y) * torch.cos(y)).expand(1, channels, height, width).contiguous()
