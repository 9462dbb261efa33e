"""By what a result is known to be up to date: a hash of the recipe, its pictures and how results are written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.files import Options
from photochrom.engine.manifest import take_print


def identify(recipe: Recipe | Step, options: Options) -> str:
    """Return the hash of everything but the picture that decides what a result is.

    The recipe's title, and what changes no bit of a result, such as the memory, are left out.

    Example:
        >>> import photochrom
        >>> one = identify(photochrom.Step(photochrom.power, gamma=2.0), Options())
        >>> len(one), one == identify(photochrom.Step(photochrom.power, gamma=2.1), Options())
        (64, False)
    """
    digest = hashlib.sha256()
    for step in list(recipe) if isinstance(recipe, Recipe) else [recipe]:
        _add(digest, "step", step.operation.name)
        for name, value in sorted(step.controls.items()):
            _add(digest, name, repr(value))
            if isinstance(value, str) and os.path.isfile(value):   # the weights of a network
                _add(digest, name, take_print(Path(value)).sha256)
        for name, tensor in (*_sorted(step.tensors.items()), *_sorted(step.pictures.items())):
            _add(digest, name, f"{tensor.dtype} {tuple(tensor.shape)}")
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    _add(digest, "options", repr((options.device, options.profile, options.quality, options.tiff,
                                     options.depth)))
    return digest.hexdigest()


def _sorted(tensors: dict[str, Tensor]) -> Iterable[tuple[str, Tensor]]:
    return sorted(tensors.items())


def _add(digest: Any, name: str, text: str) -> None:
    digest.update(f"{name}={len(text)}:{text};".encode("utf-8", "surrogateescape"))
