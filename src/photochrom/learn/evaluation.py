"""How good networks are on a folder of pictures, by a protocol that is told with the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from photochrom.color.ycbcr import rgb_to_ycbcr
from photochrom.core.errors import ControlError, FileError, nearest
from photochrom.io import READABLE, read
from photochrom.metrics.named import scorer
from photochrom.metrics.protocol import Score, mean
from photochrom.nets.choice import network_for
from photochrom.nets.descriptor import Task
from photochrom.nets.inference import enlarge_bicubic, restore
from photochrom.nets.network import Network
from photochrom.nets.pictures import restore_picture
from photochrom.ops.degrade.add_noise import add_noise
from photochrom.ops.degrade.compress_jpeg import compress_jpeg
from photochrom.ops.geometry.resize import resize

DEGRADATIONS: dict[str, tuple[str, ...]] = {"upscale": ("bicubic", "bicubic-y", "files"), "denoise": ("noise",),
                                            "deblock": ("jpeg",)}
"""By task how the pictures are made worse, the default first; docs/scores.md says what each is."""
UNTOUCHED = {"upscale": "bicubic", "denoise": "none", "deblock": "none"}
"""The model that stands for using no network."""


@dataclass(frozen=True)
class Case:
    """One picture: its name, the original, and the degraded file where there is one."""

    name: str
    original: Path
    degraded: Path | None = None


@dataclass(frozen=True)
class Evaluation:
    """The figures of models on pictures.

    Attributes:
        task: upscale, denoise or deblock.
        setup: how the pictures were degraded.
        pictures: their names.
        scores: by model and metric, one score a picture.
        means: by model and metric.
    """

    task: str
    setup: dict[str, Any]
    pictures: list[str]
    scores: dict[str, dict[str, list[Score]]]
    means: dict[str, dict[str, Score]]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {"task": self.task, **self.setup, "models": {
            model: {metric: {**self.means[model][metric].as_dict(), "by_picture": dict(zip(
                self.pictures, [score.as_dict()["value"] for score in scores], strict=True))}
                for metric, scores in metrics.items()} for model, metrics in self.scores.items()}}

    def markdown(self) -> str:
        """Return a table for each metric: a row a picture, a column a model, the protocol above."""
        made = []
        models = list(self.scores)
        for metric in self.scores[models[0]]:
            made += [f"{self.means[models[0]][metric].protocol}", "", "| picture | " + " | ".join(models) + " |",
                     "| --- |" + " ---: |" * len(models)]
            for k, name in enumerate(self.pictures):
                made.append(f"| {name} | " + " | ".join(
                    _short(self.scores[model][metric][k]) for model in models) + " |")
            made += ["| **mean** | " + " | ".join(_short(self.means[model][metric]) for model in models) + " |", ""]
        return "\n".join(made)


def _short(score: Score) -> str:
    return f"{score.value:.2f}" if score.protocol.unit == "dB" else f"{score.value:.4f}"


def cases_in(folder: str | Path) -> list[Case]:
    """List the pictures of a folder: pairs NAME_HR and NAME_LR if there are any, else originals.

    Raises:
        FileError: no folder, no pictures, or a pair that is not whole.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileError(f"evaluate: there is no folder '{folder}'")
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in READABLE and path.is_file())
    if not files:
        raise FileError(f"evaluate: the folder '{folder}' holds no picture files")
    high = {path.stem.removesuffix("_HR"): path for path in files if path.stem.endswith("_HR")}
    if not high:
        return [Case(path.stem, path) for path in files]
    low = {path.stem.removesuffix("_LR"): path for path in files if path.stem.endswith("_LR")}
    for name, path in high.items():
        if name not in low:
            raise FileError(f"evaluate: '{path}' has no companion {name}_LR")
    return [Case(name, path, low[name]) for name, path in high.items()]


def evaluate(data: str | Path, task: Task, models: Sequence[str], *, scale: int = 2, sigma: float = 25.0,
             quality: int = 10, seed: int = 0, degradation: str | None = None,
             metrics: Sequence[str] = ("psnr", "ssim"), protocol: str | None = None, weights: str | Path | None = None,
             progress: Callable[[str], None] = lambda name: None) -> Evaluation:
    """Score models on a folder of pictures.

    Args:
        data: a folder of originals, or of pairs NAME_HR and NAME_LR.
        task: upscale, denoise or deblock.
        models: names of weights as `photochrom.nets.weights.load` takes them, or "best"; "bicubic" (to upscale) and
            "none" stand for using no network.
        scale: how many times the pictures are made smaller and enlarged again.
        sigma: of the noise, in levels of 255.
        quality: of JPEG.
        seed: of the noise; the n-th picture has seed + n.
        degradation: one of `DEGRADATIONS[task]`; that of the files where they are pairs.
        metrics: names of scores.
        protocol: of all metrics; "sr" to upscale and "denoise" else, if not given.
        weights: the folder of the weights of lpips.
        progress: called with the name of each picture that is done.

    Raises:
        ControlError: unknown names, or settings that do not go together.
        FileError: a folder or file is missing or cannot be used.
    """
    if task not in DEGRADATIONS:
        raise ControlError(f"evaluate: the task {task!r} is not known{nearest(task, list(DEGRADATIONS))}")
    if not models:
        raise ControlError("evaluate: at least one model must be named")
    cases = cases_in(data)
    how = degradation or ("files" if cases[0].degraded else DEGRADATIONS[task][0])
    if how not in DEGRADATIONS[task]:
        raise ControlError(f"evaluate: the degradation {how!r} is not one of {task}'s, {', '.join(DEGRADATIONS[task])}")
    if how == "files" and cases[0].degraded is None:
        raise ControlError(f"evaluate: the degradation files needs pairs NAME_HR and NAME_LR in '{data}'")
    scale = scale if task == "upscale" else 1
    networks = {model: None if model == UNTOUCHED[task] else network_for(
        task, model, scale=scale, sigma=sigma if task == "denoise" else None) for model in models}
    named = protocol or ("sr" if task == "upscale" else "denoise")
    told: dict[str, dict[str, Any]] = {"upscale": {"scale": scale}, "deblock": {"quality": quality},
                                       "denoise": {"sigma": sigma, "seed": seed, "clipped": False}}
    setup: dict[str, Any] = {"degradation": how, **told[task]}
    kept = {model: {metric: scorer(metric, named, scale=scale, weights=weights if metric == "lpips" else None)
                    for metric in metrics} for model in models}
    for metrics_of in kept.values():
        for running in metrics_of.values():
            running.protocol = running.protocol.having(**setup)
    for index, case in enumerate(cases):
        given, wanted = _degraded(case, task, how, scale, sigma, quality, seed + index)
        for model, network in networks.items():
            made = _restored(network, given, task, scale, how, model)
            if made.shape != wanted.shape:
                raise FileError(f"evaluate: '{case.degraded}' enlarged {scale} times has {made.shape[-1]} x "
                                f"{made.shape[-2]} pixels, '{case.original}' {wanted.shape[-1]} x {wanted.shape[-2]}")
            for running in kept[model].values():
                running.update(made.clamp(0, 1), wanted)
        progress(case.name)
    scores = {model: {metric: running.scores for metric, running in found.items()} for model, found in kept.items()}
    means = {model: {metric: mean(values) for metric, values in found.items()} for model, found in scores.items()}
    return Evaluation(task, setup, [case.name for case in cases], scores, means)


def _picture(path: Path) -> Tensor:
    photo = read(path)
    return photo.image.float()


def _degraded(case: Case, task: str, how: str, scale: int, sigma: float, quality: int,
              seed: int) -> tuple[Tensor, Tensor]:
    """Return the picture that a model is given, and the one that it should give."""
    original = _picture(case.original)
    if task == "denoise":
        return add_noise(original, sigma=sigma, seed=seed), original
    if task == "deblock":
        return compress_jpeg(original, quality=quality), original
    if how == "files":
        assert case.degraded is not None
        return _picture(case.degraded), original
    height, width = (side // scale * scale for side in original.shape[-2:])
    whole = original[..., :height, :width]
    if how == "bicubic-y" and whole.shape[1] == 3:
        whole = rgb_to_ycbcr(whole.double(), levels="studio")[:, :1]
    small = resize(whole, size=(height // scale, width // scale),
                   resample="matlab-bicubic-float" if how == "bicubic-y" else "matlab-bicubic")
    return small.float(), whole.float()


def _restored(network: Network | None, given: Tensor, task: str, scale: int, how: str, model: str) -> Tensor:
    with torch.no_grad():
        if network is None:
            return enlarge_bicubic(given, scale) if task == "upscale" else given
        if how == "bicubic-y" and given.shape[1] == 1:
            if network.descriptor.channels != "y":
                raise ControlError(f"evaluate: the degradation bicubic-y gives luminance alone, and '{model}' knows "
                                   f"{network.descriptor.channels}")
            return restore(network, given, scale=scale)
        return restore_picture(network, given, scale=scale)


