"""Where a training starts from."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from photochrom.core.errors import ControlError
from photochrom.nets.files import read_tensors
from photochrom.nets.weights import find

_SMALL = 0.25
"""tanh(x / 4) is x / 4 within 2 per cent up to 1."""


def pass_through(network: nn.Module) -> None:
    """Change a chain of convolutions so that it begins by handing the picture on, enlarged if it enlarges.

    The first filter of every layer hands the first channel on, small enough for a tanh to leave it nearly as it is;
    the last layer makes up for that and, before a sub-pixel shuffle, interpolates between pixels. The other filters
    stay as they were drawn and count for little in the last layer.

    Args:
        network: of one channel; changed in place.

    Raises:
        ControlError: the network has no convolution.
    """
    found = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    if not found:
        raise ControlError("train: only networks of convolutions can start as the identity")
    gain = _SMALL if any(isinstance(part, nn.Tanh) for part in network.modules()) else 1.0
    with torch.no_grad():
        for part in found[:-1]:
            middle = part.kernel_size[0] // 2
            part.weight[0] = 0
            part.weight[0, 0, middle, middle] = gain if part is found[0] else 1.0
        last, middle = found[-1], found[-1].kernel_size[0] // 2
        nn.init.normal_(last.weight, std=1e-3)
        scale = math.isqrt(last.out_channels)
        for at in range(last.out_channels):
            rows, columns = (_linear((place + 0.5) / scale - 0.5) for place in divmod(at, scale))
            last.weight[at, 0, middle - 1:middle + 2, middle - 1:middle + 2] = torch.outer(rows, columns) / gain
        for part in found:
            if part.bias is not None:
                part.bias[0 if part is not last else slice(None)] = 0


def _linear(place: float) -> Tensor:
    """Return the weights of the pixels at -1, 0 and 1 of a linear interpolation."""
    return torch.tensor([max(0.0, 1 - abs(place - pixel)) for pixel in (-1, 0, 1)])


def warm(network: nn.Module, name: str) -> None:
    """Take over those weights that the network has in the same shape, such as all but the last layer of another scale.

    Args:
        network: changed in place.
        name: what `photochrom.nets.weights.load` takes, or a checkpoint of a training.

    Raises:
        FileError: there are no such weights, or they cannot be read.
        ControlError: none fits.
    """
    theirs, _ = read_tensors(find(name) if not Path(name).is_file() else Path(name))
    ours = network.state_dict()
    fitting = {key: tensor for key, tensor in theirs.items() if key in ours and ours[key].shape == tensor.shape}
    if not fitting:
        raise ControlError(f"train: none of the {len(theirs)} tensors of {name} fits the network")
    network.load_state_dict(fitting, strict=False)
