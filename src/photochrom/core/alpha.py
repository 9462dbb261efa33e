"""The one rule for transparency."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.core.op import Operation


def with_alpha(operation: Operation, image: Tensor, alpha: Tensor | None,
               call: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor | None]:
    """Run `call` on a picture with alpha.

    Where pixels are looked at alone (and by statistics), colour and alpha do not mix: alpha passes untouched. Where
    neighbours mix, a transparent neighbour must not lend its hidden colour: colour is premultiplied, colour and alpha
    go through the operation together, and the result is unpremultiplied. Pixels left fully transparent keep the colour
    they had.
    """
    if alpha is None:
        return call(image), None
    if operation.reach == "pixel" or operation.measured is not None:
        return call(image), alpha
    if operation.channels is not None:
        return call(image), alpha
    together = call(torch.cat([image * alpha, alpha], 1))
    colour, covered = together[:, :-1], together[:, -1:]
    if colour.shape[-2:] != image.shape[-2:]:
        image = torch.zeros_like(colour)
    seen = covered > 1e-6
    return torch.where(seen, colour / torch.where(seen, covered, 1.0), image), covered.clamp(0, 1)
