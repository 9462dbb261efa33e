"""SRCNN: super-resolution by three convolutions."""

from __future__ import annotations

from torch import nn

from photochrom.nets.blocks import Outside, conv

INTERPOLATED = True


def srcnn(*, kernels: tuple[int, int, int] = (9, 5, 5), features: tuple[int, int] = (64, 32),
          channels: int = 1, border: Outside = "zeros") -> nn.Sequential:
    """Build the network that sharpens a picture which a bicubic interpolation has enlarged.

    Patches are described by `features[0]` filters, mapped to `features[1]`, and put together again. One set of weights
    serves one scale.

    Args:
        kernels: sizes of the three convolutions: 9-1-5, 9-3-5 or 9-5-5.
        features: how many filters the first two have.
        channels: of the picture; 1 is luminance.
        border: what lies outside: `replicate`, as the authors' own test does, or zeros.

    Returns:
        A module of (B, channels, H, W) in 0..1, enlarged, to the same.

    Reference:
        Dong, Loy, He, Tang: Image super-resolution using deep convolutional networks. TPAMI 38(2), 2016. Differs from
        the paper in that edges are padded, so that the size is kept.

    Example:
        >>> sum(p.numel() for name, p in srcnn(kernels=(9, 1, 5)).named_parameters() if "weight" in name)
        8032
    """
    first, second, third = kernels
    return nn.Sequential(conv(channels, features[0], first, border=border), nn.ReLU(inplace=True),
                         conv(features[0], features[1], second, border=border), nn.ReLU(inplace=True),
                         conv(features[1], channels, third, border=border))
