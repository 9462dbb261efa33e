"""RDN: dense blocks, all of whose results are put together at the end."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.nets.blocks import DenseBlock, conv, enlarge

INTERPOLATED = False


class Dense(nn.Module):
    """The network's own wiring: the results of all blocks are merged and added to the first features."""

    def __init__(self, scale: int, channels: int, features: int, growth: int, blocks: int, layers: int) -> None:
        super().__init__()
        self.shallow = conv(channels, features)
        self.second = conv(features, features)
        self.blocks = nn.ModuleList(DenseBlock(features, growth, layers) for _ in range(blocks))
        self.merge = nn.Sequential(conv(blocks * features, features, 1), conv(features, features))
        self.up = enlarge(features, scale)
        self.last = conv(features, channels)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge the picture."""
        first = self.shallow(image)
        found, features = [], self.second(first)
        for block in self.blocks:
            features = block(features)
            found.append(features)
        made: Tensor = self.last(self.up(self.merge(torch.cat(found, 1)) + first))
        return made


def rdn(*, scale: int = 2, channels: int = 3, features: int = 64, growth: int = 64, blocks: int = 16,
        layers: int = 8) -> Dense:
    """Build the network that enlarges a colour picture.

    Args:
        scale: how many times larger the result is.
        channels: of the picture.
        features: filters between blocks.
        growth: filters that each convolution of a block adds.
        blocks: number of dense blocks.
        layers: convolutions of each.

    Returns:
        A module of (B, channels, H, W) in 0..1 to (B, channels, scale H, scale W).

    Reference:
        Zhang, Tian, Kong, Zhong, Fu: Residual dense network for image super-resolution. CVPR 2018.

    Example:
        >>> sum(p.numel() for p in rdn(scale=2).parameters())
        22123395
    """
    return Dense(scale, channels, features, growth, blocks, layers)
