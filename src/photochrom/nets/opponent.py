"""Noise of colour pictures, taken off by networks that know grey ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from photochrom.nets.choice import BEST, loaded, network_for, offered
from photochrom.nets.inference import restore
from photochrom.nets.network import Network

SHARES = (3 ** -0.5, 2 ** -0.5, 0.375 ** 0.5)
"""How strong white noise of strength 1 in red, green and blue is in the mean and in the two differences."""
_CLOSE = 1.2
"""How much a plane may be stretched to have the noise of a network: more would leave the range that it has seen."""


def clean_colour(image: Tensor, *, model: str = BEST, sigma: float | None = None, **settings: Any) -> Tensor | None:
    """Take noise off a colour picture by way of its mean and two differences of its channels.

    Channels hold the same edges and noise of their own. Their mean has less noise, the differences have fewer edges,
    and a network that knows grey pictures does better on both than on red, green and blue.

    Args:
        image: (B, 3, H, W), encoded.
        model: as for `photochrom.nets.choice.network_for`.
        sigma: of the noise in each channel in levels of 255; None if not known.
        **settings: of `photochrom.nets.inference.restore`.

    Returns:
        (B, 3, H, W), not clipped; None for a network of one strength of noise, which the planes do not have, and for
        one that knows colour.

    Example:
        >>> noisy = 0.5 + 0.1 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        >>> (clean_colour(noisy) - 0.5).std() < 0.2 * (noisy - 0.5).std()
        tensor(True)
    """
    network = network_for("denoise", model, sigma=sigma)
    low, high = network.descriptor.sigma
    if network.descriptor.channels != "gray" or network.descriptor.halo is None or (model != BEST and low == high):
        return None
    if _grey(image):   # noise that all channels share is as strong in their mean
        return _clean(network, image[:, :1], 1.0, settings).expand(-1, 3, -1, -1).contiguous()
    red, green, blue = image.split(1, 1)
    made = []
    for plane, share in zip(((red + green + blue) / 3, (red - blue) / 2 + 0.5, (red - 2 * green + blue) / 4 + 0.5),
                            SHARES, strict=True):
        found, factor = (network, 1.0) if model != BEST or sigma is None else _fitting(sigma * share)
        made.append(_clean(found, plane, factor, settings))
        if len(made) > 1:   # where there is no colour the network must not make any
            flat = torch.full((1, 1, 1, 1), 0.5, dtype=plane.dtype, device=plane.device)
            made[-1] = made[-1] - _clean(found, flat, factor, settings)
    mean, across, against = made
    green = mean - against * (4 / 3)
    half = (3 * mean - green) / 2
    return torch.cat([half + across, green, half - across], 1)


def _grey(image: Tensor) -> bool:
    """Tell whether all channels are equal, in a picture that is not of one value: such a part of one may be of any."""
    return bool((image == image[:, :1]).all()) and bool(image.min() < image.max())


def _fitting(sigma: float) -> tuple[Network, float]:
    """Return the network for a strength of noise, and by how much a plane is stretched to have that of its training."""
    known = [known for known in offered("denoise") if known.channels == "gray" and known.sigma[0] == known.sigma[1]
             and known.halo is not None and known.sigma[0] <= _CLOSE * sigma]
    if not known:
        return network_for("denoise"), 1.0
    chosen = max(known, key=lambda known: known.sigma[0])
    return loaded(chosen.name), chosen.sigma[0] / sigma


def _clean(network: Network, plane: Tensor, factor: float, settings: dict[str, Any]) -> Tensor:
    """Run on a plane stretched about 0.5 and continued beyond its edges, where a difference of 0 would be no black."""
    halo = network.descriptor.halo or 0
    height, width = plane.shape[-2:]
    mode = "reflect" if min(height, width) > halo else "replicate"
    given = functional.pad((plane - 0.5) * factor + 0.5 if factor != 1 else plane, (halo,) * 4, mode)
    made = restore(network, given, **settings)[..., halo:halo + height, halo:halo + width]
    return (made - 0.5) / factor + 0.5 if factor != 1 else made
