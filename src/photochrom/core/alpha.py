"""The one rule for transparency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from photochrom.core.op import Operation


def with_alpha(operation: Operation, image: Tensor, alpha: Tensor | None, controls: Mapping[str, Any],
               call: Callable[..., Tensor]) -> tuple[Tensor, Tensor | None]:
    """Run an operation on a picture that may have alpha.

    Where colours are changed but pixels stay where they are, alpha passes untouched. Where neighbours mix (a window, a
    new size), a transparent neighbour must not lend its hidden colour: colour is premultiplied, colour and alpha go
    through the operation, and the result is unpremultiplied. Pixels left fully transparent keep the colour they had.
    An operation that mixes linear light is premultiplied in linear light. One whose weights do not add up to 1 names
    the controls by which alpha goes through, or leaves it as it is. One that only moves pixels moves colour and alpha
    as they are, and one that draws something else of the picture leaves alpha untouched. A network, not linear,
    gets colour that is spread from what is seen into what is not.

    Args:
        operation: what is run.
        image: (B, C, H, W).
        alpha: (B, 1, H, W) or None.
        controls: the operation's controls.
        call: runs it on a picture; takes controls that differ by name.

    Returns:
        The new image and alpha.
    """
    mixes = operation.reach == "window" and operation.gives is None
    mixes = mixes or operation.on_alpha is not None or operation.changes_size(controls)
    if alpha is None or not mixes:
        return call(image), alpha
    if operation.moves is not None and operation.moves(**controls):
        moved = call(torch.cat([image, alpha], 1))
        return moved[:, :-1], moved[:, -1:]
    if operation.spreads:
        own = operation.on_alpha(**controls) if operation.on_alpha is not None else {}
        covered = alpha if own is None else call(alpha, **own)
        colour, seen = call(_spread(image, alpha, operation.spreads)), covered > 1e-6
        if not bool(seen.all()):
            colour = torch.where(seen, colour, call(image) if operation.changes_size(controls) else image)
        return colour, covered.clamp(0, 1)
    linear = operation.light is not None and controls.get("space") == "linear"
    changed = {"space": "encoded"} if linear else {}   # the operation need not decode what is decoded here
    premultiplied = (operation.light[0](image) if linear and operation.light else image) * alpha
    each = any(isinstance(value, Tensor) and value.ndim == 2 for value in controls.values())
    own = operation.on_alpha(**controls) if operation.on_alpha is not None else {}
    if own is None:
        colour, covered = call(premultiplied, **changed), alpha
    elif own:
        colour, covered = call(premultiplied, **changed), call(alpha, **changed, **own)
    elif each or operation.channels is not None:   # alpha does not fit beside the colours
        colour = call(premultiplied, **changed)
        covered = call(alpha.expand_as(image), **changed).mean(1, keepdim=True)
    else:
        together = call(torch.cat([premultiplied, alpha], 1), **changed)
        colour, covered = together[:, :-1], together[:, -1:]
    seen = covered > 1e-6
    colour = colour / torch.where(seen, covered, 1.0)
    if linear and operation.light:
        colour = operation.light[1](colour)
    if bool(seen.all()):
        return colour, covered.clamp(0, 1)
    hidden = call(image) if operation.changes_size(controls) else image   # the pixels of a new size have other places
    return torch.where(seen, colour, hidden), covered.clamp(0, 1)


def _spread(image: Tensor, alpha: Tensor, distance: int) -> Tensor:
    """Give what is fully transparent the mean colour of what is seen next to it, pixel by pixel so far away."""
    colour, weight = image * (alpha > 1e-6), (alpha > 1e-6).to(image)
    for _ in range(distance):
        if bool(weight.all()):
            break
        near = avg_pool2d(weight, 3, 1, 1)
        reached = (weight == 0) & (near > 0)
        spread = avg_pool2d(colour, 3, 1, 1) / torch.where(near > 0, near, 1.0)
        colour, weight = torch.where(reached, spread, colour), torch.where(reached, 1.0, weight)
    return colour
