"""Mean and covariance by parts, powers of covariances, and the linear map from one to another."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

_TINY = torch.finfo(torch.float64).tiny


class Covariance(NamedTuple):
    """Weight, mean and summed outer product of deviations, in float64."""

    weight: Tensor
    """(B, 1)"""
    mean: Tensor
    """(B, C)"""
    scatter: Tensor
    """(B, C, C): the sum of w (x - mean) (x - mean)^T."""

    def merge(self, other: Covariance) -> Covariance:
        """Return those of both parts together (Chan, Golub, LeVeque 1979)."""
        weight = self.weight + other.weight
        share = torch.where(weight > 0, other.weight / weight.clamp(min=_TINY), 0)
        apart = other.mean - self.mean
        between = apart[:, :, None] * apart[:, None, :] * (self.weight * share)[..., None]
        return Covariance(weight, self.mean + apart * share, self.scatter + other.scatter + between)

    @property
    def matrix(self) -> Tensor:
        """(B, C, C): the population covariance; 0 where nothing was seen."""
        return self.scatter / self.weight.clamp(min=_TINY)[..., None]


def covariance(image: Tensor, weights: Tensor | None = None) -> Covariance:
    """Measure a part of a picture.

    Args:
        image: (B, C, H, W).
        weights: (B or 1, 1, H, W) or None for equal weights.

    Returns:
        Its mean and covariance.

    Example:
        >>> covariance(torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)).matrix.item()
        1.0
    """
    flat = image.flatten(2).double()
    if weights is None:
        share = torch.ones_like(flat[:, :1])
    else:
        share = weights.to(flat).expand(len(image), 1, *image.shape[-2:]).flatten(2)
    total = share.sum(-1)
    mean = (flat * share).sum(-1) / total.clamp(min=_TINY)
    apart = flat - mean[..., None]
    return Covariance(total, mean, (apart * share) @ apart.mT)


class _Power(torch.autograd.Function):
    """The power 1/2 or -1/2 of a symmetric matrix, its slope by divided differences: finite for equal eigenvalues."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, inverse: bool, least: float) -> Tensor:
        values, vectors = torch.linalg.eigh((matrix + matrix.mT) / 2)
        live = values > least
        root = torch.where(live, values.clamp(min=_TINY), 0).sqrt()
        power = torch.where(live, 1 / torch.where(live, root, 1), 0) if inverse else root
        ctx.save_for_backward(vectors, root, power)
        ctx.inverse = inverse
        return (vectors * power[..., None, :]) @ vectors.mT

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:   # type: ignore[override]
        vectors, root, power = ctx.saved_tensors
        a, b = root[..., :, None], root[..., None, :]
        both = a + b
        safe = torch.where(both > 0, both, 1)
        if ctx.inverse:   # one of the two may be without an inverse, whose power is 0
            product = a * b
            apart = (a - b) * both
            mixed = (power[..., :, None] - power[..., None, :]) / torch.where(apart != 0, apart, 1)
            divided = torch.where(product > 0, -1 / (torch.where(product > 0, product, 1) * safe), mixed)
        else:
            divided = 1 / safe
        divided = torch.where(both > 0, divided, 0)
        inner = vectors.mT @ ((slope + slope.mT) / 2) @ vectors
        return vectors @ (divided * inner) @ vectors.mT, None, None


def linear_map(own: Tensor, wanted: Tensor, least: float) -> Tensor:
    """Return the Monge-Kantorovich map A: symmetric, with A own A^T = wanted, moving colours as little as may be.

    A = own^(-1/2) (own^(1/2) wanted own^(1/2))^(1/2) own^(-1/2). Directions in which `own` has a variance of at most
    `least` have no shape to stretch: A leaves them as they are.

    Args:
        own: (B, C, C), a covariance.
        wanted: (B or 1, C, C), a covariance.
        least: a variance.

    Returns:
        (B, C, C).

    Example:
        >>> linear_map(torch.eye(1, dtype=torch.float64)[None], 4 * torch.eye(1, dtype=torch.float64)[None], 0.0).item()
        2.0
    """
    root, back = _Power.apply(own, False, least), _Power.apply(own, True, least)
    kept = torch.eye(own.shape[-1], dtype=own.dtype, device=own.device) - (root @ back).detach()
    return back @ _Power.apply(root @ wanted @ root, False, 0.0) @ back + kept
