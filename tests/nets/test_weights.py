"""Weights from files, folders and the hub's mixin; what is damaged or dangerous is refused in one sentence."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from photochrom.core.errors import ControlError, FileError
from photochrom.nets.choice import best, network_for
from photochrom.nets.weights import Descriptor, Network, load, save
from tests.contract.cases import one_sentence
from tests.nets.test_architectures import small


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    network = small("espcn")
    known = replace(network.descriptor, licence="mit", figures={"Set5 x3 PSNR": 32.5}, data="T91")
    save(Network(network.body, known), tmp_path / "own.safetensors")
    found = load(tmp_path / "own.safetensors")
    assert replace(found.descriptor, sha256="") == replace(known, halo=found.descriptor.halo)
    assert len(found.descriptor.sha256) == 64
    image = torch.rand(1, 1, 5, 6)
    assert torch.equal(found(image), network(image))
    assert [path.name for path in tmp_path.iterdir()] == ["own.safetensors"]


def test_weights_by_name_come_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(small("espcn"), tmp_path / "mine.safetensors")
    with pytest.raises(FileError, match="none called 'mine'"):
        load("mine")
    monkeypatch.setenv("PHOTOCHROM_WEIGHTS", f"{tmp_path / 'nowhere'}{os.pathsep}{tmp_path}")
    assert load("mine").descriptor.architecture == "espcn"


def test_the_mixin_saves_a_folder_with_a_card_and_reads_it(tmp_path: Path) -> None:
    network = small("espcn")
    network.save_pretrained(tmp_path / "folder")
    card = (tmp_path / "folder" / "README.md").read_text()
    assert card.startswith("---\n")
    assert "library_name: photochrom" in card
    again = Network.from_pretrained(str(tmp_path / "folder"))
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert load(tmp_path / "folder").descriptor.name == "espcn"


def test_the_hub_is_not_asked_when_it_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FileError) as error:
        load("hf:someone/some-network")
    one_sentence(error, "someone/some-network", "switched off")
    with pytest.raises(FileError) as error:
        Network.from_pretrained("someone/some-network", local_files_only=True)
    one_sentence(error, "someone/some-network", "not in the cache")


def test_a_folder_without_weights_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(FileError) as error:
        load(tmp_path)
    one_sentence(error, "is a folder without model.safetensors")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("false",)


def spoilt(network: Network, path: Path, how: str) -> None:
    """Write a file that must be refused."""
    save(network, path)
    content = bytearray(path.read_bytes())
    if how == "short":
        path.write_bytes(content[:len(content) // 2])
    elif how == "head":
        path.write_bytes(bytes([255] * 6) + content[6:])
    elif how == "changed":
        content[-5] ^= 64
        path.write_bytes(content)
    elif how == "pickle":
        path.write_bytes(pickle.dumps({"weight": Evil()}))
    elif how == "code":
        torch.save({"weight": torch.zeros(3), "run": Evil()}, path)
    elif how == "zip":
        torch.save({"weight": torch.zeros(3)}, path)
        path.write_bytes(path.read_bytes()[:200])
    elif how == "text":
        path.write_text("no weights here")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no tensors":
        torch.save({"epoch": 3}, path)
    elif how == "nan":
        state = {name: part.clone() for name, part in network.body.state_dict().items()}
        state["0.weight"][0, 0, 0, 0] = float("nan")
        torch.save(state, path)


@pytest.mark.parametrize("how", ["short", "head", "changed", "pickle", "code", "zip", "text", "empty", "no tensors",
                                 "nan"])
def test_bad_files_get_one_sentence(how: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "net.safetensors"
    spoilt(small("espcn"), path, how)
    with pytest.raises(FileError) as error:
        load(path)
    one_sentence(error, "net.safetensors")
    assert not recwarn.list
    if how in ("pickle", "code"):
        assert "could run code" in str(error.value)
    if how == "nan":
        assert "not numbers" in str(error.value)


def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path) -> None:
    network = small("espcn")
    with torch.no_grad():
        next(network.parameters()).fill_(float("inf"))
    with pytest.raises(FileError, match="not saved"):
        save(network, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_weights_of_another_task_or_scale_are_refused(tmp_path: Path) -> None:
    save(small("espcn"), tmp_path / "x3.safetensors")
    path = str(tmp_path / "x3.safetensors")
    with pytest.raises(ControlError) as error:
        network_for("denoise", path)
    one_sentence(error, "denoise", "upscale")
    with pytest.raises(ControlError) as error:
        network_for("upscale", path, scale=2)
    one_sentence(error, "3 times", "scale 2")


def test_the_best_of_several_is_chosen() -> None:
    up = [Descriptor(name, "espcn", scale=3, figures={"Set5 x3 PSNR": value})
          for name, value in (("a", 32.4), ("b", 32.6))]
    noise = [Descriptor(name, "dncnn", task="denoise", sigma=sigma) for name, sigma in
             (("15", (15, 15)), ("50", (50, 50)), ("blind", (0, 55)))]
    everything = [*up, *noise]
    assert best(everything, "upscale", 3).name == "b"
    assert best(everything, "denoise", sigma=50).name == "50"
    assert best(everything, "denoise", sigma=30).name == "blind"
    assert best(everything, "denoise", sigma=80).name == "blind"
    assert best(everything, "denoise").name == "blind"
    with pytest.raises(ControlError, match="no weights for upscale by 2"):
        best(everything, "upscale", 2)
