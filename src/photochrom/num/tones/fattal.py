"""Fattal, Lischinski, Werman: Gradient domain high dynamic range compression. ACM TOG 21(3), 2002."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.num.poisson import divergence, rises
from photochrom.num.pyramids import expand, reduce
from photochrom.num.solve import GridSystem, solve
from photochrom.num.tones.light import FLOOR

_COARSEST = 32
"""Pixels that the shorter side of the coarsest level has at least, as in the paper."""
_STILL = 0.01
"""Of `pivot` mean gradients, added to every gradient: what is far below is noise, which would grow without end."""
_FLAT = 1e-3
"""Pictures of less contrast than this are not stretched."""
_MOST = 60.0
"""Of the logarithm's rise: beyond it exp passes what float32 holds."""
_MOST_SHARE = 14.0
"""No colour of light has a channel above 1 / 0.0722 of its luminance; what claims to is no colour."""
_TOE = 1e-3
"""Proportions of a channel below this are raised in a straight line, whose slope stays finite at 0."""


def mapped(lum: Tensor, pivot: float, exponent: float, clipped: float, dtype: torch.dtype | None = None) -> Tensor:
    """Return the luminance of the display: gradients of the logarithm attenuated on all scales, then integrated.

    Args:
        lum: luminance, (B, 1, H, W), at least 0, float32 or float64.
        pivot: the gradient that stays, in mean gradients of its level (alpha of the paper over the mean).
        exponent: 1 - beta of the paper: attenuation is (pivot mean / gradient)^exponent.
        clipped: the per cent of pixels that lie below 0 and above 1 each.
        dtype: in which the equations are solved; that of `lum` if None.

    Returns:
        (B, 1, H, W).

    Example:
        >>> steps = torch.tensor([0.01, 0.01, 10.0, 10.0]).repeat_interleave(16).expand(1, 1, 64, 64)
        >>> made = mapped(steps, 0.1, 0.15, 0.5)
        >>> round(made.min().item(), 3), round(made.max().item(), 3)
        (0.0, 1.0)
    """
    scene = (lum + FLOOR).log().to(dtype)
    gain = attenuation(scene, pivot, exponent)
    right, down = rises(scene)
    # a rise lies between two pixels: it takes the mean of their gains
    right = right * (gain[..., :, 1:] + gain[..., :, :-1]) / 2
    down = down * (gain[..., 1:, :] + gain[..., :-1, :]) / 2
    everywhere = torch.ones(scene.shape[-2:], dtype=torch.bool, device=scene.device)
    found = solve(GridSystem(everywhere), divergence((right, down)), method="transform").values
    # the equation leaves a constant open, which is the level of white
    low, high = _ends(found, clipped / 100)
    black = (low - high).exp()
    span = 1 - black
    shown = (found - high).clamp(max=_MOST).exp()
    return torch.where(span > _FLAT, (shown - black) / torch.where(span > _FLAT, span, 1), shown)


def coloured(light: Tensor, lum: Tensor, shown: Tensor, saturation: float | Tensor) -> Tensor:
    """Return (C / L)^s L', the colours of a scene around a new luminance.

    Args:
        light: C, (B, channels, H, W), linear.
        lum: its luminance L, (B, 1, H, W).
        shown: the new one L'.
        saturation: s.

    Example:
        >>> scene = torch.tensor([4.0, 1.0, 1.0]).reshape(1, 3, 1, 1)
        >>> made = coloured(scene, torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 0.5), 0.5)
        >>> [round(value, 3) for value in made.flatten().tolist()]
        [1.0, 0.5, 0.5]
    """
    share = (light / (lum + FLOOR)).clamp(max=_MOST_SHARE)
    toe = torch.as_tensor(_TOE, dtype=share.dtype, device=share.device) ** (saturation - 1)
    return torch.where(share > _TOE, share.clamp(min=_TOE) ** saturation, share * toe) * shown


def _ends(values: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return the values below and above which lies a share of the pixels, (B, 1, 1, 1) each."""
    flat = values.flatten(1)
    count = round(share * (flat.shape[1] - 1)) + 1
    low = flat.kthvalue(count, 1).values
    high = flat.kthvalue(flat.shape[1] - count + 1, 1).values
    return low[:, None, None, None], high[:, None, None, None]


def attenuation(scene: Tensor, pivot: float, exponent: float) -> Tensor:
    """Return Phi of equation 7: the product of the attenuations of all levels, each interpolated to the finest.

    Args:
        scene: the logarithm of luminance, (B, 1, H, W).
        pivot: see `mapped`.
        exponent: see `mapped`.
    """
    levels = [scene]
    while min(levels[-1].shape[-2:]) >= 2 * _COARSEST:
        levels.append(reduce(levels[-1]))
    whole: Tensor | None = None
    for number in range(len(levels) - 1, -1, -1):
        own = _factors(levels[number], 2.0 ** -(number + 1), pivot, exponent)
        whole = own if whole is None else own * expand(whole, *own.shape[-2:])
    assert whole is not None
    return whole


def _factors(level: Tensor, step: float, pivot: float, exponent: float) -> Tensor:
    """Return phi_k of equation 6; gradients are central differences, times `step`."""
    wide = torch.nn.functional.pad(level, (1, 1, 1, 1), mode="replicate")
    across = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) * step
    along = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) * step
    square = across.square() + along.square()
    some = square > 0   # the root has no slope at 0
    size = torch.where(some, torch.where(some, square, 1).sqrt(), 0)
    bend = pivot * size.mean((-2, -1), keepdim=True)
    bend = torch.where(bend > 0, bend, 1)
    return ((size + _STILL * bend) / bend) ** -exponent
