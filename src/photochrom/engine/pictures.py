"""Running a recipe on a picture in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.door import enter
from photochrom.core.recipe import Recipe
from photochrom.core.step import Step
from photochrom.engine.feeds import TensorFeed, array_feed
from photochrom.engine.plan import default_memory
from photochrom.engine.run import Progress, Run
from photochrom.num.samples import pack


def run(recipe: Recipe | Step, picture: Any, *, memory: int | None = None, device: str = "cpu",
        progress: Progress = lambda pixels: None) -> Any:
    """Run a recipe on a picture in memory, planned: strips, tables and tiles give the numbers of the plain module.

    Args:
        recipe: a recipe or a single step.
        picture: a tensor (B, C, H, W), an array (H, W[, C]), a PIL picture or a `Photo`.
        memory: bytes that tiles may take; half of the free memory (at most 4 GiB) if not given.
        device: where the steps run.
        progress: called with the number of pixels finished since the last call.

    Returns:
        The same kind, depth and range. Where a gradient is wanted the recipe runs as a plain module instead.

    Raises:
        PhotochromError: a picture or control the recipe cannot work with, or too little memory.

    Example:
        >>> import numpy as np, photochrom
        >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
        >>> int(run(photochrom.Step(photochrom.negative), ramp)[0, 0])
        255
    """
    steps = list(recipe) if isinstance(recipe, Recipe) else [recipe]
    budget = default_memory() if memory is None else memory
    if isinstance(picture, Tensor):
        opened = enter(picture, "run")
        wanted = picture.requires_grad or any(p.requires_grad for step in steps for p in step.parameters())
        if torch.is_grad_enabled() and wanted:
            return recipe(picture)
        image, _ = Run(steps, TensorFeed(opened.image), budget, device, progress).collect()
        return image.to(picture.device)
    if isinstance(picture, np.ndarray) and picture.dtype.kind == "u":
        enter(picture[:1, :1], "run")   # judges kind, shape and depth
        found = _direct(steps, picture) if device == "cpu" else None
        if found is not None:
            progress(picture.shape[0] * picture.shape[1])
            return found
        work = Run(steps, array_feed(picture if picture.ndim == 3 else picture[..., None]), budget, device, progress)
        if work.direct:
            return work.stored().reshape(picture.shape)
        parts = []
        for _, _, colour, cover in work.tiles():
            whole = colour if cover is None else torch.cat([colour, cover], 1)
            stored = np.empty((*whole.shape[2:], whole.shape[1]), picture.dtype)
            pack(whole[0].cpu().numpy(), stored)
            parts.append(stored)
        result = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return result[..., 0] if picture.ndim == 2 and result.shape[-1] == 1 else result
    opened = enter(picture, "run")
    image, alpha = Run(steps, TensorFeed(opened.image, opened.alpha), budget, device, progress).collect()
    return opened.back(image.cpu(), None if alpha is None else alpha.cpu())


def _direct(steps: list[Step], picture: np.ndarray) -> Any:
    """Return the result of one plain step that knows a way on integer samples, else None."""
    if len(steps) != 1 or steps[0].strength() != 1.0 or steps[0].tensors.items():
        return None
    bound = {**steps[0].files, **steps[0].pictures.items()}
    return steps[0].operation.direct(picture, bound, steps[0].values())
