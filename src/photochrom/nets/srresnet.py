"""SRResNet: residual blocks with normalisation, which EDSR leaves out."""

from __future__ import annotations

from torch import nn

from photochrom.nets.blocks import Residual, chain, conv, enlarge

INTERPOLATED = False


def srresnet(*, scale: int = 4, blocks: int = 16, features: int = 64, channels: int = 3) -> nn.Sequential:
    """Build the network that enlarges a colour picture.

    Args:
        scale: how many times larger the result is.
        blocks: number of residual blocks.
        features: filters of each convolution.
        channels: of the picture.

    Returns:
        A module of (B, channels, H, W) in 0..1 to (B, channels, scale H, scale W).

    Reference:
        Ledig, Theis, Huszar et al.: Photo-realistic single image super-resolution using a generative adversarial
        network. CVPR 2017.

    Example:
        >>> round(sum(p.numel() for p in srresnet().parameters()) / 1e6, 1)
        1.5
    """
    def normalised() -> Residual:
        return Residual(nn.Sequential(conv(features, features, bias=False), nn.BatchNorm2d(features), nn.PReLU(),
                                      conv(features, features, bias=False), nn.BatchNorm2d(features)))

    body = Residual(nn.Sequential(*(normalised() for _ in range(blocks)), conv(features, features, bias=False),
                                  nn.BatchNorm2d(features)))
    return chain(head=nn.Sequential(conv(channels, features, 9), nn.PReLU()), body=body,
                 up=enlarge(features, scale, act=True), last=conv(features, channels, 9))
