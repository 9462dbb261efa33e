"""MDSR: one network for several scales, which share all but their ends."""

from __future__ import annotations

import math

from torch import Tensor, nn

from photochrom.nets.blocks import DIV2K_MEAN, Residual, Shifted, block, conv, enlarge

INTERPOLATED = False


class Scales(nn.Module):
    """A body of residual blocks between ends of which each scale has its own."""

    def __init__(self, scales: tuple[int, ...], blocks: int, features: int) -> None:
        super().__init__()
        self.scales = scales
        self.head = conv(3, features)
        self.pre = nn.ModuleList(nn.Sequential(block(features, 5), block(features, 5)) for _ in scales)
        self.body = Residual(nn.Sequential(*(block(features) for _ in range(blocks)), conv(features, features)))
        self.up = nn.ModuleList(enlarge(features, scale) for scale in scales)
        self.last = conv(features, 3)
        self.halo = 1 + 8 + 2 * blocks + 1 + 2   # head, 5x5 blocks, body, enlarging in fractions of a pixel

    def forward(self, image: Tensor, scale: int) -> Tensor:
        """Enlarge by one of the scales."""
        way = self.scales.index(scale)
        made: Tensor = self.last(self.up[way](self.body(self.pre[way](self.head(image)))))
        return made


def mdsr(*, scales: tuple[int, ...] = (2, 3, 4), blocks: int = 80, features: int = 64) -> Shifted:
    """Build the network that enlarges a colour picture by one of several factors.

    Args:
        scales: the factors.
        blocks: number of residual blocks that all share; 16 in the baseline.
        features: filters of each convolution.

    Returns:
        A module of (B, 3, H, W) in 0..1 and `scale` to (B, 3, scale H, scale W).

    Reference:
        Lim, Son, Kim, Nah, Lee: Enhanced deep residual networks for single image super-resolution. CVPRW 2017.

    Example:
        >>> sum(p.numel() for p in mdsr(blocks=16).parameters())
        3227203
    """
    if not scales or any(scale != 3 and math.log2(scale) % 1 for scale in scales):
        raise ValueError(f"mdsr: expected scales of 3 or powers of 2, got {scales}")
    return Shifted(Scales(tuple(scales), blocks, features), DIV2K_MEAN, 255)
