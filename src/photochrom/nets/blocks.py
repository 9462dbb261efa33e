"""What the architectures are made of."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

Outside = Literal["zeros", "replicate"]

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Of the pictures that EDSR and its followers were trained with."""


def conv(inputs: int, outputs: int, size: int = 3, *, bias: bool = True, border: Outside = "zeros") -> nn.Conv2d:
    """Return a convolution that keeps the size of the picture; what lies outside is zero, or repeats the edge."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias, padding_mode=border)


def chain(**parts: nn.Module) -> nn.Sequential:
    """Return modules one after the other, each with its name."""
    return nn.Sequential(OrderedDict(parts))


def he_normal(module: nn.Module, last: float | None = None) -> None:
    """Draw the convolutions as He et al. (2015) do for rectifiers, from torch's generator; biases become zero.

    Args:
        module: whose convolutions are drawn.
        last: the standard deviation of the last one, where that shall begin near zero.
    """
    found = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    for part in found:
        nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if part.bias is not None:
            nn.init.zeros_(part.bias)
    if last is not None:
        nn.init.normal_(found[-1].weight, std=last)


class Residual(nn.Module):
    """x + scale * body(x).

    EDSR scales by 0.1 so that deep and wide chains stay stable, DnCNN by -1: its body finds the noise.
    """

    def __init__(self, body: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        self.body = body
        self.scale = scale

    def forward(self, image: Tensor) -> Tensor:
        """Return the input plus what the body makes of it."""
        return image.add(self.body(image), alpha=self.scale)


def block(features: int, size: int = 3, scale: float = 1.0) -> Residual:
    """Return a residual block of two convolutions with a rectifier between them."""
    return Residual(nn.Sequential(conv(features, features, size), nn.ReLU(inplace=True),
                                  conv(features, features, size)), scale)


class Shifted(nn.Module):
    """A network whose values are `span` times larger and whose mean is taken off, inside one of 0..1."""

    mean: Tensor

    def __init__(self, body: nn.Module, mean: Iterable[float], span: float) -> None:
        super().__init__()
        self.body = body
        self.span = span
        self.halo: int | None = getattr(body, "halo", None)
        self.register_buffer("mean", torch.tensor(list(mean)).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, image: Tensor, **settings: int) -> Tensor:
        """Return the body's result in the encoding and range of the input."""
        mean = self.mean.to(image.dtype)
        made: Tensor = self.body((image - mean) * self.span, **settings)
        return made / self.span + mean


class DenseBlock(nn.Module):
    """Every convolution sees the input and all results before its own.

    A 1x1 convolution merges them, and the input is added.
    """

    def __init__(self, features: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(features + i * growth, growth) for i in range(layers))
        self.merge = conv(features + layers * growth, features, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the block's features, as many as came in."""
        found = [image]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)).relu())
        merged: Tensor = self.merge(torch.cat(found, 1))
        return image + merged


class ChannelAttention(nn.Module):
    """Weight each feature by what its mean over the whole picture says: the one part here without a finite reach."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = conv(features, features // reduction, 1)
        self.excite = conv(features // reduction, features, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the features, each times a weight in 0..1."""
        weight: Tensor = self.excite(self.squeeze(image.mean((-2, -1), keepdim=True)).relu())
        return image * weight.sigmoid()


def enlarge(features: int, scale: int, act: bool = False) -> nn.Sequential:
    """Return what enlarges by sub-pixel convolution: one step for 2 or 3, one for each power of two.

    Args:
        features: channels that come in and go out.
        scale: 2, 3, 4, 8 ...
        act: follow each step by a PReLU.
    """
    steps = [3] if scale == 3 else [2] * int(math.log2(scale))
    if math.prod(steps) != scale:
        raise ValueError(f"enlarge: expected the scale 3 or a power of 2, got {scale}")
    parts: list[nn.Module] = []
    for step in steps:
        parts += [conv(features, features * step * step), nn.PixelShuffle(step)]
        if act:
            parts.append(nn.PReLU())
    return nn.Sequential(*parts)


def reach(module: nn.Module, scale: int = 1) -> int | None:
    """Return how many pixels beyond a pixel a chain of convolutions reads, or None if the whole picture.

    Convolutions are counted in the order in which they are registered, as if each followed the one before; those
    behind a sub-pixel shuffle reach less far in pixels of the input.

    Args:
        module: the network; it has no strides.
        scale: how much finer its grid is than that of the input.

    Example:
        >>> reach(nn.Sequential(conv(1, 8, 9), conv(8, 8, 1), conv(8, 1, 5)))
        6
    """
    total = 0.0
    for part in module.modules():
        if isinstance(part, ChannelAttention):
            return None
        if isinstance(part, nn.Conv2d):
            total += part.kernel_size[0] // 2 / scale
        elif isinstance(part, nn.PixelShuffle):
            scale *= part.upscale_factor
    return math.ceil(total)
