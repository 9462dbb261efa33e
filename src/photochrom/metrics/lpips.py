"""Learned perceptual image patch similarity."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from photochrom.core.errors import ControlError, FileError, nearest
from photochrom.metrics.backbones import BACKBONES
from photochrom.metrics.pairs import prepare
from photochrom.metrics.protocol import Protocol
from photochrom.metrics.running import Running
from photochrom.nets.files import read_tensors

Name = Literal["squeeze", "alex", "vgg"]

# of ImageNet's colours, for values from -1 to 1
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-10
_LEAST = 32
"""Pixels across, below which a backbone has nothing left to compare."""
_PIECE = 2048
"""Pixels of an inner picture that are compared at once."""
_ENDINGS = (".safetensors", ".pth", ".pt")


class Perceptual(nn.Module):
    """A backbone with the weights by which its inner pictures count.

    Reference:
        Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep features as a perceptual metric.
        CVPR 2018; version 0.1.
    """

    shift: Tensor
    scale: Tensor
    features: nn.Sequential

    def __init__(self, name: Name) -> None:
        """Build without weights."""
        super().__init__()
        backbone = BACKBONES[name]()
        self.features = nn.Sequential(*backbone.layers)
        self.cuts = backbone.cuts
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None], persistent=False)
        self.linear: list[Tensor] = []

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        """Return the distance (B,) of pictures (B, 3, H, W), display range 0..1."""
        if torch.is_grad_enabled() and (image.requires_grad or reference.requires_grad):
            return self._distance(image, reference, _apart)
        # one pair after the other: less memory at once, and more of it stays near
        return torch.cat([self._distance(one[None], other[None], _apart_in_pieces)
                          for one, other in zip(image, reference, strict=True)])

    def _distance(self, image: Tensor, reference: Tensor, apart: Callable[..., Tensor]) -> Tensor:
        pair = []
        for picture in (image, reference):
            # 0..1 becomes -1..1 here and nowhere else
            values = (2 * picture - 1 - self.shift) / self.scale
            pair.append(values.contiguous(memory_format=torch.channels_last))
        x, y = pair
        total = x.new_zeros(len(x))
        index = 0
        for k, layer in enumerate(self.features):
            x, y = layer(x), layer(y)
            if k == self.cuts[index]:
                total = total + apart(x, y, self.linear[index].to(x))
                index += 1
        return total


def _unit(x: Tensor, axis: int) -> Tensor:
    square = x.square().sum(axis, keepdim=True)
    # a root has no slope at 0
    return x / ((square + _TINY * _TINY).sqrt() if x.requires_grad else square.sqrt() + _TINY)


def _apart(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted squared distance of unit vectors of channels, the mean over pixels, (B,)."""
    return torch.einsum("bchw,c->b", (_unit(x, 1) - _unit(y, 1)).square(), weights) / (x.shape[-2] * x.shape[-1])


def _apart_in_pieces(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """As `_apart` of one pair, over pieces that stay in a cache."""
    one, other = (values[0].permute(1, 2, 0).reshape(-1, len(weights)) for values in (x, y))
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for at in range(0, len(one), _PIECE):
        square = (_unit(one[at:at + _PIECE], 1) - _unit(other[at:at + _PIECE], 1)).square_()
        total += (square.sum(0) @ weights).double()
    return (total / len(one)).to(x.dtype)[None]


@functools.lru_cache(maxsize=4)
def _loaded(name: Name, folders: tuple[str, ...]) -> Perceptual:
    network = Perceptual(name)
    path = _find(name, "the features of the backbone", BACKBONES[name]().files, folders)
    state, _ = read_tensors(path)
    known = {key.removeprefix("features."): value.float() for key, value in state.items()
             if not key.startswith("classifier.")}
    try:
        network.features.load_state_dict(known)
    except RuntimeError as error:
        raise FileError(f"lpips: '{path}' does not hold the features of {name}: "
                        f"{str(error).splitlines()[1].strip()}") from error
    path = _find(name, "the linear layers", (f"lpips/{name}", f"lpips_{name}", f"{name}"), folders)
    state, _ = read_tensors(path)
    weights = [state.get(f"lin{k}.model.1.weight") for k in range(len(network.cuts))]
    if any(weight is None for weight in weights) or f"lin{len(weights)}.model.1.weight" in state:
        raise FileError(f"lpips: '{path}' does not hold the linear layers of {name}, lin0 to lin{len(weights) - 1}")
    network.linear = [weight.float().flatten() for weight in weights if weight is not None]
    return network.eval().requires_grad_(False)


def _find(name: str, what: str, starts: tuple[str, ...], folders: tuple[str, ...]) -> Path:
    for folder in _places(folders):
        for start in starts:
            parent = (folder / start).parent
            for path in sorted(parent.glob(f"{Path(start).name}*")) if parent.is_dir() else ():
                if path.suffix in _ENDINGS and path.is_file():
                    return path
    raise FileError(f"lpips: {what} for {name} ({' or '.join(f'{start}*.pth' for start in starts)}) must lie in the "
                    "folder given as weights, in one that PHOTOCHROM_WEIGHTS lists, or in torch's cache")


def _places(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield Path(folder).expanduser()
    yield Path(torch.hub.get_dir()) / "checkpoints"


def load_perceptual(backbone: Name = "squeeze", weights: str | os.PathLike[str] | None = None) -> Perceptual:
    """Return the network of LPIPS.

    Args:
        backbone: "squeeze", "alex" or "vgg".
        weights: a folder with the backbone's features as torchvision publishes them (squeezenet1_1*.pth, alexnet*.pth,
            vgg16*.pth) and the linear layers that the authors publish (lpips/squeeze.pth and so on). Without one,
            the folders of PHOTOCHROM_WEIGHTS and torch's cache are searched.

    Raises:
        ControlError: no such backbone.
        FileError: a file is missing, or is another network's.
    """
    if backbone not in BACKBONES:
        raise ControlError(f"lpips: backbone {backbone!r} is not known{nearest(str(backbone), list(BACKBONES))}")
    listed = [folder for folder in os.environ.get("PHOTOCHROM_WEIGHTS", "").split(os.pathsep) if folder]
    return _loaded(backbone, tuple(([] if weights is None else [os.fspath(weights)]) + listed))


def lpips(image: Tensor, reference: Tensor, *, backbone: Name = "squeeze", border: int = 0,
          weights: str | os.PathLike[str] | None = None) -> Tensor:
    """Return how different pictures look to a classifier's inner pictures; 0 is the same.

    Args:
        image: (B, 3, H, W), display range 0..1 (not -1..1: that is checked), at least 32 pixels across.
        reference: likewise.
        backbone: "squeeze", "alex" (the authors' choice for scores) or "vgg" (theirs for training).
        border: pixels left out on every side.
        weights: see `load_perceptual`.

    Returns:
        (B,). Differentiable.

    Raises:
        ControlError: sizes, ranges or values that do not fit; not three channels.
        FileError: see `load_perceptual`.

    Reference:
        Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep features as a perceptual metric.
        CVPR 2018; version 0.1.
    """
    x, y = prepare("lpips", image, reference, "all", border, "none", _LEAST)
    if x.shape[1] == 1:
        x, y = x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1)
    if x.shape[1] != 3:
        raise ControlError(f"lpips: pictures must have one channel or three, got {x.shape[1]}")
    network = load_perceptual(backbone, weights).to(x.device)
    return network(x.float(), y.float()).to(image.dtype)


class LPIPS(Running):
    """The mean LPIPS of many pictures; settings as of `lpips`."""

    def __init__(self, backbone: Name = "squeeze", border: int = 0,
                 weights: str | os.PathLike[str] | None = None) -> None:
        """Score as `lpips` does with the same settings."""
        super().__init__(Protocol.of("lpips", backbone=backbone, version="0.1", range="0..1", border=border),
                         lambda image, reference: lpips(image, reference, backbone=backbone, border=border,
                                                        weights=weights))
