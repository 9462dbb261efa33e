"""Correlation of a picture with any kernel: by direct sums, by separable parts, or by Fourier transforms.

Where the method is free, a picture that holds NaN or infinity is done by direct sums, which keep them local.

`out[i, j] = sum over u, v of kernel[u, v] E[i - top + u, j - left + v]`, E being the picture continued by its border.
"""

import functools
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from photochrom.num import taps
from photochrom.num.borders import Border, check_border
from photochrom.num.matrices import weight_inside
from photochrom.num.places import Place

__all__ = ["Method", "Output", "choose", "convolve", "correlate", "kernel_array", "separable_parts"]

Method = Literal["auto", "direct", "separable", "fourier"]
Output = Literal["same", "full", "valid"]


def correlate(
    image: Tensor, kernel: Tensor | np.ndarray, border: Border = "reflect", size: Output = "same",
    method: Method = "auto",
) -> Tensor:  # fmt: skip
    """Correlate each plane with a kernel: the kernel is laid over the picture as it is.

    Args:
        image: (B, C, H, W), floating; half and bfloat16 are computed in float32.
        kernel: (kh, kw), any size; its anchor is the element (kh // 2, kw // 2), counted from 0.
        border: what lies outside; normalize multiplies by the kernel's whole weight over its weight inside.
        size: "same", "full" (wherever the kernel touches the picture), "valid" (where it lies inside).
        method: "auto" takes the one that is predicted to be the fastest; never Fourier where the picture holds NaN.

    Returns:
        (B, C, h, w), same dtype and device; differentiable in picture and kernel, any number of times.

    Raises:
        ValueError: the picture, the kernel or a name is not as said, or nothing is left ("valid").

    Example:
        >>> x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
        >>> correlate(x, torch.tensor([[1.0, 2.0], [3.0, 4.0]]), size="valid")[0, 0].tolist()
        [[37.0, 47.0], [67.0, 77.0]]
    """
    weights = _weights(kernel)
    return _run(image, weights, (weights.shape[0] // 2, weights.shape[1] // 2), border, size, method)


def convolve(
    image: Tensor, kernel: Tensor | np.ndarray, border: Border = "reflect", size: Output = "same",
    method: Method = "auto",
) -> Tensor:  # fmt: skip
    """Convolve each plane with a kernel: a white dot on black becomes the kernel.

    Args:
        image: as for `correlate`.
        kernel: (kh, kw); its anchor, (kh // 2, kw // 2), lands on the dot.
        border: as for `correlate`.
        size: as for `correlate`.
        method: as for `correlate`.

    Returns:
        As for `correlate`.

    Raises:
        ValueError: as for `correlate`.

    Example:
        >>> x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
        >>> convolve(x, torch.tensor([[1.0, 2.0], [3.0, 4.0]]), size="valid")[0, 0].tolist()
        [[23.0, 33.0], [53.0, 63.0]]
    """
    weights = _weights(kernel).flip(0, 1)
    rows, columns = weights.shape
    return _run(image, weights, (rows - 1 - rows // 2, columns - 1 - columns // 2), border, size, method)


def kernel_array(kernel: Tensor) -> np.ndarray:
    """Return the numbers of a kernel, float64."""
    made: np.ndarray = np.ascontiguousarray(kernel.detach().to("cpu", torch.float64).numpy())
    return made


def _weights(kernel: Tensor | np.ndarray) -> Tensor:
    made = kernel if isinstance(kernel, Tensor) else torch.from_numpy(np.asarray(kernel, np.float64))
    if made.ndim != 2 or not made.numel() or not made.is_floating_point():
        raise ValueError(f"kernel: expected rows of numbers; got {made.dtype} of shape {tuple(made.shape)}")
    return made


def _run(
    image: Tensor, kernel: Tensor, anchor: tuple[int, int], border: Border, size: Output, method: Method
) -> Tensor:  # fmt: skip
    if image.ndim != 4 or not image.is_floating_point():
        raise ValueError(f"correlate: expected a floating picture (B, C, H, W); got {image.dtype} {tuple(image.shape)}")
    check_border(border)
    if size not in get_args(Output) or method not in get_args(Method):
        raise ValueError(f"correlate: no size {size!r} or no method {method!r}")
    (height, width), (rows, columns) = image.shape[-2:], kernel.shape
    if size == "valid" and (rows > height or columns > width):
        raise ValueError(f"correlate: a kernel of {columns} x {rows} leaves nothing valid of {width} x {height} pixels")
    top, left = {"same": anchor, "full": (rows - 1, columns - 1), "valid": (0, 0)}[size]
    grown = {"same": 0, "full": 1, "valid": -1}[size]
    place = Place(height, width, rows, columns, top, left, height + grown * (rows - 1), width + grown * (columns - 1),
                  "constant" if border == "normalize" else border)  # fmt: skip
    working = image if image.dtype in (torch.float32, torch.float64) else image.float()
    made = _apply(working, kernel, place, method)
    if border == "normalize" and size != "valid" and made.numel():
        made = _reweighted(made, kernel, place)
    return made.to(image.dtype)


def _apply(image: Tensor, kernel: Tensor, place: Place, method: Method) -> Tensor:
    if not image.numel():
        return image.new_zeros((*image.shape[:2], place.h, place.w))
    made: Tensor = _Correlate.apply(image, kernel, place, method)  # type: ignore[no-untyped-call]
    return made


def _reweighted(made: Tensor, kernel: Tensor, place: Place) -> Tensor:
    """Multiply by the kernel's whole weight over its weight inside the picture."""
    cover = [torch.from_numpy(np.lib.stride_tricks.sliding_window_view(f >= 0, n).astype(np.float64))
             for f, n in ((place.fold_y, place.rows), (place.fold_x, place.columns))]  # fmt: skip
    weights = kernel.to("cpu", torch.float64)
    if kernel.requires_grad or forward_ad.unpack_dual(kernel).tangent is not None:
        inside = cover[0] @ weights @ cover[1].T
        whole, usable = weights.sum(), inside.abs() > 1e-12
        scale = torch.where(usable, whole / torch.where(usable, inside, 1.0), 1.0)
        full = (cover[0].sum(1) == place.rows)[:, None] & (cover[1].sum(1) == place.columns)
        return made * torch.where(full, 1.0, scale).to(made)
    # the same for the four edges alone
    whole_y, whole_x = (np.flatnonzero(c.all(1).numpy()) for c in cover)
    y0, y1 = (int(whole_y[0]), int(whole_y[-1]) + 1) if len(whole_y) else (0, 0)
    x0, x1 = (int(whole_x[0]), int(whole_x[-1]) + 1) if len(whole_x) else (0, 0)
    edges = [(0, y0, 0, place.w), (y1, place.h, 0, place.w), (y0, y1, 0, x0), (y0, y1, x1, place.w)]
    strips = [made[..., a:z, b:c] for a, z, b, c in edges]
    total = float(weights.detach().sum())
    scaled = []
    for (a, z, b, c), strip in zip(edges, strips, strict=True):
        inside_here = (cover[0][a:z] @ weights @ cover[1][b:c].T).numpy()
        scaled.append(strip * torch.from_numpy(weight_inside(total, inside_here)).to(made))
    if made.requires_grad:
        middle = torch.cat([scaled[2], made[..., y0:y1, x0:x1], scaled[3]], -1)
        return torch.cat([scaled[0], middle, scaled[1]], -2)
    for strip, values in zip(strips, scaled, strict=True):
        strip.copy_(values)
    return made


class _Correlate(torch.autograd.Function):
    """A correlation by whichever method; its derivatives are correlations again."""

    @staticmethod
    def forward(image: Tensor, kernel: Tensor, place: Place, method: Method) -> Tensor:
        numbers = kernel_array(kernel)
        free = method == "auto"
        if method == "auto":
            method = choose(image, numbers, place)
        if method == "separable" and not (free and not bool(torch.isfinite(image.sum()))):
            return taps.separable(image, separable_parts(numbers, image.dtype), place)
        if method == "fourier":
            from photochrom.num import overlap

            made = overlap.correlate(image, numbers, place)
            if not free or overlap.is_clean(made, place):
                return made
        return taps.direct(image, numbers, place)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        image, kernel, ctx.place, ctx.method = inputs
        needed = ctx.needs_input_grad
        ctx.save_for_backward(image if needed[1] else None, kernel)
        ctx.save_for_forward(image, kernel)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        image, kernel = ctx.saved_tensors
        place, grad = ctx.place, grads[0]
        for_image = for_kernel = None
        if ctx.needs_input_grad[0]:
            rows, columns = place.rows, place.columns
            back = Place(place.h, place.w, rows, columns, rows - 1, columns - 1, place.h + rows - 1,
                         place.w + columns - 1, "constant")  # fmt: skip
            method: Method = ctx.method if ctx.method in ("direct", "fourier") else "auto"
            spread = _apply(grad, kernel.flip(0, 1), back, method)
            spread = taps.fold_back(spread, place.fold_y, place.height, -2)
            for_image = taps.fold_back(spread, place.fold_x, place.width, -1)
        if ctx.needs_input_grad[1]:
            extended = taps.extended(image, place.fold_y, place.fold_x)
            for_kernel = taps.products(extended, grad, place.rows, place.columns).to(kernel)
        return for_image, for_kernel, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        image, kernel = ctx.saved_tensors
        pairs = ((tangents[0], kernel), (image, tangents[1]))
        made = [_apply(a, b, ctx.place, ctx.method) for a, b in pairs if a is not None and b is not None]
        return made[0] if len(made) == 1 else made[0] + made[1]


def separable_parts(kernel: np.ndarray, dtype: torch.dtype = torch.float32) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the fewest pairs (down, across) whose outer products add up to the kernel.

    Args:
        kernel: (kh, kw).
        dtype: of the picture: float32 allows 1e-6 of the kernel's absolute sum to be left over, float64 1e-13.

    Returns:
        Pairs of (kh,) and (kw,), the weightiest first; none for a kernel of zeros.

    Example:
        >>> len(separable_parts(np.outer([1, 2, 1], [1, 0, -1])))
        1
    """
    kernel = np.ascontiguousarray(kernel, np.float64)
    return _parts(kernel.tobytes(), kernel.shape, 1e-13 if dtype == torch.float64 else 1e-6)


@functools.lru_cache(maxsize=32)
def _parts(kernel: bytes, shape: tuple[int, int], allowed: float) -> list[tuple[np.ndarray, np.ndarray]]:
    left = np.frombuffer(kernel).reshape(shape).copy()
    if not np.isfinite(left).all():
        raise ValueError("kernel: expected finite numbers")
    allowed *= np.abs(left).sum()
    down, values, across = np.linalg.svd(left, full_matrices=False)
    made = []
    for u, value, v in zip(down.T, values, across, strict=True):
        if np.abs(left).sum() <= allowed:
            break
        root = np.sqrt(value)
        made.append((u * root, v * root))
        left -= np.outer(*made[-1])
    return made


def choose(image: Tensor, kernel: np.ndarray, place: Place) -> Method:
    """Return the method whose predicted time is least, for a picture without NaN.

    Args:
        image: the picture, of which only sizes and kind are looked at.
        kernel: (kh, kw).
        place: where the result lies.
    """
    if not np.isfinite(kernel).all():
        return "direct"
    costs = predicted(image, kernel, place)
    return min(costs, key=lambda name: costs[name])


def predicted(image: Tensor, kernel: np.ndarray, place: Place) -> dict[Method, float]:
    """Return the predicted nanoseconds a value of the result by each method; only their order counts.

    Measured on 12 to 36 million float32 values, two AVX-512 cores.
    """
    rows, columns = kernel.shape
    parts = max(1, len(separable_parts(kernel, image.dtype)))
    if image.dtype == torch.float32 and image.device.type == "cpu":
        from photochrom.num import overlap

        return {
            "direct": 0.55 + 0.0104 * rows * columns,
            "separable": (0.75 + 0.0114 * (rows + columns)) * parts + 0.4 * (parts - 1),
            "fourier": overlap.predicted(image.shape[0] * image.shape[1], place),
        }
    return {
        "direct": 1.5 * int(np.count_nonzero(kernel)),
        "separable": (5 + 0.02 * (rows + columns)) * parts,
        "fourier": 25.0 * (1 + (rows - 1) / max(256, 4 * rows)) * (1 + (columns - 1) / place.w),
    }
