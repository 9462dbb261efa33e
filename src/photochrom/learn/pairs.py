"""Before and after: what of the pictures a fit looks at."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photochrom.core.door import enter
from photochrom.core.errors import ControlError
from photochrom.core.step import Step
from photochrom.learn.losses import clips

_CORE = 64
"""Least side of a patch, whose surroundings are computed but not judged."""
_FRAME = 1 << 19
"""Pixels of a frame beyond which every n-th is taken, where the steps only measure it."""


@dataclass(frozen=True)
class Pair:
    """One picture and its edited copy, as tensors."""

    before: Tensor
    """(1, C, H, W)"""
    alpha: Tensor | None
    after: Tensor
    weight: Tensor
    """(1, 1, H, W): how much a pixel counts; 0 where one of the pictures is transparent or not finite."""


@dataclass(frozen=True)
class Part:
    """Pixels or patches of one pair with the steps that are run on them."""

    steps: list[Step]
    image: Tensor
    alpha: Tensor | None
    target: Tensor
    weight: Tensor
    core: tuple[slice, slice]
    """What is judged; the rest is there for the steps that look around."""
    clipped: bool
    """The target has lost what was beyond the display range."""


def pairs_of(before: Any, after: Any, who: str = "fit") -> list[Pair]:
    """Turn what was given into pairs.

    Args:
        before: a picture (file, tensor, array, PIL, `Photo`) or a list of them.
        after: as many edited copies.
        who: for messages.

    Returns:
        A pair for each; of a batch, for each of its pictures.

    Raises:
        ControlError: not as many of the ones as of the others, pictures of different sizes, or nothing to compare.
    """
    firsts, seconds = (list(given) if isinstance(given, (list, tuple)) else [given] for given in (before, after))
    if len(firsts) != len(seconds) or not firsts:
        raise ControlError(f"{who}: there must be as many pictures after as before and at least one, got "
                           f"{len(firsts)} before and {len(seconds)} after")
    pairs = []
    for first, second in zip(firsts, seconds, strict=True):
        (image, alpha), (target, cover) = (_opened(given, who, name)
                                           for given, name in ((first, "before"), (second, "after")))
        if image.shape[-2:] != target.shape[-2:] or len(image) != len(target):
            raise ControlError(f"{who}: before and after must have one size, got {_size(image)} before and "
                               f"{_size(target)} after")
        weight = (image.isfinite().all(1, keepdim=True) & target.isfinite().all(1, keepdim=True)).to(image.dtype)
        for opacity in (alpha, cover):
            weight = weight if opacity is None else weight * opacity.to(weight).nan_to_num(0.0).clamp(0, 1)
        pairs += [Pair(image[i:i + 1], None if alpha is None else alpha[i:i + 1], target[i:i + 1], weight[i:i + 1])
                  for i in range(len(image))]
    if not any(bool((pair.weight > 0).any()) for pair in pairs):
        raise ControlError(f"{who}: there is nothing to compare, since every pixel is transparent or not finite")
    return pairs


def _opened(given: Any, who: str, name: str) -> tuple[Tensor, Tensor | None]:
    if isinstance(given, (str, os.PathLike)):
        from photochrom.io import read

        given = read(given)
    opened = enter(given, who, name)
    return opened.image.detach(), None if opened.alpha is None else opened.alpha.detach()


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]} x {image.shape[-2]}" + (f" ({len(image)} pictures)" if len(image) > 1 else "")


def parts_of(pairs: Sequence[Pair], steps: Sequence[Step], first: int, samples: int, seed: int,
             spare: bool) -> list[Part]:
    """Choose what a fit looks at, the same for the same seed.

    Steps before the first trained one are run once, on the whole picture. If the rest look at pixels alone, pixels are
    drawn evenly from the picture; if they look around, patches with as much about them as they need; and if they need
    the whole picture, the whole.

    Args:
        pairs: the pictures.
        steps: all steps of the recipe.
        first: the first step with a trained control.
        samples: about how many pixels are judged, of all pairs together.
        seed: of the choice.
        spare: the halo may grow, because what it depends on is trained.

    Returns:
        A part for each pair.
    """
    parts, each = [], max(samples // len(pairs), 4096)
    for number, pair in enumerate(pairs):
        chance = torch.Generator().manual_seed(seed + number)
        image, alpha = pair.before, pair.alpha
        with torch.no_grad():
            for step in steps[:first]:
                image, alpha = step.run(image, alpha)
        whole = Part(list(steps), image, alpha, pair.after, pair.weight, (slice(None), slice(None)), clips(pair.after))
        if image.shape[-2:] != pair.before.shape[-2:] or any(
                step.operation.changes_size(step.values()) for step in steps[first:]):
            weight = pair.weight if image.shape[-2:] == pair.weight.shape[-2:] else pair.weight[..., :1, :1] * 0 + 1
            parts.append(_wide(Part(list(steps), image, alpha, pair.after, weight, whole.core, whole.clipped)))
            continue
        halos = [step.operation.reaches(step.values()) for step in steps[first:]]
        plain = all(step.operation.reach == "pixel" and halo == 0
                    for step, halo in zip(steps[first:], halos, strict=True))
        measured = all(halo == 0 and not (step.operation.measured is not None and step.operation.measured.placed)
                       for step, halo in zip(steps[first:], halos, strict=True))
        tiles = all(halo is not None and step.operation.reach != "image"
                    for step, halo in zip(steps[first:], halos, strict=True))
        if plain:
            part = _pixels(whole, each, chance)
        elif measured:
            part = _thinned(whole)
        elif tiles:
            halo = sum(halo or 0 for halo in halos)
            part = _patches(whole, 2 * halo + 8 if spare else halo, each, chance)
        else:
            part = whole
        parts.append(_wide(part))
    return parts


def _wide(part: Part) -> Part:
    """In double precision, with steps of its own: what is trained is set on these."""
    alpha = None if part.alpha is None else part.alpha.double()
    return Part([_twin(step, lambda picture: picture) for step in part.steps], part.image.double(), alpha,
                part.target.double(), part.weight.double(), part.core, part.clipped)


def _twin(step: Step, cut: Any) -> Step:
    """Return a step with the same controls, whose pictures that lie over the image are cut like it."""
    twin = Step(step.operation, strength=step.strength(), **step.values())
    for name, picture in step.pictures.items().items():
        over = name == "mask" or step.operation.ports[name].aligned
        twin.pictures[name] = cut(picture) if over else picture
    twin.files, twin.brought = dict(step.files), step.brought
    return twin


def _cut(whole: Part, cut: Any, core: tuple[slice, slice]) -> Part:
    alpha = None if whole.alpha is None else cut(whole.alpha)
    return Part([_twin(step, cut) for step in whole.steps], cut(whole.image), alpha, cut(whole.target),
                cut(whole.weight), core, whole.clipped)


def _pixels(whole: Part, count: int, chance: torch.Generator) -> Part:
    total = whole.image[0, 0].numel()
    if total <= count:
        return whole
    place = ((torch.arange(count) + torch.rand(count, generator=chance)) * (total / count)).long().clamp(max=total - 1)
    return _cut(whole, lambda picture: picture.flatten(2)[..., place].unsqueeze(2), whole.core)


def _thinned(whole: Part) -> Part:
    step = math.ceil(math.sqrt(whole.image[0, 0].numel() / _FRAME))
    return whole if step == 1 else _cut(whole, lambda picture: picture[..., ::step, ::step], whole.core)


def _patches(whole: Part, halo: int, count: int, chance: torch.Generator) -> Part:
    """Draw patches from a grid over the picture, each somewhere within its cell."""
    height, width = whole.image.shape[-2:]
    side = max(_CORE, halo)
    across = max(1, round(math.sqrt(max(count / side ** 2, 4) * width / height)))
    down = max(1, round(max(count / side ** 2, 4) / across))
    full = side + 2 * halo
    if full > min(height, width) or across * down * full ** 2 >= height * width:
        return whole
    corners = [(int((row + float(torch.rand((), generator=chance))) / down * (height - full + 1)),
                int((column + float(torch.rand((), generator=chance))) / across * (width - full + 1)))
               for row in range(down) for column in range(across)]
    return _cut(whole, lambda picture: torch.cat([picture[..., y:y + full, x:x + full] for y, x in corners]),
                (slice(halo, halo + side), slice(halo, halo + side)))
