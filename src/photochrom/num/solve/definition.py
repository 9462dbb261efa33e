"""The multigrid hierarchy in plain torch: the definition of the same numbers, on any device, in any precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from photochrom.num.solve.frames import Frame
from photochrom.num.solve.stencil import COARSEST, NEIGHBOURS, Stencil, close_range, coarse_inverse, smoothing, tiny


def shifted(x: Tensor, step: tuple[int, int]) -> Tensor:
    """Return the neighbour of each pixel: y(i, j) = x(i + dy, j + dx), 0 outside the frame."""
    dy, dx = step
    h, w = x.shape[-2:]
    return pad(x, (1, 1, 1, 1))[..., 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]


def eight(weights: Tensor) -> Tensor:
    """Return all eight weights of each pixel from forward ones (2 or 4, H, W), or as they are."""
    if weights.shape[0] > 4:
        return weights
    made = []
    for k, forward in enumerate(weights):
        made += [forward, shifted(forward, NEIGHBOURS[2 * k + 1])]
    return torch.stack(made)


class Level:
    """An operator: (8 or 4, h, w) weights, diagonal, its inverse where there is an equation."""

    def __init__(
        self,
        weights: Tensor,
        diagonal: Tensor,
        inverse: Tensor,
        kind: int,
        symmetric: bool,
        plain: bool,
        coarse: bool = True,
    ) -> None:
        self.weights, self.diagonal, self.inverse = weights, diagonal, inverse
        self.symmetric, self.plain = symmetric, plain
        bound = None
        if coarse and not plain:
            active = (inverse > 0).to(inverse)
            near = torch.stack([w.abs() * shifted(active, step) for w, step in zip(weights, NEIGHBOURS, strict=True)])
            bound = 1 + float((near.sum(0) * inverse).max())
        self.omegas = smoothing(diagonal.dtype, symmetric, coarse=coarse, bound=bound)
        self.transfer: tuple[Tensor, ...] = ()  # P
        self.restriction: tuple[Tensor, ...] = ()  # R^T

    def gather(self, x: Tensor) -> Tensor:
        """Return the sum of weighted neighbours."""
        padded = pad(x, (1, 1, 1, 1))
        h, w = x.shape[-2:]
        total = torch.zeros_like(x)
        for weight, (dy, dx) in zip(self.weights, NEIGHBOURS, strict=False):
            total = total + weight * padded[..., 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
        return total

    def defect(self, x: Tensor, rhs: Tensor) -> Tensor:
        """Return b - A x; at known pixels a number without meaning."""
        return rhs + self.gather(x) - self.diagonal * x

    def smooth(self, x: Tensor, rhs: Tensor, *, after: bool = False, zero: bool = False) -> Tensor:
        """Apply the damped Jacobi steps before the coarse grid or after it."""
        x = torch.zeros_like(x) if zero else x
        for k, omega in enumerate(self.omegas[after].tolist()):
            if zero and k == 0:
                x = omega * (self.inverse * rhs)
            else:
                x = x + omega * (self.inverse * (rhs + self.gather(x)) - x)
        return x

    def interpolation(self, weights: Tensor) -> tuple[Tensor, ...]:
        """Return the eight weights of P, (ceil(h / 2), ceil(w / 2)) each, as num/kernels/solve_setup.py says."""
        active = self.inverse > 0
        w = [weight * shifted(active.to(weight), step) for weight, step in zip(weights, NEIGHBOURS, strict=False)]
        w += [torch.zeros_like(self.diagonal)] * (8 - len(w))
        d = self.diagonal
        near = [shifted(active, step) for step in NEIGHBOURS[:4]]

        def pair(a: Tensor, b: Tensor, across: Tensor, at_a: Tensor, at_b: Tensor) -> tuple[Tensor, Tensor]:
            a, b = a.clamp(min=0), b.clamp(min=0)
            below = torch.maximum(d - across, a + b)
            good = active & (below > 0)
            below = torch.where(good, below, 1.0)
            return torch.where(good & at_a, a / below, 0.0), torch.where(good & at_b, b / below, 0.0)

        h0, h1 = pair(w[1] + (w[5] + w[6]), w[0] + (w[7] + w[4]), w[2] + w[3], near[1], near[0])
        v0, v1 = pair(w[3] + (w[5] + w[7]), w[2] + (w[4] + w[6]), w[0] + w[1], near[3], near[2])
        east, west, south, north = NEIGHBOURS[:4]
        c = [
            w[5] + w[3] * shifted(h0, north) + w[1] * shifted(v0, west),
            w[7] + w[3] * shifted(h1, north) + w[0] * shifted(v0, east),
            w[6] + w[2] * shifted(h0, south) + w[1] * shifted(v1, west),
            w[4] + w[2] * shifted(h1, south) + w[0] * shifted(v1, east),
        ]
        c = [part.clamp(min=0) for part in c]
        total = (c[0] + c[1]) + (c[2] + c[3])
        scale = torch.where(total * self.inverse > 1, 1 / torch.where(total > 0, total, 1.0), self.inverse)
        scale = torch.where(active, scale, 0.0)
        down, right = d.shape[0] % 2, d.shape[1] % 2  # grids of odd size miss their last odd row or column: 0
        across = [pad(h[::2, 1::2], (0, right)) for h in (h0, h1)]
        along = [pad(v[1::2, ::2], (0, 0, 0, down)) for v in (v0, v1)]
        amid = [pad((scale * part)[1::2, 1::2], (0, right, 0, down)) for part in c]
        return (*across, *along, *amid)

    def restrict(self, r: Tensor) -> Tensor:
        """Return R r."""
        h, w = r.shape[-2:]
        padded = pad(r, (0, w % 2, 0, h % 2))
        e, right, low, amid = (padded[..., a::2, b::2] for a in (0, 1) for b in (0, 1))
        t = self.restriction
        top = e + t[0] * right + shifted(t[1] * right, (0, -1))
        middle = t[2] * low + t[4] * amid + shifted(t[5] * amid, (0, -1))
        return top + middle + shifted(t[3] * low + t[6] * amid + shifted(t[7] * amid, (0, -1)), (-1, 0))

    def prolong(self, e: Tensor) -> Tensor:
        """Return P e."""
        t = self.transfer
        right, below, corner = shifted(e, (0, 1)), shifted(e, (1, 0)), shifted(e, (1, 1))
        made = e.new_zeros(*e.shape[:-2], 2 * e.shape[-2], 2 * e.shape[-1])
        made[..., ::2, ::2] = e
        made[..., ::2, 1::2] = t[0] * e + t[1] * right
        made[..., 1::2, ::2] = t[2] * e + t[3] * below
        made[..., 1::2, 1::2] = t[4] * e + t[5] * right + t[6] * below + t[7] * corner
        return made[..., : self.diagonal.shape[0], : self.diagonal.shape[1]]

    def coarsen(self) -> Level:
        """Return R A P by probing: it maps a vector that is 1 at every third pixel of every third row to weights."""
        self.transfer = self.restriction = self.interpolation(self.weights)
        if not self.symmetric:
            self.restriction = self.interpolation(TorchGrid.turn(self.weights))
        live = (self.inverse > 0)[::2, ::2]
        h, w = live.shape
        diagonal, weights = self.diagonal.new_zeros(h, w), self.diagonal.new_zeros(8, h, w)
        rows = torch.arange(h, device=live.device) % 3
        columns = torch.arange(w, device=live.device) % 3
        for a in range(3):
            for b in range(3):
                one = (live & (rows == a)[:, None] & (columns == b)[None]).to(diagonal)
                fine = self.prolong(one)
                value = self.restrict(self.defect(fine, torch.zeros_like(fine)))  # -A_c e
                for k, (dy, dx) in enumerate(((0, 0), *NEIGHBOURS)):
                    here = live & ((rows + dy) % 3 == a)[:, None] & ((columns + dx) % 3 == b)[None]
                    target = diagonal if k == 0 else weights[k - 1]
                    target.copy_(torch.where(here, -value if k == 0 else value, target))
        for k, step in enumerate(NEIGHBOURS):
            weights[k] *= shifted(live.to(diagonal), step)
        if not self.symmetric:
            # R A P may have entries of the wrong sign, and smoothing then diverges: they join the diagonal, which may
            # not be less than its weights
            diagonal -= weights.clamp(max=0).sum(0)
            weights.clamp_(min=0)
            diagonal = torch.maximum(diagonal, weights.sum(0))
        kept = live & (diagonal > tiny(diagonal.dtype) * self.diagonal[::2, ::2])
        inverse = torch.where(kept, 1 / torch.where(kept, diagonal, 1.0), 0.0).to(diagonal)
        return Level(weights, diagonal, inverse, 8, self.symmetric, self.plain)


def finest(stencil: Stencil) -> Level:
    """Return the operator itself."""
    d = stencil.diagonal
    weights = d.new_ones(4, *d.shape) if stencil.weights is None else eight(stencil.weights)
    kept = stencil.unknown & (d > 0)
    inverse = torch.where(kept, 1 / torch.where(kept, d, torch.ones_like(d)), torch.zeros_like(d))
    plain = stencil.weights is None
    return Level(weights, d, inverse, 0 if plain else weights.shape[0], stencil.symmetric, plain, False)


class TorchGrid:
    """A hierarchy for one mask and operator, and the work on its vectors: tensors (N, h, w)."""

    def __init__(self, stencil: Stencil, labels: np.ndarray | None, held: np.ndarray) -> None:
        """Build all levels.

        Args:
            stencil: the operator, floating, on any device.
            labels: (H, W), the connected region of each pixel; None where all are held.
            held: by label, whether a known neighbour or a screen holds it.
        """
        self.dtype, self.symmetric = stencil.diagonal.dtype, stencil.symmetric
        d, self._excess = stencil.diagonal, stencil.excess
        self.levels = [finest(stencil)]
        while self.levels[-1].diagonal.numel() > COARSEST:
            self.levels.append(self.levels[-1].coarsen())
        last, step = self.levels[-1], 2 ** (len(self.levels) - 1)
        full = torch.zeros(8, *last.diagonal.shape, dtype=torch.float64)
        full[: last.weights.shape[0]] = last.weights.double().cpu()
        dense = coarse_inverse(
            full.numpy(), last.diagonal.double().cpu().numpy(), (last.inverse > 0).cpu().numpy(),
            None if labels is None else labels[::step, ::step], held,
        )  # fmt: skip
        self.coarsest_inverse = torch.from_numpy(dense).to(d)
        self._turned, self._close = False, self._find_close()

    @staticmethod
    def turn(weights: Tensor) -> Tensor:
        """Return the weights of the transposed operator: those of the neighbours on the pixel."""
        return torch.stack([shifted(weights[k ^ 1], NEIGHBOURS[k]) for k in range(weights.shape[0])])

    def transposed(self) -> TorchGrid:
        """Return the hierarchy of A^T: weights change sides, the interpolation stays."""
        made = object.__new__(TorchGrid)
        made.__dict__.update(self.__dict__)
        made.levels = []
        for level in self.levels:
            other = Level(self.turn(level.weights), level.diagonal, level.inverse, 8, level.symmetric, level.plain)
            other.omegas, other.transfer, other.restriction = level.omegas, level.restriction, level.transfer
            made.levels.append(other)
        made.coarsest_inverse = self.coarsest_inverse.T.contiguous()
        made._turned, made._close = not self._turned, made._find_close()
        return made

    def _find_close(self) -> list[tuple[Tensor, ...]]:
        """Return the close pairs in each direction: places in a flat plane, and each one's share in the other."""
        level = self.levels[0]
        made: list[tuple[Tensor, ...]] = []
        for k in range(0, 0 if self.symmetric else 8, 2):
            step = NEIGHBOURS[k]
            there, back = level.weights[k] * level.inverse, shifted(level.weights[k + 1] * level.inverse, step)
            product = (there * back).flatten()
            least, most = close_range(product.dtype)
            first = torch.nonzero((product > least) & (product < most))[:, 0]
            made.append((first, first + step[0] * there.shape[1] + step[1], there.flatten()[first],
                         back.flatten()[first]))
        return made

    def new(self, level: int, planes: int) -> Tensor:
        """Return a vector of zeros."""
        d = self.levels[level].diagonal
        return d.new_zeros(planes, *d.shape)

    def view(self, level: int, vector: Tensor) -> Tensor:
        """Return its pixels, (N, height, width)."""
        return vector

    def enter(self, rhs: Tensor, boundary: Tensor | None, start: Tensor | None, unknown: Tensor,
              frame: Frame) -> tuple[Tensor, Tensor | None, float]:  # fmt: skip
        """Return the right-hand side, start and boundary as vectors, and the largest absolute value of the latter."""
        b = frame.cut(rhs).flatten(0, 1).clone()
        if boundary is None and start is None:
            return b, None, 0.0
        none = torch.zeros_like(b)
        inner, outer = (none if v is None else frame.cut(v).flatten(0, 1) for v in (start, boundary))
        x = torch.where(unknown, inner, outer)
        return b, x, float(torch.nan_to_num(x, 0, 0, 0).abs().amax())

    def remainder(self, x: Tensor | None, b: Tensor) -> Tensor:
        """Replace b by b - A x, from differences, 0 at known pixels; return the sum of squares of each plane."""
        level = self.levels[0]
        r = b if x is None else self._differences(x, b)
        b.copy_(torch.where(level.inverse > 0, r, 0.0))
        return b.double().square().flatten(1).sum(1).cpu()

    def _differences(self, x: Tensor, b: Tensor) -> Tensor:
        """Return b + sum_k w_k (x_k - x) - s x: see num/kernels/solve_frame.py on why not D x - sum_k w_k x_k."""
        level = self.levels[0]
        total, inside = torch.zeros_like(x), torch.ones_like(level.diagonal)
        for weight, step in zip(level.weights, NEIGHBOURS, strict=False):
            total = total + weight * (shifted(x, step) - x) * shifted(inside, step)
        return b + (total if self._excess is None else total - self._excess * x)

    def exact(self, x: Tensor, rhs: Tensor, out: Tensor) -> np.ndarray:
        """Write b - A x into out, from differences where rows of weights have them; return its squares by plane."""
        if self._turned:
            return self.residual(x, rhs, out).numpy()
        return self.remainder(x, out.copy_(rhs)).numpy()

    def settle(self, x: Tensor, product: Tensor, rhs: Tensor) -> None:
        """Solve the two equations of each close pair, which changes x and its product with A."""
        level, flat = self.levels[0], x.flatten(1)
        left = (level.inverse * (rhs - product)).flatten(1)
        for p, q, there, back in self._close:
            scale = 1 / (1 - there * back)
            flat[:, p] += scale * (left[:, p] + there * left[:, q])
            flat[:, q] += scale * (left[:, q] + back * left[:, p])
        self._multiply(x, product)

    def leave(self, x: Tensor | None, e: Tensor, out: Tensor, frame: Frame) -> None:
        """Write x + e into the frame of out (n, C, H, W)."""
        target = frame.cut(out)
        target.copy_((e if x is None else x + e).view(target.shape))

    def down(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *,
             zero: bool = False) -> Callable[[], None]:  # fmt: skip
        """Return what smooths x into out (x itself stays) and writes the restricted residual into coarse."""
        level = self.levels[index]

        def work() -> None:
            out.copy_(level.smooth(x, rhs, zero=zero))
            coarse.copy_(level.restrict(level.defect(out, rhs)))

        return work

    def up(self, index: int, x: Tensor, rhs: Tensor, out: Tensor, coarse: Tensor, *, weight: float = 1.0,
           zero: bool = False, product: Tensor | None = None) -> Callable[[], np.ndarray]:  # fmt: skip
        """Return what smooths x + P coarse to y, and moves out (0 if `zero`) to out + weight (y - out).

        It returns the largest |y - out|. On the finest grid, A y is written into `product`.
        """
        level = self.levels[index]

        def work() -> np.ndarray:
            made = level.smooth(x + level.prolong(coarse), rhs, after=True)
            step = made if zero else made - out
            out.copy_(weight * step if zero else out + weight * step)
            if product is not None:
                self._multiply(made, product)
            return step.abs().flatten(1).amax(1).cpu().numpy() if index == 0 else np.zeros(0)

        return work

    def residual(self, x: Tensor, rhs: Tensor, out: Tensor) -> Tensor:
        """Write b - A x into out on the finest grid, 0 at known pixels; return the sum of squares of each plane."""
        level = self.levels[0]
        r = level.defect(x, rhs)
        out.copy_(torch.where(level.inverse > 0, r, torch.zeros_like(r)))
        return out.double().square().flatten(1).sum(1).cpu()

    def product(self, x: Tensor, out: Tensor, other: Tensor) -> np.ndarray:
        """Write A x into out on the finest grid; return its product with other, by plane."""
        self._multiply(x, out)
        return self.dot(out, other)

    def _multiply(self, x: Tensor, out: Tensor) -> None:
        """Write A x into out, 0 at known pixels."""
        self.residual(x, torch.zeros_like(x), out)
        out.neg_()

    def update(self, y: Tensor, x: Tensor, alpha: np.ndarray | float, beta: np.ndarray | float) -> None:
        """Write y = alpha x + beta y, with a factor for each plane; where all beta are 0, y is not read."""
        a, b = (torch.as_tensor(f, dtype=self.dtype, device=x.device).reshape(-1, 1, 1) for f in (alpha, beta))
        y.copy_(a * x + b * y if np.any(beta) else a * x)

    def shares(self, images: Tensor, r: Tensor, now: int, used: int) -> np.ndarray:
        """Return by slot and plane the product of image `now` with that there, 0 if unused; the last is with r."""
        made = np.zeros((len(images) + 1, images.shape[1]))
        for k in range(used):
            made[k] = self.dot(images[now], images[k])
        made[-1] = self.dot(images[now], r)
        return made

    def descend(self, x: Tensor, r: Tensor, ways: Tensor, images: Tensor, now: int, used: int, beta: np.ndarray,
                alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Take from direction `now` and its image beta of the others; add alpha of it to x, and take that from r.

        Returns:
            by plane, the squares of the lengths of r and of the image, and the largest change of x.
        """
        for k in range(used):
            if k != now:
                for group in (ways, images):
                    self.update(group[now], group[k], -beta[k], np.ones(len(x)))
        self.update(x, ways[now], alpha, 1.0)
        self.update(r, images[now], -alpha, 1.0)
        return self.dot(r, r), self.dot(images[now], images[now]), np.abs(alpha) * self.largest(ways[now])

    def dot(self, x: Tensor, y: Tensor) -> np.ndarray:
        """Return the inner product of each plane, in float64."""
        return (x * y).sum((1, 2), dtype=torch.float64).cpu().numpy()

    def largest(self, x: Tensor) -> np.ndarray:
        """Return the largest absolute value of each plane."""
        return x.abs().flatten(1).amax(1).cpu().numpy()

    def coarsest(self, rhs: Tensor, out: Tensor) -> Callable[[], None]:
        """Return what solves on the coarsest grid."""

        def work() -> None:
            out.copy_((rhs.flatten(1) @ self.coarsest_inverse).view_as(out))

        return work
