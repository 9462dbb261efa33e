"""Small helpers: how a control meets a batch of pictures, and results that are no pictures as plain data."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from photochrom.core.errors import ControlError


def per_picture(value: float | Tensor, image: Tensor) -> float | Tensor:
    """Shape a control so that it broadcasts over `image` (B, C, H, W).

    Args:
        value: a number; or a tensor of shape (), (B,) for a value a picture, or (B or 1, C) for one a channel.
        image: the picture it will meet.

    Returns:
        The number, or a tensor (B or 1, C or 1, 1, 1) of the picture's dtype and device.
    """
    if not isinstance(value, Tensor):
        return value
    if value.ndim > 2:
        raise ControlError(f"a tensor control must have the shape (), (B,) or (B, C), got {tuple(value.shape)}")
    shape = (*value.shape, 1, 1)[:2] if value.ndim else (1, 1)
    return value.to(image).reshape(*shape, 1, 1)


def plain(data: Any) -> Any:
    """Return data as lists, numbers and dictionaries that JSON can hold.

    Example:
        >>> import torch
        >>> plain([torch.tensor([1.0, 2.0]), 3])
        [[1.0, 2.0], 3]
    """
    if isinstance(data, Tensor):
        return data.tolist()
    if hasattr(data, "_asdict"):
        return {name: plain(value) for name, value in data._asdict().items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    return data
