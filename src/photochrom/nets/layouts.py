"""Published ways of naming the tensors of EDSR, MDSR, RCAN and RDN."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from photochrom.nets.descriptor import Descriptor

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """A published way of naming the tensors of an architecture."""

    name: str
    patterns: tuple[tuple[str, str], ...]
    """What each of its names looks like, and the name here; an empty one is left out."""
    describe: Callable[[State], Descriptor]
    """From the tensors, named as here, the description."""
    last_of: str = ""
    """The last convolution is the last of those with this prefix."""

    def renamed(self, state: State) -> tuple[dict[str, Tensor], int]:
        """Return the tensors under their names here, and how many names were understood."""
        made: dict[str, Tensor] = {}
        understood = 0
        for name, tensor in state.items():
            for pattern, ours in self.patterns:
                match = re.fullmatch(pattern, name)
                if match:
                    understood += 1
                    if ours:
                        made[match.expand(ours)] = tensor
                    break
        if self.last_of and understood == len(state):
            steps = _count(made, re.escape(self.last_of) + r"(\d)")
            end = f"{self.last_of}{steps - 1}."
            made = {f"last.{name.removeprefix(end)}" if name.startswith(end) else name: part
                    for name, part in made.items()}
        return made, understood


_KIND = r"(weight|bias)"
_MEANS = (r"(sub|add)_mean\.(weight|bias)", "")
_HEAD = (rf"head\.0\.{_KIND}", r"body.head.\1")
_UP = (rf"tail\.0\.(\d)\.{_KIND}", r"body.up.\1.\2")
_LAST = (rf"tail\.1\.{_KIND}", r"body.last.\1")
_END = (rf"body\.(\d+)\.{_KIND}", r"body.body.body.\1.\2")


def _count(state: State, pattern: str) -> int:
    """Return how many numbers stand in the first group of the names that match."""
    found = {int(match.group(1)) for match in (re.match(pattern, name) for name in state) if match}
    return max(found) + 1


def _scale(state: State, prefix: str) -> int:
    """Return the scale of an enlarging part: its steps are seen in the channels of its convolutions."""
    steps = [tensor for name, tensor in state.items() if re.fullmatch(rf"{re.escape(prefix)}\d\.weight", name)]
    return math.prod(math.isqrt(step.shape[0] // step.shape[1]) for step in steps)


def _edsr(state: State) -> Descriptor:
    features = len(state["body.head.bias"])
    scale = _scale(state, "body.up.")
    return Descriptor("", "edsr", {"scale": scale, "blocks": _count(state, r"body\.body\.body\.(\d+)\.body"),
                                   "features": features, "residual_scale": 0.1 if features > 64 else 1.0},
                      scale=scale, channels="rgb")


def _mdsr(state: State) -> Descriptor:
    scales = tuple(_scale(state, f"body.up.{i}.") for i in range(_count(state, r"body\.up\.(\d+)\.")))
    return Descriptor("", "mdsr", {"scales": scales, "blocks": _count(state, r"body\.body\.body\.(\d+)\.body"),
                                   "features": len(state["body.head.bias"])}, scale=scales, channels="rgb")


def _rcan(state: State) -> Descriptor:
    features = len(state["body.head.bias"])
    scale = _scale(state, "body.up.")
    squeezed = len(state["body.body.body.0.body.0.body.3.squeeze.bias"])
    return Descriptor("", "rcan", {"scale": scale, "groups": _count(state, r"body\.body\.body\.(\d+)\.body"),
                                   "blocks": _count(state, r"body\.body\.body\.0\.body\.(\d+)\.body"),
                                   "features": features, "reduction": features // squeezed},
                      scale=scale, channels="rgb")


def _rdn(span: float) -> Callable[[State], Descriptor]:
    def describe(state: State) -> Descriptor:
        scale, channels = _scale(state, "up."), len(state["last.bias"])
        return Descriptor("", "rdn", {"scale": scale, "channels": channels, "features": len(state["shallow.bias"]),
                                      "growth": len(state["blocks.0.layers.0.bias"]),
                                      "blocks": _count(state, r"blocks\.(\d+)\."),
                                      "layers": _count(state, r"blocks\.0\.layers\.(\d+)\.")},
                          scale=scale, channels="rgb" if channels == 3 else "y", range=(0.0, span))

    return describe


LAYOUTS: tuple[Layout, ...] = (
    Layout("EDSR", (_MEANS, _HEAD, (rf"body\.(\d+)\.body\.([02])\.{_KIND}", r"body.body.body.\1.body.\2.\3"), _END, _UP,
                    _LAST), _edsr),
    Layout("MDSR", (_MEANS, _HEAD, (rf"pre_process\.(\d)\.([01])\.body\.([02])\.{_KIND}", r"body.pre.\1.\2.body.\3.\4"),
                    (rf"body\.(\d+)\.body\.([02])\.{_KIND}", r"body.body.body.\1.body.\2.\3"), _END,
                    (rf"upsample\.(\d)\.(\d)\.{_KIND}", r"body.up.\1.\2.\3"), (rf"tail\.0\.{_KIND}", r"body.last.\1")),
           _mdsr),
    Layout("RCAN", (_MEANS, _HEAD,
                    (rf"body\.(\d+)\.body\.(\d+)\.body\.([02])\.{_KIND}", r"body.body.body.\1.body.\2.body.\3.\4"),
                    (rf"body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du\.0\.{_KIND}",
                     r"body.body.body.\1.body.\2.body.3.squeeze.\3"),
                    (rf"body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du\.2\.{_KIND}",
                     r"body.body.body.\1.body.\2.body.3.excite.\3"),
                    (rf"body\.(\d+)\.body\.(\d+)\.{_KIND}", r"body.body.body.\1.body.\2.\3"), _END, _UP, _LAST), _rcan),
    Layout("RDN", ((rf"SFENet1\.{_KIND}", r"shallow.\1"), (rf"SFENet2\.{_KIND}", r"second.\1"),
                   (rf"RDBs\.(\d+)\.convs\.(\d+)\.conv\.0\.{_KIND}", r"blocks.\1.layers.\2.\3"),
                   (rf"RDBs\.(\d+)\.LFF\.{_KIND}", r"blocks.\1.merge.\2"), (rf"GFF\.([01])\.{_KIND}", r"merge.\1.\2"),
                   (rf"UPNet\.(\d)\.{_KIND}", r"up.\1.\2")), _rdn(255.0), "up."),
    Layout("RDN", ((rf"sfe1\.{_KIND}", r"shallow.\1"), (rf"sfe2\.{_KIND}", r"second.\1"),
                   (rf"rdbs\.(\d+)\.layers\.(\d+)\.conv\.{_KIND}", r"blocks.\1.layers.\2.\3"),
                   (rf"rdbs\.(\d+)\.lff\.{_KIND}", r"blocks.\1.merge.\2"), (rf"gff\.([01])\.{_KIND}", r"merge.\1.\2"),
                   (rf"upscale\.(\d)\.{_KIND}", r"up.\1.\2"), (rf"output\.{_KIND}", r"last.\1")), _rdn(1.0)),
)
