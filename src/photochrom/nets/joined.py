"""Convolutions of a network that follow one another, run as one chain on the processor."""

from __future__ import annotations

from typing import TypeGuard

from torch import Tensor, nn

from photochrom.num.winograd import Layer, convolve, layer, suits, suits_first

_ALONE = 64 * 64 * 9
"""Weights of a single convolution that gains more than laying its picture into a frame costs."""


class Joined(nn.Module):
    """Convolutions, and the rectifiers behind them, one after the other."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, image: Tensor) -> Tensor:
        """Apply all of them."""
        return convolve(image, self.layers)


def join(module: nn.Module, low: bool) -> None:
    """Replace the 3x3 convolutions between many channels by chains, in place.

    Args:
        module: normalisations are folded.
        low: whether chains multiply in bfloat16.
    """
    for name, part in list(module.named_children()):
        if isinstance(part, nn.Sequential):
            setattr(module, name, nn.Sequential(*_joined(list(part), low)))
        elif _is_plain(part) and suits(part.weight) and part.weight.numel() >= _ALONE:
            setattr(module, name, Joined([layer(part.weight, part.bias, False, low)]))
    for part in module.children():
        join(part, low)


def _joined(parts: list[nn.Module], low: bool) -> list[nn.Module]:
    """Return the modules with chains in place of the runs that are worth it: long ones, or of many weights."""
    parts = [part for part in parts if not isinstance(part, nn.Identity)]
    made: list[nn.Module] = []
    while parts:
        run = _run(parts)
        convolutions = [part for part in parts[:run] if isinstance(part, nn.Conv2d)]
        if sum(part.weight.numel() for part in convolutions if suits(part.weight)) < _ALONE and len(convolutions) < 3:
            made.append(parts.pop(0))
            continue
        behind = [*parts[1:run], None]
        made.append(Joined([layer(part.weight, part.bias, isinstance(after, nn.ReLU), low)
                            for part, after in zip(parts, behind, strict=False) if isinstance(part, nn.Conv2d)]))
        del parts[:run]
    return made


def _run(parts: list[nn.Module]) -> int:
    """Return how many modules from the first on are one chain."""
    count = 0
    for part in parts:
        first = not count and _is_plain(part) and suits_first(part.weight)
        if not (first or (_is_plain(part) and suits(part.weight)) or (count and isinstance(part, nn.ReLU))):
            break
        count += 1
    return count


def _is_plain(part: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Tell whether a module is a convolution that keeps the size of a picture with zeros around it."""
    return (isinstance(part, nn.Conv2d) and part.padding_mode == "zeros" and part.padding == (1, 1)
            and part.stride == part.dilation == (1, 1) and part.groups == 1)
