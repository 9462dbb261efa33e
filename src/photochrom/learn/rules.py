"""The rules of a training: which network, which loss, which rate, on which machine."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.learn.config import Config, Loss, Optimizer
from photochrom.nets.descriptor import Descriptor


def descriptor_of(config: Config, figures: Mapping[str, float] | None = None) -> Descriptor:
    """Return the description of what a configuration trains.

    Args:
        config: the configuration.
        figures: what it was judged with.

    Returns:
        The description; of noise it says what the recipe adds.
    """
    network, scales = config.network, config.data.scales
    return Descriptor(
        name=config.name, architecture=network.architecture, parameters=dict(network.parameters),
        task=network.task, scale=scales if len(scales) > 1 else scales[0],   # type: ignore[arg-type]
        channels=network.channels, sigma=_noise(config),   # type: ignore[arg-type]
        licence=config.card.licence, data=config.card.data, data_licence=config.card.data_licence,
        protocol=config.card.protocol, figures=dict(figures or {}))


def _noise(config: Config) -> tuple[float, float]:
    for step in config.degrade:
        if step.op == "add_noise":
            sigma = step.controls.get("sigma", 25.0)
            ends = (sigma["low"], sigma["high"]) if isinstance(sigma, Mapping) else (sigma, sigma)
            return float(ends[0]), float(ends[1])
    return 0.0, 0.0


def loss_of(made: Tensor, wanted: Tensor, rules: Loss) -> Tensor:
    """Return how far results are from originals.

    Args:
        made: (B, C, H, W).
        wanted: the same size.
        rules: which distance, and how much of the border does not count.

    Returns:
        A number.
    """
    if rules.shave:
        inner = (..., slice(rules.shave, -rules.shave), slice(rules.shave, -rules.shave))
        made, wanted = made[inner], wanted[inner]
    away = made.float() - wanted.float()
    if rules.kind == "l1":
        return away.abs().mean()
    if rules.kind == "l2":
        return away.square().mean()
    return (away.square() + rules.eps ** 2).sqrt().mean()


def rate_at(step: int, steps: int, rules: Optimizer) -> float:
    """Return the learning rate of a step.

    Args:
        step: counted from 0.
        steps: how many there will be.
        rules: the schedule.

    Returns:
        The rate.

    Example:
        >>> [round(rate_at(step, 100, Optimizer(rate=1.0, last=0.0)), 2) for step in (0, 50, 75)]
        [1.0, 0.5, 0.15]
    """
    rate = rules.rate
    if rules.schedule == "cosine":
        rate *= rules.last + (1 - rules.last) * (1 + math.cos(math.pi * step / steps)) / 2
    elif rules.schedule == "steps":
        rate *= rules.factor ** sum(step >= share * steps for share in rules.drops)
    return rate * min(1.0, (step + 1) / rules.warmup) if rules.warmup else rate


def fabric_for(precision: str = "32-true", accelerator: str = "cpu", devices: int = 1, nodes: int = 1) -> Any:
    """Return a launched Fabric.

    Args:
        precision: as Fabric names it.
        accelerator: `cpu`, `cuda`, `mps` or `auto`.
        devices: processes a machine.
        nodes: machines.

    Returns:
        The Fabric.

    Raises:
        ControlError: Lightning is missing, or has no such accelerator.
    """
    try:
        # The same as lightning.fabric, whose import loads all of Lightning and torchvision besides.
        from lightning_fabric import Fabric
    except ImportError:
        raise ControlError("train: training needs Lightning and TensorBoard, which come with "
                           "`pip install 'photochrom[train]'`") from None
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)   # which precision is used stands in the configuration
    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes,
                        precision=precision)  # type: ignore[arg-type]
    except (ValueError, RuntimeError) as error:
        raise ControlError(f"train: {accelerator} with {devices} devices cannot be used: {error}") from None
    finally:
        logger.setLevel(level)
    fabric.launch()
    return fabric
