"""What is known of a set of weights."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from photochrom.core.errors import FileError, nearest
from photochrom.nets import ARCHITECTURES
from photochrom.nets.blocks import reach

Task = Literal["upscale", "denoise", "deblock"]
Channels = Literal["y", "gray", "rgb"]


@dataclass(frozen=True)
class Descriptor:
    """The facts that travel with weights, as JSON in the metadata of their file."""

    name: str
    """What `load` is asked for, such as espcn-x3."""
    architecture: str
    """A key of `ARCHITECTURES`."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the architecture's builder."""
    task: Task = "upscale"
    scale: int | tuple[int, ...] = 1
    """How many times larger the result is, or the factors from which one may be chosen."""
    channels: Channels = "y"
    """What the network was trained with: the studio-range luminance of Rec. 601 in 0..1, grey, or colour."""
    sigma: tuple[float, float] = (0.0, 0.0)
    """For noise: the weakest and strongest it was trained with, in levels of 255; the same twice if one alone."""
    range: tuple[float, float] = (0.0, 1.0)
    """Black and white as the network wants them."""
    halo: int | None = None
    """How many pixels of its input beyond a pixel are looked at; None is the whole picture."""
    licence: str = "unknown"
    data: str = "unknown"
    """Training data."""
    data_licence: str = "unknown"
    protocol: str = ""
    """How the figures were measured."""
    figures: dict[str, float] = field(default_factory=dict)
    """Scores, such as {"Set5 x3 PSNR": 32.55}."""
    sha256: str = ""
    """Of the tensors, by `digest`."""

    @property
    def scales(self) -> tuple[int, ...]:
        """The factors offered."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)

    @property
    def interpolated(self) -> bool:
        """Whether the network is given a picture that an interpolation has enlarged already."""
        return self.task == "upscale" and bool(module_of(self.architecture).INTERPOLATED)

    def to_json(self) -> str:
        """Return the facts as JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Descriptor:
        """Return what `to_json` wrote; unknown facts of a newer version are left out.

        Raises:
            FileError: the text is no such thing.
        """
        try:
            found = json.loads(text)
            known = {item.name: found[item.name] for item in dataclasses.fields(cls) if item.name in found}
            for name in ("scale", "sigma", "range"):
                if isinstance(known.get(name), list):
                    known[name] = tuple(known[name])
            return cls(**known)
        except (ValueError, TypeError) as error:
            raise FileError(f"weights: the description in the file cannot be read: {error}") from error


def module_of(architecture: str) -> Any:
    """Return the module of an architecture.

    Raises:
        FileError: none has this name.
    """
    if architecture not in ARCHITECTURES:
        raise FileError(f"weights: unknown architecture '{architecture}'{nearest(architecture, list(ARCHITECTURES))}")
    return importlib.import_module(ARCHITECTURES[architecture])


def build(architecture: str, parameters: Mapping[str, Any] | None = None) -> nn.Module:
    """Return a new network of an architecture, with weights drawn at random.

    Raises:
        FileError: none has this name, or it does not take these parameters.

    Example:
        >>> build("espcn", {"scale": 2})(__import__("torch").zeros(1, 1, 5, 4)).shape[-2:]
        torch.Size([10, 8])
    """
    make = getattr(module_of(architecture), architecture)
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in (parameters or {}).items()}
    try:
        made: nn.Module = make(**plain)
    except (TypeError, ValueError) as error:
        raise FileError(f"weights: {architecture} cannot be built with {plain}: {error}") from error
    return made


def halo_of(body: nn.Module) -> int | None:
    """Return how many pixels of the input beyond a pixel a network looks at, or None if the whole picture."""
    own = getattr(body, "halo", None)
    return own if isinstance(own, int) else reach(body)


def digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, shapes, kinds and bytes of tensors, in the order of their names."""
    found = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
