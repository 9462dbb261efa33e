"""RCAN: residual blocks in residual groups, whose features are weighted by their means over the picture."""

from __future__ import annotations

from torch import nn

from photochrom.nets.blocks import DIV2K_MEAN, ChannelAttention, Residual, Shifted, chain, conv, enlarge

INTERPOLATED = False


def rcan(*, scale: int = 2, groups: int = 10, blocks: int = 20, features: int = 64, reduction: int = 16) -> Shifted:
    """Build the network that enlarges a colour picture.

    Its channel attention looks at the whole picture, which is why it cannot run in tiles without a difference.

    Args:
        scale: how many times larger the result is.
        groups: number of residual groups.
        blocks: residual blocks of each.
        features: filters of each convolution.
        reduction: how many times fewer features the attention thinks in.

    Returns:
        A module of (B, 3, H, W) in 0..1 to (B, 3, scale H, scale W).

    Reference:
        Zhang, Li, Li, Wang, Zhong, Fu: Image super-resolution using very deep residual channel attention networks.
        ECCV 2018.

    Example:
        >>> sum(p.numel() for p in rcan(scale=4).parameters())
        15592355
    """
    def attended() -> Residual:
        return Residual(nn.Sequential(conv(features, features), nn.ReLU(inplace=True), conv(features, features),
                                      ChannelAttention(features, reduction)))

    def group() -> Residual:
        return Residual(nn.Sequential(*(attended() for _ in range(blocks)), conv(features, features)))

    body = Residual(nn.Sequential(*(group() for _ in range(groups)), conv(features, features)))
    return Shifted(chain(head=conv(3, features), body=body, up=enlarge(features, scale), last=conv(features, 3)),
                   DIV2K_MEAN, 255)
