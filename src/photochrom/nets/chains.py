"""Published checkpoints of plain chains of convolutions, recognised by shapes alone: SRCNN, ESPCN, VDSR, DnCNN."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from photochrom.nets.descriptor import Channels, Descriptor


@dataclass
class Link:
    """A convolution of a chain, and the normalisation that follows it, if any."""

    weight: Tensor
    bias: Tensor | None = None
    norm: dict[str, Tensor] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels out and in, and size."""
        return self.weight.shape[0], self.weight.shape[1], self.weight.shape[2]

    def folded(self, eps: float) -> tuple[Tensor, Tensor]:
        """Return weight and bias with the normalisation in them."""
        bias = self.weight.new_zeros(len(self.weight)) if self.bias is None else self.bias
        if self.norm is None:
            return self.weight, bias
        factor = (self.norm["running_var"] + eps).rsqrt()
        if "weight" in self.norm:
            factor = factor * self.norm["weight"]
        return (self.weight * factor[:, None, None, None],
                (bias - self.norm["running_mean"]) * factor + self.norm.get("bias", 0))


def recognise_chain(state: Mapping[str, Tensor]) -> tuple[Descriptor, dict[str, Tensor]] | str:
    """Return what a chain of convolutions is and its tensors named as here, or the nearest such network in words."""
    links = _links(state)
    if links is None:
        return "none: they are no chain of convolutions either"
    sizes = [link.shape[2] for link in links]
    channels, outputs = links[0].shape[1], links[-1].shape[0]
    plain = all(link.norm is None for link in links)
    biased = all(link.bias is not None for link in links)
    luminance: Channels = "rgb" if channels == 3 else "y"
    if len(links) == 3 and plain and biased and outputs == channels and sizes[0] > 3:
        parameters = {"kernels": tuple(sizes), "features": tuple(link.shape[0] for link in links[:2]),
                      "channels": channels}
        return (Descriptor("", "srcnn", parameters, scale=(2, 3, 4), channels=luminance), _named(links, 2, ""))
    scale = math.isqrt(outputs // channels)
    if plain and biased and sizes == [5] + [3] * (len(links) - 1) and outputs == channels * scale * scale and scale > 1:
        parameters = {"scale": scale, "channels": channels, "features": tuple(link.shape[0] for link in links[:-1])}
        return Descriptor("", "espcn", parameters, scale=scale, channels=luminance), _named(links, 2, "")
    if len(links) > 3 and set(sizes) == {3} and outputs == channels:
        parameters = {"depth": len(links), "features": links[0].shape[0], "channels": channels}
        if plain and not any(link.bias is not None for link in links):
            return (Descriptor("", "vdsr", parameters, scale=(2, 3, 4), channels=luminance), _named(links, 2, "body."))
        # The published training codes differ in eps: that of the authors has a bias in its first layer and 1e-4.
        eps = 1e-4 if links[0].bias is not None else 1e-5
        ready = [Link(*link.folded(eps)) for link in links]
        return (Descriptor("", "dncnn", {**parameters, "norm": False}, task="denoise",
                           channels="rgb" if channels == 3 else "gray"), _named(ready, 2, "body."))
    return f"a chain of {len(links)} convolutions of sizes {'-'.join(map(str, sizes))}, such as DnCNN or SRCNN"


def _named(links: list[Link], step: int, prefix: str) -> dict[str, Tensor]:
    made = {}
    for i, link in enumerate(links):
        made[f"{prefix}{i * step}.weight"] = link.weight
        if link.bias is not None:
            made[f"{prefix}{i * step}.bias"] = link.bias
    return made


def _links(state: Mapping[str, Tensor]) -> list[Link] | None:
    """Return the convolutions in their order, or None if the tensors are not a chain of them."""
    modules: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        place, _, kind = name.rpartition(".")
        modules.setdefault(place, {})[kind] = tensor
    links: list[tuple[list[object], Link]] = []
    norms: list[dict[str, Tensor]] = []
    for place in sorted(modules, key=_natural):
        parts = modules[place]
        weight = parts.get("weight")
        if weight is not None and weight.ndim == 4 and set(parts) <= {"weight", "bias"}:
            links.append((_natural(place), Link(weight, parts.get("bias"))))
        elif "running_mean" in parts:
            norms.append(parts)
            if not links:
                return None
            links[-1][1].norm = parts
        else:
            return None
    ordered = _ordered([link for _, link in links])
    if ordered is None or sum(link.norm is not None for link in ordered) != len(norms):
        return None
    return ordered


def _ordered(links: list[Link]) -> list[Link] | None:
    """Put the first and the last convolution at the ends, whatever their names; None if they do not fit then."""
    if len(links) < 3:
        return None
    width = sorted(link.shape[0] for link in links)[len(links) // 2]
    first = [link for link in links if link.shape[1] != width]
    last = [link for link in links if link.shape[0] != width]
    if len(links) > 3 and len(first) == len(last) == 1:
        links = first + [link for link in links if link is not first[0] and link is not last[0]] + last
    fits = all(a.shape[0] == b.shape[1] for a, b in itertools.pairwise(links))
    square = all(link.weight.shape[2] == link.weight.shape[3] for link in links)
    return links if fits and square else None


def _natural(name: str) -> list[object]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]
