"""Checkpoints as others name their tensors are recognised, and the network that comes of them is theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from photochrom.core.errors import FileError
from photochrom.nets.weights import load
from tests.nets.test_architectures import small

RESIDUAL = [(r"body\.head\.", "head.0."), (r"body\.last\.", "tail.1."), (r"body\.up\.", "tail.0."),
            (r"body\.body\.body\.", "body."), (r"\.3\.squeeze\.", ".3.conv_du.0."), (r"\.3\.excite\.", ".3.conv_du.2.")]
# From our names to those of the published codes: EDSR-PyTorch (EDSR, MDSR, RCAN, RDN) and RDN-pytorch.
PUBLISHED = {
    "edsr": RESIDUAL, "rcan": RESIDUAL,
    "mdsr": [(r"body\.head\.", "head.0."), (r"body\.last\.", "tail.0."), (r"body\.up\.", "upsample."),
             (r"body\.pre\.", "pre_process."), (r"body\.body\.body\.", "body.")],
    "rdn": [(r"^blocks\.(\d+)\.layers\.(\d+)\.", r"rdbs.\1.layers.\2.conv."),
            (r"^blocks\.(\d+)\.merge\.", r"rdbs.\1.lff."),
            (r"^shallow\.", "sfe1."), (r"^second\.", "sfe2."), (r"^merge\.", "gff."), (r"^up\.", "upscale."),
            (r"^last\.", "output.")],
    "rdn-authors": [(r"^blocks\.(\d+)\.layers\.(\d+)\.", r"RDBs.\1.convs.\2.conv.0."),
                    (r"^blocks\.(\d+)\.merge\.", r"RDBs.\1.LFF."), (r"^shallow\.", "SFENet1."),
                    (r"^second\.", "SFENet2."), (r"^merge\.", "GFF."), (r"^up\.", "UPNet."), (r"^last\.", "UPNet.4.")],
}


@pytest.mark.parametrize("layout", PUBLISHED)
def test_published_names_are_mapped(layout: str, tmp_path: Path) -> None:
    network = small(layout.split("-")[0])
    state = {}
    for name, tensor in network.body.state_dict().items():
        for pattern, theirs in PUBLISHED[layout]:
            name = re.sub(pattern, theirs, name)
        state[name] = tensor
    if layout in ("edsr", "mdsr", "rcan"):
        state |= {"sub_mean.weight": torch.eye(3)[..., None, None], "sub_mean.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "theirs.pt")
    found = load(tmp_path / "theirs.pt")
    known = network.descriptor
    assert (found.descriptor.architecture, found.descriptor.scale) == (known.architecture, known.scale)
    for name, tensor in network.body.state_dict().items():
        assert torch.equal(found.body.state_dict()[name], tensor), name
    assert found.descriptor.range == ((0, 255) if layout == "rdn-authors" else (0, 1))


def chain_of(*layers: nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return nn.Sequential(*layers).eval().state_dict()


def test_chains_are_told_apart_by_their_shapes(tmp_path: Path) -> None:
    def named(state: dict[str, torch.Tensor]) -> str:
        torch.save({"state_dict": {f"module.{name}": part for name, part in state.items()}}, tmp_path / "net.pth")
        return load(tmp_path / "net.pth").descriptor.architecture

    assert named(chain_of(nn.Conv2d(1, 64, 9), nn.ReLU(), nn.Conv2d(64, 32, 1), nn.ReLU(),
                          nn.Conv2d(32, 1, 5))) == "srcnn"
    assert named(chain_of(nn.Conv2d(1, 64, 5), nn.Tanh(), nn.Conv2d(64, 32, 3), nn.Tanh(),
                          nn.Conv2d(32, 16, 3))) == "espcn"
    assert named(chain_of(*(nn.Conv2d(1 if i == 0 else 8, 1 if i == 5 else 8, 3, bias=False)
                            for i in range(6)))) == "vdsr"
    assert named(chain_of(*(nn.Conv2d(3 if i == 0 else 8, 3 if i == 5 else 8, 3) for i in range(6)))) == "dncnn"


def test_a_trained_normalisation_is_folded(tmp_path: Path) -> None:
    torch.manual_seed(5)
    layers: list[nn.Module] = [nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.ReLU()]
    for _ in range(3):
        norm = nn.BatchNorm2d(8)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
        norm.running_mean = torch.randn(8)
        norm.running_var = torch.rand(8) + 0.5
        layers += [nn.Conv2d(8, 8, 3, padding=1, bias=False), norm, nn.ReLU()]
    theirs = nn.Sequential(*layers, nn.Conv2d(8, 1, 3, padding=1, bias=False)).eval()
    torch.save({f"dncnn.{name}": part for name, part in theirs.state_dict().items()}, tmp_path / "net.pth")
    image = torch.rand(1, 1, 9, 8)
    with torch.no_grad():
        assert torch.allclose(load(tmp_path / "net.pth")(image), image - theirs(image), atol=1e-5)


def test_an_unknown_network_gets_the_nearest_named(tmp_path: Path) -> None:
    state = {"head.0.weight": torch.zeros(8, 3, 3, 3), "head.0.bias": torch.zeros(8),
             "body.0.body.0.weight": torch.zeros(8, 8, 3, 3), "strange.gate": torch.zeros(3)}
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(FileError, match=r"no network known here; the nearest is (EDSR|RCAN|MDSR) \(3 of 4 names\)"):
        load(tmp_path / "net.pth")
