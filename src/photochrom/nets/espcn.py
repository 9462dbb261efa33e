"""ESPCN: super-resolution in the small picture, whose last layer shuffles channels into pixels."""

from __future__ import annotations

from torch import nn

from photochrom.nets.blocks import Outside, conv, he_normal

INTERPOLATED = False


def espcn(*, scale: int = 3, channels: int = 1, features: tuple[int, ...] = (64, 32),
          border: Outside = "zeros") -> nn.Sequential:
    """Build the network that enlarges a picture by sub-pixel convolution.

    All convolutions see the small picture; the last makes scale * scale values a pixel, which become its block of the
    large one.

    Args:
        scale: how many times larger the result is.
        channels: of the picture; 1 is luminance.
        features: how many filters the convolutions before the last have; the first is 5x5, all others 3x3.
        border: what lies outside: `replicate` leaves no dark frame where the training left borders out.

    Returns:
        A module of (B, channels, H, W) in 0..1 to (B, channels, scale H, scale W).

    Reference:
        Shi, Caballero, Huszar et al.: Real-time single image and video super-resolution using an efficient sub-pixel
        convolutional neural network. CVPR 2016.

    Example:
        >>> sum(p.numel() for p in espcn(scale=3).parameters())
        22729
    """
    layers: list[nn.Module] = []
    before = channels
    for outputs in features:
        layers += [conv(before, outputs, 3 if layers else 5, border=border), nn.Tanh()]
        before = outputs
    network = nn.Sequential(*layers, conv(before, channels * scale * scale, border=border), nn.PixelShuffle(scale))
    he_normal(network, last=0.001)
    return network
