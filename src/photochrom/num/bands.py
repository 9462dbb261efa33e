"""Separable linear operators on pictures, `A_y X A_x^T`: Gaussian, box and any other pair of banded matrices."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.num.borders import Border, check_border, fold
from photochrom.num.matrices import (
    Band,
    box_kernel,
    gaussian_kernel,
    gaussian_radius,
    odd_kernel,
    toeplitz,
)

__all__ = [
    "Band",
    "Border",
    "Method",
    "apply",
    "box",
    "box_kernel",
    "gaussian_halo",
    "gaussian_kernel",
    "gaussian_radius",
    "separable",
    "toeplitz",
]

Method = Literal["direct", "products"]
_Vector = Sequence[float] | np.ndarray


def gaussian_halo(*, sigma: float, border: Border, **_: object) -> int | None:
    """Return how far a Gaussian blur looks, for operations that contain one.

    Args:
        sigma: of the Gaussian.
        border: what lies outside the picture.

    Returns:
        The kernel's radius; None where the picture wraps round and is needed whole.
    """
    return None if border == "circular" else gaussian_radius(sigma)


def apply(image: Tensor, rows: Band, columns: Band) -> Tensor:
    """Apply one banded matrix down the columns and one along the rows of each plane: `A_y X A_x^T`.

    Args:
        image: (B, C, H, W), floating; half and bfloat16 are computed in float32.
        rows: A_y, (H', H).
        columns: A_x, (W', W).

    Returns:
        (B, C, H', W'), same dtype and device; differentiable any number of times.

    Raises:
        ValueError: the picture is not a floating tensor of four axes, or a matrix does not fit it.

    Example:
        >>> apply(torch.ones(1, 1, 4, 4), toeplitz([1, 1, 1], 4), toeplitz([1], 4))[0, 0, 0, 0].item()
        3.0
    """
    _check("apply", image)
    if (rows.n_in, columns.n_in) != tuple(image.shape[-2:]):
        raise ValueError(
            f"apply: expected a picture of {rows.n_in} x {columns.n_in}; got {image.shape[-2]} x {image.shape[-1]}"
        )
    return _run(_Products, _working(image), rows, columns).to(image.dtype)


def separable(
    image: Tensor, kernel_y: _Vector, kernel_x: _Vector, border: Border = "reflect", *, method: Method | None = None
) -> Tensor:
    """Correlate each plane with kernel_y down the columns and kernel_x along the rows.

    Args:
        image: (B, C, H, W), floating; half and bfloat16 are computed in float32.
        kernel_y: odd length, centred.
        kernel_x: odd length, centred.
        border: what lies outside the picture.
        method: "direct" sums (float32 on the processor only), "products" of matrices, or None for the faster.

    Returns:
        (B, C, H, W), same dtype and device; differentiable any number of times.

    Raises:
        ValueError: a kernel of even length, no such border or method, "direct" where it cannot run.

    Example:
        >>> separable(torch.ones(1, 1, 4, 4), [0.5, 0.5, 0], [1], "constant")[0, 0, 0, 0].item()
        0.5
    """
    _check("separable", image)
    check_border(border)
    taps_y, taps_x = odd_kernel(kernel_y), odd_kernel(kernel_x)
    working = _working(image)
    can = _is_plain(working)
    if method not in (None, "direct", "products"):
        raise ValueError(f"separable: method must be 'direct', 'products' or None; got {method!r}")
    if method == "direct" and not can:
        raise ValueError(f"separable: 'direct' needs float32 on the processor; got {image.dtype} on {image.device}")
    if method is None:
        method = "direct" if can and _direct_is_faster(len(taps_y), len(taps_x)) else "products"
    if method == "direct" and image.numel():
        return _run(_Direct, working, taps_y, taps_x, border).to(image.dtype)
    rows, columns = toeplitz(taps_y, image.shape[-2], border), toeplitz(taps_x, image.shape[-1], border)
    return _run(_Products, working, rows, columns).to(image.dtype)


def box(image: Tensor, radius_y: int, radius_x: int | None = None, border: Border = "reflect") -> Tensor:
    """Take the mean over a box around each pixel.

    In float32 on the processor the cost does not depend on the radii.

    Args:
        image: (B, C, H, W), floating; half and bfloat16 are computed in float32.
        radius_y: the box has 2 radius_y + 1 rows; 0 averages along the rows only.
        radius_x: likewise for columns; None means radius_y.
        border: what lies outside the picture.

    Returns:
        (B, C, H, W), same dtype and device; differentiable any number of times.

    Raises:
        ValueError: a negative radius, no such border.

    Example:
        >>> box(torch.eye(3)[None, None], 1, border="constant")[0, 0, 1, 1].item()
        0.3333333432674408
    """
    _check("box", image)
    check_border(border)
    radius_x = radius_y if radius_x is None else radius_x
    kernel_y, kernel_x = box_kernel(radius_y), box_kernel(radius_x)
    working = _working(image)
    if _is_plain(working) and image.numel():
        return _run(_Box, working, radius_y, radius_x, border).to(image.dtype)
    rows, columns = toeplitz(kernel_y, image.shape[-2], border), toeplitz(kernel_x, image.shape[-1], border)
    return _run(_Products, working, rows, columns).to(image.dtype)


def _check(name: str, image: Tensor) -> None:
    if image.ndim != 4 or not image.is_floating_point():
        raise ValueError(f"{name}: expected a floating picture (B, C, H, W); got {image.dtype} {tuple(image.shape)}")


def _working(image: Tensor) -> Tensor:
    return image if image.dtype in (torch.float32, torch.float64) else image.float()


def _run(function: Any, image: Tensor, *arguments: Any) -> Tensor:
    made: Tensor = function.apply(image, *arguments)
    return made


def _is_plain(image: Tensor) -> bool:
    return image.dtype == torch.float32 and image.device.type == "cpu"


def _direct_is_faster(taps_y: int, taps_x: int) -> bool:
    """Compare predicted costs of a value; only their ratio counts, which moves little between processors.

    Measured on 36 million values, two AVX-512 cores: direct sums 25 ms + 0.41 a tap, products 96 + 0.18 a tap.
    """
    taps = taps_y + taps_x
    return 25 + 0.41 * taps < 96 + 0.18 * taps


class _Products(torch.autograd.Function):
    """`A_y X A_x^T`, whose derivative is the same with the transposed matrices."""

    @staticmethod
    def forward(image: Tensor, rows: Band, columns: Band) -> Tensor:
        from photochrom.num.products import products

        return products(image, rows, columns)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.rows, ctx.columns = inputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _run(_Products, grads[0], ctx.rows.transpose, ctx.columns.transpose), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return _run(_Products, tangents[0], ctx.rows, ctx.columns)


def _adjoint(grad: Tensor, kernel_y: np.ndarray, kernel_x: np.ndarray, border: Border) -> Tensor:
    """Carry a gradient back through a correlation."""
    mirrored = kernel_y[::-1], kernel_x[::-1]
    if border in ("constant", "circular"):   # the transposed matrix is that of the mirrored kernel
        return separable(grad, *mirrored, border)
    (height, width), (ry, rx) = grad.shape[-2:], (len(kernel_y) // 2, len(kernel_x) // 2)
    if border != "normalize" and height > 2 * ry + 1 and width > 2 * rx + 1:
        # (C + E)^T G (C + E): C has zeros outside, and E what the border adds, in the outer rows and columns alone
        made = separable(grad, *mirrored, "constant")
        across = toeplitz(kernel_x, width, border).transpose
        for end, part, target in ((False, slice(0, ry), slice(0, ry + 1)),
                                  (True, slice(height - ry, height), slice(height - ry - 1, height))):
            if ry:
                added = _corner(kernel_y, border, end, grad).t() @ grad[..., part, :]
                made[..., target, :] += _run(_Products, added, toeplitz([1], ry + 1), across)
        for end, part, target in ((False, slice(0, rx), slice(0, rx + 1)),
                                  (True, slice(width - rx, width), slice(width - rx - 1, width))):
            if rx:
                added = grad[..., part] @ _corner(kernel_x, border, end, grad)
                made[..., target] += separable(added, mirrored[0], [1], "constant")
        return made
    rows, columns = toeplitz(kernel_y, grad.shape[-2], border), toeplitz(kernel_x, grad.shape[-1], border)
    return _run(_Products, grad, rows.transpose, columns.transpose)


def _corner(kernel: np.ndarray, border: Border, end: bool, like: Tensor) -> Tensor:
    """Return what a border adds to the first (or last) r rows of a correlation's matrix, in r + 1 columns there."""
    r = len(kernel) // 2
    at = np.arange(r)[:, None] + np.arange(-r, r + 1)
    made = np.zeros((r, r + 1))
    taps = kernel[::-1] if end else kernel
    for i in range(r):
        outside = at[i] < 0
        np.add.at(made[i], fold(at[i][outside], 4 * r + 2, border), taps[outside])
    return torch.from_numpy(np.ascontiguousarray(made[::-1, ::-1] if end else made)).to(like)


class _Direct(torch.autograd.Function):
    """A correlation by direct sums."""

    @staticmethod
    def forward(image: Tensor, kernel_y: np.ndarray, kernel_x: np.ndarray, border: Border) -> Tensor:
        from photochrom.num.strided import direct

        return direct(image, kernel_y, kernel_x, border)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.kernel_y, ctx.kernel_x, ctx.border = inputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _adjoint(grads[0], ctx.kernel_y, ctx.kernel_x, ctx.border), None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return separable(tangents[0], ctx.kernel_y, ctx.kernel_x, ctx.border)


class _Box(torch.autograd.Function):
    """A mean over a box by running sums."""

    @staticmethod
    def forward(image: Tensor, radius_y: int, radius_x: int, border: Border) -> Tensor:
        from photochrom.num.strided import running_box

        return running_box(image, radius_y, radius_x, border)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.radius_y, ctx.radius_x, ctx.border = inputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.border in ("constant", "circular"):
            return box(grads[0], ctx.radius_y, ctx.radius_x, ctx.border), None, None, None
        made = _adjoint(grads[0], box_kernel(ctx.radius_y), box_kernel(ctx.radius_x), ctx.border)
        return made, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return box(tangents[0], ctx.radius_y, ctx.radius_x, ctx.border)
