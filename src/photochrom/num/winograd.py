"""Chains of 3x3 convolutions on the processor, between many channels by Winograd's minimal filtering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows, threads

_FEW = 4
"""Channels of a picture at the most."""


@dataclass(frozen=True)
class Layer:
    """A convolution whose weights lie as the kernels read them."""

    inputs: int
    outputs: int
    vectors: int
    weights: Tensor
    bias: Tensor
    rectified: bool


def suits(weight: Tensor) -> bool:
    """Tell whether a convolution between many channels can be computed here: 3x3, and channels in full vectors."""
    pair = 2 * load("winograd").LANES
    return weight.shape[2:] == (3, 3) and _vectors(len(weight)) > 0 and weight.shape[1] % pair == 0


def suits_first(weight: Tensor) -> bool:
    """Tell whether a convolution of a picture can be the first of a chain."""
    return weight.shape[2:] == (3, 3) and _vectors(len(weight)) > 0 and weight.shape[1] <= _FEW


def _vectors(outputs: int) -> int:
    """Return how many vectors of outputs are computed together, 0 if they do not fill any."""
    kernels = load("winograd")
    sizes: tuple[int, ...] = (kernels.VECTORS, kernels.VECTORS // 2)
    return next((vectors for vectors in sizes if outputs % (vectors * kernels.LANES) == 0), 0)


def layer(weight: Tensor, bias: Tensor | None, rectified: bool, low: bool = False) -> Layer:
    """Return a convolution ready to be computed.

    Args:
        weight: (O, I, 3, 3), such that `suits` or `suits_first` is true.
        bias: (O,), or None for zeros.
        rectified: whether what is negative becomes 0.
        low: whether it shall multiply in bfloat16, where the processor does so by itself; never the picture.
    """
    kernels = load("winograd")
    outputs, inputs = weight.shape[:2]
    vectors = _vectors(outputs)
    block = vectors * kernels.LANES
    given, more = weight.detach().double(), torch.zeros(outputs) if bias is None else bias.detach().float().contiguous()
    if inputs <= _FEW:
        taps = torch.cat([given.flatten(1), more[:, None]], 1).float().reshape(-1, block, 9 * inputs + 1)
        return Layer(inputs, outputs, vectors, taps.transpose(1, 2).contiguous(), more, rectified)
    points = _points()
    values = (points @ given @ points.T).float().reshape(-1, block, inputs, kernels.PLANES)
    values = values.permute(0, 3, 2, 1)
    if low and kernels.BFLOAT16:
        values = values.bfloat16().unflatten(2, (inputs // 2, 2)).transpose(-1, -2)
    return Layer(inputs, outputs, vectors, values.contiguous(), more, rectified)


def _points() -> Tensor:
    """Return G, (6, 3): what a kernel's polynomial is at the points, over the product of their distances."""
    points = [0.0, *(sign * value for value in load("winograd").POINTS for sign in (1, -1))]
    rows = [[point**k / math.prod(point - other for other in points if other != point) for k in range(3)]
            for point in points]
    return torch.tensor([*rows, [0.0, 0.0, 1.0]], dtype=torch.float64)


def convolve(image: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Apply convolutions one after the other; what lies outside of the picture is zero for each.

    Args:
        image: (B, C, H, W) of finite float32 or bfloat16 values.
        layers: at least one, each of as many inputs as the one before has outputs.

    Returns:
        (B, O, H, W), float32, channels last in memory.
    """
    made = []
    for one in image:
        frames = _Frames(image.shape[-2], image.shape[-1], max(max(each.inputs, each.outputs) for each in layers))
        if layers[0].inputs > _FEW:
            frames.put(one)
        for each in layers:
            if each.inputs > _FEW:
                _many(each, frames)
            else:
                _first(each, one, frames)
        made.append(frames.picture())
    return made[0] if len(made) == 1 else torch.cat(made)


class _Frames:
    """Two places for pictures in frames of zeros, which layers read and write in turn."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self.height, self.width = height, width
        step = load("winograd").STEP
        self.tiles = -(-height // step), -(-width // step)
        self._shape = (step * self.tiles[0] + 2, step * self.tiles[1] + 2)
        room = (math.prod(self._shape) * channels,)
        self._other, self._place = (empty(room) for _ in range(2))
        self.here = self._place.view(*self._shape, channels)

    def put(self, picture: Tensor) -> None:
        """Lay a picture, (C, H, W), into the present place."""
        self.turn(len(picture))
        self.here[1:self.height + 1, 1:self.width + 1] = picture.permute(1, 2, 0)

    def turn(self, channels: int) -> Tensor:
        """Return the present picture, and go on to the other place, of zeros around a picture still to be written."""
        before, self._place, self._other = self.here, self._other, self._place
        self.here = self._place[: math.prod(self._shape) * channels].view(*self._shape, channels)
        self.here[0], self.here[:, 0] = 0, 0
        self.here[self.height + 1:], self.here[:, self.width + 1:] = 0, 0
        return before

    def picture(self) -> Tensor:
        """Return the present picture, (1, C, H, W)."""
        return self.here[1:self.height + 1, 1:self.width + 1].permute(2, 0, 1)[None]


def _many(layer: Layer, frames: _Frames) -> None:
    kernels = load("winograd")
    source, out, low = frames.turn(layer.outputs), frames.here, layer.weights.dtype == torch.bfloat16
    units = -(-math.prod(frames.tiles) // kernels.TOGETHER)
    tile = layer.weights.element_size() * layer.inputs + 4 * layer.vectors * kernels.LANES
    bytes_ = kernels.PLANES * kernels.TOGETHER * tile

    def work(first: int, last: int) -> None:
        scratch: Any = np.empty(bytes_, np.uint8)
        kernels.layer(source.data_ptr(), out.data_ptr(), frames.height, frames.width, layer.inputs, layer.outputs,
                      layer.vectors, layer.weights.data_ptr(), layer.bias.data_ptr(), _least(layer), low,
                      scratch.ctypes.data, first, last)

    parallel_rows(work, 0, units, max(1, units // (4 * threads())))


def _first(layer: Layer, picture: Tensor, frames: _Frames) -> None:
    kernels = load("winograd")
    frames.turn(layer.outputs)
    around = torch.nn.functional.pad(picture.float(), (1, 1, 1, 1)).numpy()

    def work(first: int, last: int) -> None:
        kernels.first_layer(around, frames.here.data_ptr(), layer.outputs, layer.vectors, layer.weights.data_ptr(),
                            _least(layer), first, last)

    parallel_rows(work, 0, frames.height, max(1, frames.height // (4 * threads())))


def _least(layer: Layer) -> np.float32:
    return np.float32(0 if layer.rectified else -math.inf)
