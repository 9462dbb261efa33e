"""The commands `score` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photochrom.cli.report import complain, emit


def score_pictures(metric: str, image: Path, reference: Path, settings: dict[str, Any], as_json: bool) -> None:
    """Score a picture file against another and print the score with its protocol."""
    from photochrom.core.errors import ControlError
    from photochrom.io import read
    from photochrom.metrics.named import scorer

    running = scorer(metric.replace("-", "_"), **settings)
    pair = []
    for path in (image, reference):
        photo = read(path)
        if photo.alpha is not None and bool((photo.alpha < 1).any()):
            complain(f"{path}: alpha is not scored, the colours under it are")
        pair.append(photo.image.float())
    if pair[0].shape[-2:] != pair[1].shape[-2:]:
        sizes = (f"{values.shape[-1]} x {values.shape[-2]}" for values in pair)
        raise ControlError("score: both pictures must have one size, got {} and {}".format(*sizes))
    made = running.update(*pair)[0]
    if as_json:
        emit({"image": str(image), "reference": str(reference), **made.as_dict()})
    else:
        print(made)
        print(made.protocol)


def evaluate_models(data: Path, task: str, models: str, metrics: str, settings: dict[str, Any], as_json: bool,
                    markdown: Path | None, quiet: bool, overwrite: bool) -> None:
    """Score models on a folder and print a table a metric, or JSON."""
    from photochrom.core.errors import ControlError, FileError
    from photochrom.learn.evaluation import evaluate

    if markdown is not None and markdown.exists() and not overwrite:
        raise FileError(f"{markdown} exists; --overwrite replaces it")
    names = [name.strip() for name in models.split(",") if name.strip()]
    kinds = [name.strip().replace("-", "_") for name in metrics.split(",") if name.strip()]
    if not kinds:
        raise ControlError("evaluate: at least one metric must be named")
    found = evaluate(data, task, names, metrics=kinds, **settings,  # type: ignore[arg-type]  # checked there
                     progress=lambda name: None if quiet or as_json else complain(f"{name} is scored"))
    if markdown is not None:
        try:
            markdown.write_text(found.markdown(), encoding="utf-8")
        except OSError as error:
            raise FileError(f"{markdown} cannot be written: {error.strerror}") from error
    if as_json:
        emit(found.as_dict())
    else:
        print(found.markdown())
