"""Noise of a sensor."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.core.values import per_picture


@op(reach="image")
def add_noise(image: Image, *,
              sigma: Annotated[float | Tensor, Range(0, 255, soft=(0, 75), unit="levels")] = 25.0,
              seed: Annotated[int, Range(0, 2**31 - 1)] = 0,
              clip: bool = False) -> Tensor:
    """Add noise: to every value of every pixel a number drawn by chance from a normal distribution.

    The numbers depend on the seed and on the size of the picture and on nothing else, so that a picture gets the same
    noise wherever and however it is computed. Pictures of a batch get the same noise each.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        sigma: standard deviation in 8-bit levels, 255 of which are the display range; 0 adds nothing.
        seed: of the noise.
        clip: cut off what lies outside [0, 1] afterwards, as a camera would; papers on denoising do not.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1] unless `clip`.

    Raises:
        ControlError: `sigma` or `seed` outside its range.

    Reference:
        Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian Denoiser. IEEE TIP 26(7), 2017, section III.

    Example:
        >>> grey = torch.full((1, 1, 256, 256), 0.5)
        >>> round(255 * add_noise(grey, sigma=25.0).std().item(), 1)
        25.0
    """
    # Drawn on the processor in one precision: the same numbers on every device.
    chance = torch.Generator().manual_seed(seed)
    noise = torch.randn(image.shape[1:], generator=chance).to(image)
    noisy = image + noise * (per_picture(sigma, image) / 255)
    return noisy.clamp(0, 1) if clip else noisy
