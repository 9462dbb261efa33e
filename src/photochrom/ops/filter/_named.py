"""What correlation and convolution share: kernels that have a name, checks, the way through light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.errors import ControlError, nearest
from photochrom.core.types import Kernel
from photochrom.num.matrices import gaussian_kernel
from photochrom.num.strips import pointwise

_SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
_SCHARR = ((-3, 0, 3), (-10, 0, 10), (-3, 0, 3))
NAMED: dict[str, np.ndarray] = {
    "box": np.full((3, 3), 1 / 9),
    "gaussian": np.outer(gaussian_kernel(1.0), gaussian_kernel(1.0)),
    "sharpen": np.array(((0, -1, 0), (-1, 5, -1), (0, -1, 0)), np.float64),
    "sobel_x": np.array(_SOBEL, np.float64),
    "sobel_y": np.array(_SOBEL, np.float64).T.copy(),
    "scharr_x": np.array(_SCHARR, np.float64),
    "scharr_y": np.array(_SCHARR, np.float64).T.copy(),
    "laplacian_4": np.array(((0, 1, 0), (1, -4, 1), (0, 1, 0)), np.float64),
    "laplacian_8": np.array(((1, 1, 1), (1, -8, 1), (1, 1, 1)), np.float64),
    "emboss": np.array(((-2, -1, 0), (-1, 1, 1), (0, 1, 2)), np.float64),
}
"""By name. Derivatives are for correlation: `sobel_x` is positive where the right is lighter, `sobel_y` where below."""
MOST = 2**24


def weights_of(kernel: Kernel | Tensor | str, operation: str) -> np.ndarray | Tensor:
    """Return the numbers of a kernel given as rows, name or tensor.

    Args:
        kernel: as the control was given.
        operation: its name, for messages.

    Returns:
        (kh, kw): float64, or the tensor itself.

    Raises:
        ControlError: no such name, or a tensor of another shape, or one too large.
    """
    if isinstance(kernel, str):
        if kernel not in NAMED:
            raise ControlError(f"{operation}: there is no kernel '{kernel}'{nearest(kernel, list(NAMED))}")
        return NAMED[kernel]
    made = kernel if isinstance(kernel, Tensor) else np.array(kernel, np.float64)
    if made.ndim != 2 or not all(made.shape):
        raise ControlError(f"{operation}: kernel must have rows and columns, got the shape {tuple(made.shape)}")
    if made.shape[0] * made.shape[1] > MOST:
        raise ControlError(f"{operation}: kernel must hold at most {MOST} numbers, got {made.shape[1]} x "
                           f"{made.shape[0]}")
    return made


def reach(kernel: Kernel | Tensor | str) -> int:
    """Return how many pixels a kernel reaches beyond its anchor, at most, either way round."""
    shape = tuple(kernel.shape) if isinstance(kernel, Tensor) else (
        NAMED[kernel].shape if isinstance(kernel, str) and kernel in NAMED
        else (3, 3) if isinstance(kernel, str) else (len(kernel), len(kernel[0])))  # fmt: skip
    return max((n // 2 for n in shape), default=0)


def halo(*, kernel: Kernel | Tensor | str, border: str, size: str, **_: object) -> int | None:
    """Return how far a correlation or convolution looks; None where it needs the whole picture."""
    return None if border == "circular" or size != "same" else reach(kernel)


def grows(*, size: str, **_: object) -> bool:
    """Tell whether the result has another size than the picture."""
    return size != "same"


def weighed(way: Callable[..., Tensor], image: Tensor, kernel: Kernel | Tensor | str, border: str, size: str,
            method: str, space: str) -> Tensor:
    """Send a picture, or its light, through `correlate` or `convolve` of the engine."""
    weights = weights_of(kernel, way.__name__)
    height, width = image.shape[-2:]
    if size == "valid" and (weights.shape[0] > height or weights.shape[1] > width):
        raise ControlError(f"{way.__name__}: nothing is valid where a kernel of {weights.shape[1]} x "
                           f"{weights.shape[0]} is larger than the picture of {width} x {height} pixels")
    if space == "linear":
        return pointwise(linear_to_srgb, way(pointwise(srgb_to_linear, image), weights, border, size, method))
    return way(image, weights, border, size, method)


def on_alpha(*, kernel: Kernel | Tensor | str, **_: object) -> dict[str, Any]:
    """Return the kernel for alpha: that of the colours where it takes a mean, else one that leaves alpha as it is."""
    weights = weights_of(kernel, "kernel")
    if abs(float(weights.detach().sum() if isinstance(weights, Tensor) else weights.sum()) - 1) < 1e-6:
        return {}
    rows, columns = weights.shape
    return {"kernel": tuple(tuple(float((i, j) == (rows // 2, columns // 2)) for j in range(columns))
                            for i in range(rows)), "method": "auto"}  # fmt: skip
