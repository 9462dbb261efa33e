"""VDSR: super-resolution by twenty convolutions that find what is missing."""

from __future__ import annotations

from torch import nn

from photochrom.nets.blocks import Residual, conv, he_normal

INTERPOLATED = True


def vdsr(*, depth: int = 20, features: int = 64, channels: int = 1) -> Residual:
    """Build the network that adds detail to a picture which a bicubic interpolation has enlarged.

    One set of weights serves all scales it was trained with.

    Args:
        depth: number of convolutions, all 3x3 and without bias.
        features: filters of each.
        channels: of the picture; 1 is luminance.

    Returns:
        A module of (B, channels, H, W) in 0..1, enlarged, to the same.

    Reference:
        Kim, Lee, Lee: Accurate image super-resolution using very deep convolutional networks. CVPR 2016.

    Example:
        >>> sum(p.numel() for p in vdsr().parameters())
        664704
    """
    layers: list[nn.Module] = []
    for i in range(depth):
        layers.append(conv(channels if i == 0 else features, channels if i == depth - 1 else features, bias=False))
        if i < depth - 1:
            layers.append(nn.ReLU(inplace=True))
    network = Residual(nn.Sequential(*layers))
    he_normal(network)
    return network
