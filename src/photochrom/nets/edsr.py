"""EDSR: residual blocks without normalisation, in the small picture."""

from __future__ import annotations

from typing import Any

from torch import nn

from photochrom.nets.blocks import DIV2K_MEAN, Residual, Shifted, block, chain, conv, enlarge

INTERPOLATED = False

BASELINE: dict[str, Any] = {"blocks": 16, "features": 64, "residual_scale": 1.0}
FULL: dict[str, Any] = {"blocks": 32, "features": 256, "residual_scale": 0.1}


def edsr(*, scale: int = 2, blocks: int = 16, features: int = 64, residual_scale: float = 1.0) -> Shifted:
    """Build the network that enlarges a colour picture.

    Args:
        scale: how many times larger the result is.
        blocks: number of residual blocks, two 3x3 convolutions each.
        features: filters of each convolution.
        residual_scale: what a block's result is multiplied by; 0.1 keeps wide networks stable in training.

    Returns:
        A module of (B, 3, H, W) in 0..1 to (B, 3, scale H, scale W).

    Reference:
        Lim, Son, Kim, Nah, Lee: Enhanced deep residual networks for single image super-resolution. CVPRW 2017.

    Example:
        >>> sum(p.numel() for p in edsr(scale=4).parameters())
        1517571
    """
    inner = (block(features, scale=residual_scale) for _ in range(blocks))
    body = Residual(nn.Sequential(*inner, conv(features, features)))
    return Shifted(chain(head=conv(3, features), body=body, up=enlarge(features, scale), last=conv(features, 3)),
                   DIV2K_MEAN, 255)
