"""The colour spaces in whose axes statistics are matched, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import Tensor

from photochrom.color.l_alpha_beta import l_alpha_beta_to_rgb, rgb_to_l_alpha_beta
from photochrom.color.lab import lab_to_rgb, rgb_to_lab
from photochrom.color.oklab import oklab_to_rgb, rgb_to_oklab

Axes: TypeAlias = Literal["l_alpha_beta", "lab", "oklab", "rgb"]
"""l-alpha-beta, CIELAB, OKLab, or the channels as they are."""

NO_SPREAD: dict[str, float] = {"l_alpha_beta": 1e-6, "lab": 1e-3, "oklab": 1e-5, "rgb": 1e-6}
"""A standard deviation that float32 does not resolve: stretching it would make a picture of rounding errors."""


def rgb_to_axes(image: Tensor, axes: Axes) -> Tensor:
    """Convert sRGB-encoded values (B, 3, H, W) to the axes; 16-bit floats come out as float32.

    Example:
        >>> import torch
        >>> [round(v) for v in rgb_to_axes(torch.ones(1, 3, 1, 1), "lab").flatten().tolist()]
        [100, 0, 0]
    """
    wide = image if image.element_size() >= 4 else image.float()
    if axes == "rgb":
        return wide
    return {"l_alpha_beta": rgb_to_l_alpha_beta, "lab": rgb_to_lab, "oklab": rgb_to_oklab}[axes](wide)


def axes_to_rgb(image: Tensor, axes: Axes) -> Tensor:
    """Convert from the axes to sRGB-encoded values (B, 3, H, W).

    Example:
        >>> import torch
        >>> axes_to_rgb(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1), "oklab").round().flatten().tolist()
        [1.0, 1.0, 1.0]
    """
    if axes == "rgb":
        return image
    return {"l_alpha_beta": l_alpha_beta_to_rgb, "lab": lab_to_rgb, "oklab": oklab_to_rgb}[axes](image)
