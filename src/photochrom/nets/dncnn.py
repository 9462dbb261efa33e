"""DnCNN: a chain of convolutions that finds the noise, which is taken off."""

from __future__ import annotations

from typing import Any

from torch import nn

from photochrom.nets.blocks import Residual, conv, he_normal

INTERPOLATED = True

S: dict[str, Any] = {"depth": 17}
"""For noise of one known strength."""
B: dict[str, Any] = {"depth": 20}
"""Blind: for noise of any strength it was trained with. DnCNN-3 has the same layers, trained for noise, interpolation
and JPEG blocks together."""


def dncnn(*, depth: int = 17, features: int = 64, channels: int = 1, norm: bool = True) -> Residual:
    """Build the network that takes noise, JPEG blocks or the blur of an interpolation off a picture.

    Args:
        depth: number of 3x3 convolutions.
        features: filters of each.
        channels: 1 is grey, 3 colour.
        norm: normalise between convolutions, which the training needs; without it, convolutions have the biases that a
            trained normalisation is folded into.

    Returns:
        A module of (B, channels, H, W) in 0..1 to the same, without the noise.

    Reference:
        Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising.
        TIP 26(7), 2017.

    Example:
        >>> sum(p.numel() for p in dncnn(depth=17).parameters())
        556032
    """
    layers: list[nn.Module] = []
    for i in range(depth):
        ends = i in (0, depth - 1)
        layers.append(conv(channels if i == 0 else features, channels if i == depth - 1 else features, bias=not norm))
        if norm and not ends:
            layers.append(nn.BatchNorm2d(features))
        if i < depth - 1:
            layers.append(nn.ReLU(inplace=True))
    network = Residual(nn.Sequential(*layers), scale=-1)
    he_normal(network)
    return network
