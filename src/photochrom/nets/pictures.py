"""Networks on pictures as people have them: colour on a network that knows luminance, grey on one that knows colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from photochrom.color.ycbcr import rgb_to_ycbcr, ycbcr_to_rgb
from photochrom.nets.inference import enlarge_bicubic, restore
from photochrom.nets.network import Network

_GAIN, _FOOT = 219 / 255, 16 / 255
"""Grey as the luminance of video, 16 to 235, on which networks of luminance are trained."""


def restore_picture(network: Network, image: Tensor, *, scale: int = 1, **settings: Any) -> Tensor:
    """Run a network over a picture in encoded RGB or grey.

    A network of luminance gets the luminance of Rec. 601 in studio range; the colour differences are enlarged by
    MATLAB's bicubic. A network of grey gets every channel as a picture of its own. A network of colour gets
    grey as three equal channels, of whose results the mean is taken, so that grey stays grey.

    Args:
        network: what is run.
        image: (B, C, H, W), encoded; three channels are RGB, any other number are as many grey pictures.
        scale: how much larger the result is.
        **settings: of `photochrom.nets.inference.restore`.

    Returns:
        (B, C, scale H, scale W), same encoding; not clipped.

    Example:
        >>> from photochrom.nets.weights import Descriptor
        >>> network = Network.new(Descriptor("small", "espcn", {"scale": 2}, scale=2))
        >>> restore_picture(network, torch.zeros(1, 3, 5, 4), scale=2).shape
        torch.Size([1, 3, 10, 8])
    """
    def run(planes: Tensor) -> Tensor:
        return restore(network, planes, scale=scale, **settings)

    wanted = network.descriptor.channels
    colour = image.shape[1] == 3
    if image.dtype in (torch.float16, torch.bfloat16):
        return restore_picture(network, image.float(), scale=scale, **settings).to(image.dtype)
    if wanted == "y" and colour:
        parts = rgb_to_ycbcr(image, levels="studio")
        differences = parts[:, 1:] if scale == 1 else enlarge_bicubic(parts[:, 1:], scale)
        return ycbcr_to_rgb(torch.cat([run(parts[:, :1]), differences], 1), levels="studio")
    if wanted == "y":
        return _each(image, lambda planes: (run(planes * _GAIN + _FOOT) - _FOOT) / _GAIN)
    if wanted == "gray":
        return _each(image, run)
    if colour:
        return run(image)
    return _each(image, lambda planes: run(planes.expand(-1, 3, -1, -1)).mean(1, keepdim=True))


def _each(image: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
    """Run on every channel as a picture of its own."""
    made = run(image.reshape(-1, 1, *image.shape[-2:]))
    return made.reshape(*image.shape[:2], *made.shape[-2:])
