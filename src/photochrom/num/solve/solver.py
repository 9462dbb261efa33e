"""One call for all methods, with the gradient by one more solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from photochrom.num.solve.definition import eight, shifted
from photochrom.num.solve.part import Part, Plan
from photochrom.num.solve.stencil import NEIGHBOURS
from photochrom.num.solve.system import GridSystem, SolverError

Method = Literal["multigrid", "transform", "conjugate_gradient", "gradient_descent"]
Engine = Literal["kernels", "torch"]

# What a picture needs is an error below half an 8-bit level, 0.5 / 255 = 2e-3. The estimate is good to a factor of
# about three on the hardest masks, which 2e-4 leaves room for.
_TOLERANCE = {"multigrid": 2e-4, "transform": 0.0, "conjugate_gradient": 1e-6, "gradient_descent": 1e-6}
_LIMIT = {"multigrid": 200, "transform": 1, "conjugate_gradient": 20_000, "gradient_descent": 20_000}


@dataclass(frozen=True)
class Solution:
    """What `solve` found.

    Attributes:
        values: (B, C, H, W): the solution at unknown pixels, the boundary (0 without one) at known ones.
        residual: (B, C), float64: |b - A x| / |b| of the equations for what was to be changed in `start`.
        iterations: cycles or steps of the longest of the systems.
        converged: whether the test was met within the bound on the iterations.
    """

    values: Tensor
    residual: Tensor
    iterations: int
    converged: bool


def solve(
    system: GridSystem,
    rhs: Tensor,
    *,
    boundary: Tensor | None = None,
    start: Tensor | None = None,
    method: Method = "multigrid",
    tolerance: float | None = None,
    iterations: int | None = None,
    momentum: float = 0.9,
    engine: Engine | None = None,
) -> Solution:
    """Solve a system on the pixel grid for several right-hand sides at once.

    Differentiable once with respect to `rhs`, `boundary`, `system.weights` and `system.screen`: backward is one more
    solve by the same method.

    A region that neither a known neighbour nor a screen holds has a solution for right-hand sides of mean 0 only, and
    that up to a constant. The mean over the region is taken off the right-hand side, and the solution has the mean
    that `start` has there (0 without one). If the system is not symmetric such a region stays as `start` has it.

    Args:
        system: the equations.
        rhs: (B, C, H, W), float32 or float64; half precision is computed in float32. Known pixels are not read.
        boundary: (B, C, H, W), the values of known pixels; unknown ones are not read. None is 0.
        start: (B, C, H, W), a guess for unknown pixels: a good one saves time and rounding. None is 0.
        method: "multigrid"; "transform", exact, for one full rectangle with weights of 1 and a constant screen;
            "conjugate_gradient" with the diagonal as preconditioner, for symmetric systems; "gradient_descent", kept
            to teach and to compare.
        tolerance: for "multigrid" the estimated largest error, relative to the largest absolute value of start,
            boundary and solution, 2e-4 if None; for the plain iterations |r| / |b|, 1e-6 if None, which says little
            about the error of a large mask.
        iterations: bound; None is 200 cycles or 20000 steps, and a system that is not symmetric, which cycles did not
            solve, is then factorised if it has half a million unknowns at the most. Whether the test was met is in
            `converged`.
        momentum: of "gradient_descent"; 0 is the plain method.
        engine: "kernels" (on the processor), "torch" (the definition, any device), or None for the faster.

    Returns:
        the solution, in dtype and device of `rhs`.

    Raises:
        SolverError: shapes that do not fit, a number that is not finite, a method that cannot solve this system.

    Example:
        >>> unknown = torch.zeros(3, 3, dtype=torch.bool)
        >>> unknown[1, 1] = True
        >>> ring = torch.ones(1, 1, 3, 3)
        >>> solve(GridSystem(unknown), torch.zeros(1, 1, 3, 3), boundary=ring).values[0, 0, 1, 1].item()
        1.0
    """
    _check(system, rhs, boundary, start, method, engine)
    work = rhs if rhs.dtype in (torch.float32, torch.float64) else rhs.float()
    plan = Plan(
        method,
        _TOLERANCE[method] if tolerance is None else tolerance,
        _LIMIT[method] if iterations is None else iterations,
        engine,
        momentum,
        iterations is None,
    )
    screen = system.screen if isinstance(system.screen, Tensor) else None
    report: list[Any] = []
    values = _Solve.apply(work, boundary, system.weights, screen, system, start, plan, report)
    residual, count, converged = report[0]
    return Solution(values.to(rhs.dtype), residual, count, converged)


def _check(system: GridSystem, rhs: Tensor, boundary: Tensor | None, start: Tensor | None, method: str,
           engine: str | None) -> None:  # fmt: skip
    if rhs.ndim != 4 or not rhs.is_floating_point() or tuple(rhs.shape[-2:]) != system.size:
        raise SolverError(
            f"solve: rhs must be floating, (B, C, {system.size[0]}, {system.size[1]}); "
            f"got {rhs.dtype} {tuple(rhs.shape)}"
        )
    if system.unknown.ndim == 4 and system.unknown.shape[0] not in (1, rhs.shape[0]):
        raise SolverError(f"solve: {system.unknown.shape[0]} masks do not fit a batch of {rhs.shape[0]}")
    for name, x in (("boundary", boundary), ("start", start)):
        if x is not None and x.shape != rhs.shape:
            raise SolverError(f"solve: {name} must have the shape of rhs, {tuple(rhs.shape)}; got {tuple(x.shape)}")
    if method not in _TOLERANCE:
        raise SolverError(f"solve: method must be one of {', '.join(_TOLERANCE)}; got {method!r}")
    if engine not in (None, "kernels", "torch") or (engine == "kernels" and rhs.device.type != "cpu"):
        raise SolverError(f"solve: engine must be 'kernels' (on the processor), 'torch' or None; got {engine!r}")
    if method == "conjugate_gradient" and not system.symmetric:
        raise SolverError("solve: conjugate_gradient needs a symmetric system; use multigrid for weights (8, H, W)")


class _Solve(torch.autograd.Function):
    """The solution of A f = b, whose gradient is the solution of A^T y = g."""

    @staticmethod
    def forward(
        ctx: Any, rhs: Tensor, boundary: Tensor | None, weights: Tensor | None, screen: Tensor | None,
        system: GridSystem, start: Tensor | None, plan: Plan, report: list[Any],
    ) -> Tensor:  # fmt: skip
        rhs = rhs.detach().contiguous()
        boundary, start = (v if v is None else v.detach().to(rhs).contiguous() for v in (boundary, start))
        out = torch.zeros_like(rhs) if boundary is None else boundary.clone()
        masks = [system.unknown] if system.unknown.ndim == 2 else list(system.unknown[:, 0])
        parts = [Part(plan, system, mask.to(rhs.device), rhs) for mask in masks]
        residual = torch.zeros(rhs.shape[:2], dtype=torch.float64)
        count, converged = 0, True
        for part, places in _places(parts, rhs.shape[0]):
            if part.frame is None:
                continue
            near, guess = (v if v is None else v[places] for v in (boundary, start))
            done, left = part.solve(rhs[places], near, guess, out[places])
            if not np.isfinite(left).all():
                raise SolverError("solve: rhs, boundary and start must be finite where they are read; got NaN or inf")
            residual[places] = torch.from_numpy(left).view(residual[places].shape)
            count, converged = max(count, done.iterations), converged and done.converged
        report.append((residual, count, converged))
        if any(ctx.needs_input_grad):
            ctx.parts, ctx.masks = parts, masks
            ctx.save_for_backward(out, boundary, weights, screen)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        out, boundary, weights, screen = ctx.saved_tensors
        dual = torch.zeros_like(grad, memory_format=torch.contiguous_format)
        for part, places in _places(ctx.parts, grad.shape[0]):
            if part.frame is None:
                continue
            part.turned = not part.stencil.symmetric
            part.solve(grad[places].contiguous(), None, None, dual[places])
            part.turned = False
        grads: list[Tensor | None] = [dual, None, None, None]
        unknown = torch.stack([mask.to(grad.device) for mask in ctx.masks])[:, None]
        if ctx.needs_input_grad[1]:
            full = None if weights is None else eight(weights.detach().to(grad))
            total = torch.zeros_like(grad)
            for k, step in enumerate(NEIGHBOURS[: 4 if full is None else full.shape[0]]):
                # the neighbour at `step` got w_k times this pixel's equation
                total += shifted(dual if full is None else full[k] * dual, (-step[0], -step[1]))
            grads[1] = torch.where(unknown, torch.zeros_like(grad), grad + total).to(boundary.dtype)
        if ctx.needs_input_grad[2]:
            made = []
            own = weights.shape[0] == 8
            for k in range(weights.shape[0]):
                step = NEIGHBOURS[k if own else 2 * k]
                inside = shifted(torch.ones_like(out[0, 0]), step)
                rise = shifted(out, step) - out
                # equation p holds w_pq (f_q - f_p) on its right-hand side, and a shared weight equation q its negative
                other = 0 if own else shifted(dual, step)
                made.append(inside * ((dual - other) * rise).sum((0, 1)))
            grads[2] = torch.stack(made).to(weights.dtype)
        if ctx.needs_input_grad[3]:
            by_pixel = -(dual * out).sum((0, 1))
            grads[3] = (by_pixel if screen.ndim else by_pixel.sum()).to(screen.dtype)
        return (*grads, None, None, None, None)


def _places(parts: list[Part], batch: int) -> list[tuple[Part, slice]]:
    """Return each picture with its part: by itself, so that it takes the cycles that it needs alone."""
    return [(parts[k if len(parts) > 1 else 0], slice(k, k + 1)) for k in range(batch)]
