"""Weights by name: from the package, a path, folders, or a hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from photochrom.core.errors import FileError, nearest
from photochrom.nets.descriptor import Descriptor, build, digest, halo_of
from photochrom.nets.files import read_description, read_tensors, write_tensors
from photochrom.nets.network import Network

__all__ = ["Descriptor", "Network", "load", "save", "shipped"]

SHIPPED = Path(__file__).parent / "shipped"
ENDINGS = (".safetensors", ".pth", ".pt")


def load(name: str | os.PathLike[str]) -> Network:
    """Return a network with its weights, ready for use.

    Args:
        name: of weights of this package, such as espcn-x3; or a file, `.safetensors` or `.pth`, of this library or in a
            layout that another has published; or the name of a file in a folder that the variable PHOTOCHROM_WEIGHTS
            lists; or hf:owner/repository on a hub.

    Returns:
        The network, in float32 on the processor, in evaluation mode.

    Raises:
        FileError: there is no such thing; it is damaged, would run code, or holds what is not a number; its tensors are
            of no network known here.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "own.safetensors"
        >>> save(Network.new(Descriptor("own", "espcn", {"scale": 2}, scale=2)), path)
        >>> load(path).descriptor.scales
        (2,)
    """
    path = find(name)
    state, described = read_tensors(path)
    if described is None:
        from photochrom.nets.foreign import recognise

        known, state = recognise(state, path)
    else:
        known = Descriptor.from_json(described)
        if known.sha256 and digest(state) != known.sha256:
            raise FileError(f"weights: '{path}' is damaged: its tensors are not those that were described")
    body = build(known.architecture, known.parameters)
    try:
        body.load_state_dict(state)
    except RuntimeError as error:
        raise FileError(f"weights: the tensors of '{path}' do not fit {known.architecture} with {known.parameters}: "
                        f"{str(error).splitlines()[1].strip()}") from error
    network = Network(body, known)
    if not network.finite():
        raise FileError(f"weights: '{path}' holds values that are not numbers (NaN or infinite); the training failed")
    network.eval().requires_grad_(False)
    return network


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network as safetensors, with its description and the sum of its tensors in the metadata.

    Args:
        network: what `load` gives, or `Network(module, Descriptor(...))`.
        path: the file; one that exists is replaced.

    Raises:
        FileError: it cannot be written, or weights are not numbers.
    """
    if not network.finite():
        raise FileError(f"weights: '{network.descriptor.name}' holds values that are not numbers and is not saved")
    state = network.body.state_dict()
    known = replace(network.descriptor, sha256=digest(state), halo=halo_of(network.body))
    write_tensors(state, known.to_json(), Path(path))


def find(name: str | os.PathLike[str]) -> Path:
    """Return the file that a name of `load` means."""
    text = os.fspath(name)
    if text.startswith("hf:"):
        from photochrom.nets.hub import fetch

        return fetch(text.removeprefix("hf:"))
    path = Path(text).expanduser()
    if path.is_dir() and (path / "model.safetensors").is_file():
        return path / "model.safetensors"
    if path.is_file():
        return path
    if path.is_dir() and len(path.parts) > 1:
        raise FileError(f"weights: '{text}' is a folder without model.safetensors; name a file in it, or list "
                        "the folder in PHOTOCHROM_WEIGHTS and give the file's name")
    if path.suffix in ENDINGS or len(path.parts) > 1:
        raise FileError(f"weights: there is no file '{text}'")
    for folder in _folders():
        for ending in ENDINGS:
            if (folder / f"{text}{ending}").is_file():
                return folder / f"{text}{ending}"
    known = [known.name for known in shipped()]
    raise FileError(f"weights: there are none called '{text}'{nearest(text, known)}")


def _folders() -> Iterator[Path]:
    yield SHIPPED
    for folder in os.environ.get("PHOTOCHROM_WEIGHTS", "").split(os.pathsep):
        if folder:
            yield Path(folder).expanduser()


def shipped() -> list[Descriptor]:
    """Return the descriptions of the weights in this package, by name."""
    found = []
    for path in sorted(SHIPPED.glob("*.safetensors")):
        described = read_description(path)
        if described is not None:
            found.append(Descriptor.from_json(described))
    return found


def parameters(network: torch.nn.Module) -> int:
    """Return how many weights a network learns.

    Example:
        >>> parameters(build("vdsr"))
        664704
    """
    return sum(part.numel() for part in network.parameters())
