"""`photochrom export`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.core.errors import ControlError
from photochrom.nets.export import export
from photochrom.nets.weights import save
from tests.nets.test_architectures import small


@pytest.mark.parametrize("name", ["espcn", "vdsr", "dncnn", "mdsr", "rcan"])
def test_the_file_computes_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    network = small(name)
    scale = network.descriptor.scales[-1]
    done = export(network, tmp_path / "net.onnx", scale)
    assert done.difference <= 1e-4
    channels = 3 if network.descriptor.channels == "rgb" else 1
    image = torch.rand(2, channels, 19, 23, generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"image": image.numpy()})[0]
    expected = network(image, scale=scale).numpy()
    assert np.abs(found - expected).max() <= 1e-4 * max(1, np.abs(expected).max())
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("onnx")
    from photochrom.cli.exporting import export_network

    save(small("espcn"), tmp_path / "net.safetensors")
    export_network(str(tmp_path / "net.safetensors"), tmp_path / "net.onnx", None, True, False, False)
    told = json.loads(capsys.readouterr().out)
    assert told["network"] == "espcn"
    assert told["greatest_difference"] < 1e-4
    with pytest.raises(ControlError, match=r"\.onnx"):
        export_network(str(tmp_path / "net.safetensors"), tmp_path / "net.txt", None, True, False, False)
