"""The training loop: one for all networks, on one processor or many machines, by Lightning Fabric."""

from __future__ import annotations

import inspect
import math
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.core.errors import ControlError
from photochrom.learn.checkpoints import read_checkpoint, write_checkpoint
from photochrom.learn.config import Config
from photochrom.learn.judge import Judge, Judgement
from photochrom.learn.patches import Patches, original, picture_files
from photochrom.learn.rules import descriptor_of, fabric_for, loss_of, rate_at
from photochrom.learn.starts import pass_through, warm
from photochrom.nets.descriptor import build
from photochrom.nets.weights import Network, save


@dataclass(frozen=True)
class Told:
    """What the loop tells while it runs."""

    step: int
    steps: int
    loss: float
    rate: float
    seconds: float
    """A step, over the steps since the last time."""
    loading: float
    """The share of it in which patches were cut and degraded."""
    judged: Judgement | None = None
    best: bool = False


@dataclass(frozen=True)
class Trained:
    """What a training ended with."""

    network: nn.Module
    """In evaluation mode, with the weights that were judged: the running mean where there is one."""
    steps: int
    psnr: dict[int, float]
    """Of the last validation, by scale, in dB."""
    best: float
    loading: float
    """The share of a step in which patches were cut and degraded, over the whole run."""
    folder: Path


def train(config: Config, data: Iterable[str | os.PathLike[str]], folder: str | os.PathLike[str], *,
          validation: Iterable[str | os.PathLike[str]] = (), steps: int | None = None,
          resume: str | os.PathLike[str] | None = None, fabric: Any = None,
          tell: Callable[[Told], None] = lambda told: None) -> Trained:
    """Train a network.

    Written into `folder`: `last.ckpt` to go on from, `best.safetensors` of the best validation, and scalars and
    pictures for TensorBoard. A training that was stopped and resumed ends with the same bits as one that was not.

    Args:
        config: what is trained, and how.
        data: folders of pictures.
        folder: where results go.
        validation: folders of pictures to judge by; without any, some of the training pictures are held out.
        steps: instead of the configuration's number.
        resume: a checkpoint to go on from.
        fabric: a Lightning Fabric that was set up otherwise; None for one process on the processor.
        tell: called now and then.

    Returns:
        The network and what is known of it.

    Raises:
        ControlError: the configuration does not fit, or the loss is no longer a number.
        FileError: a folder without pictures, or a file that cannot be read.
    """
    fabric = fabric or fabric_for(config.run.precision)
    if steps is not None:
        if steps < 1:
            raise ControlError(f"train: steps must be at least 1, got {steps}")
        config = replace(config, run=replace(config.run, steps=steps))
    places, folder = [Path(place) for place in validation], Path(folder)
    taught, judged = _originals(config, [Path(place) for place in data], places)
    folder.mkdir(parents=True, exist_ok=True)
    return _Loop(config, fabric, Patches(taught, config, fabric.global_rank), Judge(judged, config), folder,
                 " and ".join(map(_called, places)) or "held out", tell).run(None if resume is None else Path(resume))


def _called(folder: Path) -> str:
    """Return the name of a set of pictures, which may have a folder for each scale: Set5/x3."""
    folder = folder.resolve()
    return folder.parent.name if re.fullmatch(r"x\d", folder.name) else folder.name


def _originals(config: Config, data: list[Path], validation: list[Path]) -> tuple[list[Tensor], list[Tensor]]:
    files, others = picture_files(data, "training"), picture_files(validation, "validation")
    if not files:
        raise ControlError("train: expected at least one folder of training pictures, got none")
    if not others:
        held = config.validate.hold_out
        if len(files) <= held:
            raise ControlError(f"train: {held} pictures are held out for validation, which leaves none of the "
                               f"{len(files)} to train on; give a folder of validation pictures")
        others = files[:: len(files) // held][:held]
        files = [path for path in files if path not in others]
    channels = config.network.channels
    taught = [_sized(original(path, channels), size) for path in files for size in config.data.sizes]
    return taught, [original(path, channels) for path in others]


def _sized(image: Tensor, size: float) -> Tensor:
    from photochrom.core.registry import registry

    if size == 1:
        return image
    resized: Tensor = registry.get("resize").function(image, scale=size, resample="matlab-bicubic")
    return resized


class _Loop:
    def __init__(self, config: Config, fabric: Any, patches: Patches, judge: Judge, folder: Path,
                 judged_by: str, tell: Callable[[Told], None]) -> None:
        self.config, self.fabric, self.patches, self.judge, self.folder = config, fabric, patches, judge, folder
        self.judged_by = judged_by
        self.tell = tell if fabric.is_global_zero else lambda told: None
        torch.manual_seed(config.run.seed)
        self.network = build(config.network.architecture, config.network.parameters)
        if config.network.start == "identity":
            pass_through(self.network)
        elif config.network.start:
            warm(self.network, config.network.start)
        if config.run.channels_last:
            self.network.to(memory_format=torch.channels_last)   # type: ignore[call-overload]
        self.takes_scale = "scale" in inspect.signature(self.network.forward).parameters
        self.optimizer = self._optimizer()
        self.step, self.best = 0, -math.inf
        self.mean: dict[str, Tensor] = {}
        self.last: Judgement | None = None

    def run(self, resume: Path | None) -> Trained:
        run = self.config.run
        self.module, self.optimizer = self.fabric.setup(_Forward(self.network), self.optimizer)
        if run.ema:
            self.mean = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        if resume is not None:
            self._restore(read_checkpoint(resume))
        self.writer = self._writer()
        total = torch.zeros((), dtype=torch.float64, device=self.fabric.device)
        counted, loading, began = 0, 0.0, time.perf_counter()
        waited = worked = 0.0
        while self.step < run.steps:
            started = time.perf_counter()
            batch = self.patches.batch(self.step)
            loading += time.perf_counter() - started
            total += self._advance(batch)
            counted += 1
            self.step += 1
            ends = self.step == run.steps
            judges, keeps = ends or self.step % run.validate_every == 0, ends or self.step % run.keep_every == 0
            if not (judges or keeps or self.step % run.log_every == 0):
                continue
            loss = float(total) / counted
            if not math.isfinite(loss):
                raise ControlError(f"train: the loss was no longer a number between steps {self.step - counted} and "
                                   f"{self.step}; lower the rate or clip the gradients, and resume from the last "
                                   f"checkpoint")
            seconds = (time.perf_counter() - began) / counted
            waited, worked = waited + loading, worked + seconds * counted
            told = Told(self.step, run.steps, loss, rate_at(self.step - 1, run.steps, self.config.optimizer), seconds,
                        loading / counted / seconds)
            if judges:
                told = self._judged(told)
            if keeps:
                self._keep(self.folder / "last.ckpt")
            self._write(told)
            self.tell(told)
            total.zero_()
            counted, loading, began = 0, 0.0, time.perf_counter()
        if self.writer is not None:
            self.writer.close()
        if self.last is None:   # resumed at its end
            self._judged(Told(self.step, run.steps, math.nan, 0.0, 0.0, 0.0))
        assert self.last is not None
        self._use_mean()
        return Trained(self.network.eval(), self.step, self.last.psnr, self.best, waited / (worked or 1.0), self.folder)

    def _advance(self, batch: Any) -> Tensor:
        rules, run = self.config.optimizer, self.config.run
        rate = rate_at(self.step, run.steps, rules)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        given, wanted = (self.fabric.to_device(tensor) for tensor in (batch.given, batch.wanted))
        if run.channels_last:
            given = given.contiguous(memory_format=torch.channels_last)
        made = self.module(_Kept(given), batch.scale if self.takes_scale else None,
                           self.step >= run.steps * (1 - run.full_last))
        loss = loss_of(made, wanted, self.config.loss)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if rules.clip and rules.clip_by == "norm":
            self.fabric.clip_gradients(self.module, self.optimizer, max_norm=rules.clip, error_if_nonfinite=False)
        elif rules.clip:
            most = rules.clip / rate if rules.clip_by == "rate" else rules.clip
            self.fabric.clip_gradients(self.module, self.optimizer, clip_val=most)
        self.optimizer.step()
        if self.mean:
            # The mean forgets its random start quickly: early on it looks back less far.
            keep = min(run.ema, (1 + self.step) / (10 + self.step))
            for name, tensor in self.network.state_dict().items():
                if tensor.is_floating_point():
                    self.mean[name].lerp_(tensor.detach(), 1 - keep)
                else:
                    self.mean[name].copy_(tensor)
        return loss.detach().double()

    def _optimizer(self) -> torch.optim.Optimizer:
        rules = self.config.optimizer
        last = [part for part in self.network.modules() if isinstance(part, nn.Conv2d)][-1:]
        slow = {id(parameter) for part in last for parameter in part.parameters()} if rules.slow_last != 1 else set()
        groups = [{"params": [p for p in self.network.parameters() if (id(p) in slow) == is_slow], "factor": factor}
                  for is_slow, factor in ((False, 1.0), (True, rules.slow_last))]
        groups = [group for group in groups if group["params"]]
        if rules.kind == "sgd":
            return torch.optim.SGD(groups, lr=rules.rate, momentum=rules.momentum, weight_decay=rules.decay)
        return torch.optim.Adam(groups, lr=rules.rate, betas=(rules.betas[0], rules.betas[1]),
                                weight_decay=rules.decay)

    def _judged(self, told: Told) -> Told:
        if not self.fabric.is_global_zero:
            self.fabric.barrier()
            self.last = Judgement(dict.fromkeys(self.config.data.scales, math.nan), {}, ())
            return told
        held = self._use_mean()
        self.network.eval()
        self.last = self.judge.judge(self._result)
        better = self.last.mean > self.best
        if better:
            self.best = self.last.mean
            save(self._described(self.last), self.folder / "best.safetensors")
        if held is not None:
            self.network.load_state_dict(held)
        self.network.train()
        self.fabric.barrier()
        return replace(told, judged=self.last, best=better)

    def _result(self, image: Tensor, scale: int) -> Tensor:
        image = image.to(self.fabric.device)
        made: Tensor = self.network(image, scale=scale) if self.takes_scale else self.network(image)
        return made

    def _use_mean(self) -> dict[str, Tensor] | None:
        """Put the running mean in place of the weights; return these."""
        if not self.mean:
            return None
        held = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.mean)
        return held

    def _described(self, judged: Judgement) -> Network:
        name, upscales = self.judged_by, self.config.network.task == "upscale"
        figures = {f"{name} x{scale} PSNR" if upscales else f"{name} PSNR": round(value, 3)
                   for scale, value in judged.psnr.items()}
        return Network(self.network, descriptor_of(self.config, figures))

    def _keep(self, path: Path) -> None:
        if self.fabric.is_global_zero:
            write_checkpoint(path, {
                "config": self.config.text, "step": self.step, "best": self.best, "mean": self.mean,
                "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                "chance": {"cpu": torch.get_rng_state()}})
        self.fabric.barrier()

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError):
            raise ControlError("train: the checkpoint is of another network or optimizer than the configuration") \
                from None
        if bool(self.mean) != bool(state["mean"]):
            raise ControlError("train: the checkpoint and the configuration differ in whether a running mean is kept")
        for name, tensor in self.mean.items():
            tensor.copy_(state["mean"][name])
        torch.set_rng_state(state["chance"]["cpu"])
        self.step, self.best = state["step"], state["best"]

    def _writer(self) -> Any:
        if not self.fabric.is_global_zero:
            return None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return None
        return SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step or None)

    def _write(self, told: Told) -> None:
        if self.writer is None:
            return
        for name in ("loss", "rate", "seconds", "loading"):
            self.writer.add_scalar(f"train/{name}", getattr(told, name), told.step)
        if told.judged is not None:
            for scale, value in told.judged.psnr.items():
                self.writer.add_scalar(f"validation/psnr-x{scale}", value, told.step)
            for name, picture in zip(("given", "result", "original"), told.judged.example, strict=False):
                self.writer.add_image(f"validation/{name}", picture, told.step)
        self.writer.flush()


class _Kept:
    """Hides a picture from Fabric, which would round it beforehand; autocast rounds where that is quicker."""

    def __init__(self, image: Tensor) -> None:
        self.image = image


class _Forward(nn.Module):
    """What Fabric wraps: the network, whose last steps may be in full precision."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, kept: _Kept, scale: int | None, full: bool) -> Tensor:
        settings = {} if scale is None else {"scale": scale}
        if not full:
            made: Tensor = self.network(kept.image, **settings)
            return made
        with torch.autocast(kept.image.device.type, enabled=False):
            made = self.network(kept.image, **settings)
        return made
