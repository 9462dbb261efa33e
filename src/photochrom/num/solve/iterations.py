"""The plain iterations: conjugate gradients without a hierarchy, and gradient descent as it is taught."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.num.solve.cycles import Progress

Operator = Callable[[Tensor], Tensor]


def conjugate_gradient(
    apply: Operator, inverse: Tensor, rhs: Tensor, tolerance: float, limit: int
) -> tuple[Tensor, Progress]:
    """Solve A x = b by conjugate gradients with the diagonal as preconditioner, until |r| <= tolerance |b|.

    Args:
        apply: A; zero at known pixels.
        inverse: (h, w), 1 / D, 0 at known pixels.
        rhs: (N, h, w), 0 at known pixels.
        tolerance: of the relative residual.
        limit: bound of the iterations.

    Returns:
        (N, h, w) and the progress.
    """
    x, r = torch.zeros_like(rhs), rhs.clone()
    z = inverse * r
    p = z.clone()
    rz, norm = _dot(r, z), _dot(rhs, rhs).sqrt()
    done = Progress()
    while not done.converged and done.iterations < limit:
        done.iterations += 1
        ap = apply(p)
        alpha = _ratio(rz, _dot(p, ap), x.dtype)
        x += alpha * p
        r -= alpha * ap
        z = inverse * r
        new = _dot(r, z)
        p = z + _ratio(new, rz, x.dtype) * p
        rz = new
        done.converged = bool((_dot(r, r).sqrt() <= tolerance * norm).all())
    return x, done


def gradient_descent(
    apply: Operator, diagonal: Tensor, rhs: Tensor, tolerance: float, limit: int, momentum: float
) -> tuple[Tensor, Progress]:
    """Walk down 1/2 x^T A x - b^T x: x <- x + (b - A x) / max D, with the last step carried on by `momentum`.

    1 / max D is the longest step that is safe for every mask, since the eigenvalues of A lie in [0, 2 max D]. Each
    walk over the picture carries a value one pixel far: the number of steps grows with the square of the mask's width.

    Args:
        apply: A; zero at known pixels.
        diagonal: (h, w).
        rhs: (N, h, w), 0 at known pixels.
        tolerance: of the relative residual, looked at every tenth step.
        limit: bound of the iterations.
        momentum: 0 is plain gradient descent.

    Returns:
        (N, h, w) and the progress.
    """
    x, step = torch.zeros_like(rhs), torch.zeros_like(rhs)
    rate = 1 / float(diagonal.max())
    norm = _dot(rhs, rhs).sqrt()
    done = Progress()
    while not done.converged and done.iterations < limit:
        done.iterations += 1
        r = rhs - apply(x)
        step.mul_(momentum).add_(r, alpha=rate)
        x += step
        if done.iterations % 10 == 0:
            done.converged = bool((_dot(r, r).sqrt() <= tolerance * norm).all())
    return x, done


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2), keepdim=True, dtype=torch.float64)


def _ratio(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.where(b > 0, a / torch.where(b > 0, b, torch.ones_like(b)), torch.zeros_like(a)).to(dtype)
