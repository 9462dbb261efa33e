"""When a kernel may take the place of a definition in torch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad


def is_plain(image: Tensor) -> bool:
    """Tell whether only the numbers are wanted, on the processor: no derivative, no transformation, no tracing."""
    return (type(image) is Tensor and image.device.type == "cpu"
            and not (image.requires_grad and torch.is_grad_enabled())
            and forward_ad._current_level < 0 and not torch._C._are_functorch_transforms_active()
            and not torch.compiler.is_compiling())


def is_plain_float(image: Tensor) -> bool:
    """Tell whether a kernel for float32 may run: the picture is plain, float32, and not empty."""
    return image.dtype == torch.float32 and image.numel() > 0 and is_plain(image)
