"""The configuration of a training: one TOML file per network."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from photochrom.core.errors import RecipeError, nearest

_VERSION = 1


@dataclass(frozen=True)
class Network:
    """What is trained."""

    architecture: str
    task: str
    """`upscale`, `denoise` or `deblock`."""
    channels: str = "y"
    """`y`: luma of 16/255 to 235/255, as in the papers on super-resolution; `gray`; `rgb`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""
    """`identity` (the network begins as one that changes nothing), or the name or file of weights to go on from; empty
    for weights drawn by chance."""


@dataclass(frozen=True)
class Data:
    """What it learns from."""

    patch: int
    """Side of a patch as the network sees it, in pixels."""
    batch: int
    scales: tuple[int, ...] = (1,)
    """More than one: every batch is of one of them, drawn by chance."""
    sizes: tuple[float, ...] = (1.0,)
    """Every picture is taken at each of these sizes too, enlarged or shrunk before it is degraded."""
    turns: bool = True
    """Patches are turned by quarters and mirrored."""


@dataclass(frozen=True)
class Degrade:
    """One step of the recipe that makes the input from the original."""

    op: str
    on: str
    """`picture`: once, on whole pictures; `patch`: anew for every batch."""
    controls: Mapping[str, Any] = field(default_factory=dict)
    """A value; `{low, high}` for one drawn by chance for each patch; "scale" or "1/scale"."""


@dataclass(frozen=True)
class Loss:
    """What is made small."""

    kind: str = "l2"
    """`l1`, `l2` or `charbonnier`."""
    eps: float = 1e-3
    """Of Charbonnier's root."""
    shave: int = 0
    """Pixels at the border of a patch's result that do not count."""


@dataclass(frozen=True)
class Optimizer:
    """How it is made small."""

    kind: str = "adam"
    """`adam` or `sgd`."""
    rate: float = 1e-3
    betas: tuple[float, ...] = (0.9, 0.999)
    momentum: float = 0.9
    decay: float = 0.0
    schedule: str = "cosine"
    """`cosine` falls to `last` at the end, `steps` falls by `factor` at each of `drops`, `constant` stays."""
    last: float = 0.01
    """What is left of the rate at the end of the cosine."""
    warmup: int = 0
    """Steps over which the rate rises."""
    drops: tuple[float, ...] = ()
    """Shares of the run after which the rate falls."""
    factor: float = 0.1
    slow_last: float = 1.0
    """Factor of the rate of the last layer."""
    clip: float = 0.0
    """Greatest gradient; 0 for none."""
    clip_by: str = "norm"
    """`norm`, `value`, or `rate`: each value to `clip` / rate, the adjustable clipping of VDSR."""


@dataclass(frozen=True)
class Run:
    """How long, with which numbers, and what is told."""

    steps: int
    seed: int = 0
    precision: str = "32-true"
    """As Lightning Fabric names them, such as `bf16-mixed`."""
    full_last: float = 0.0
    """Share of the run, at its end, in 32 bits whatever the precision before: what rounding hid is put right."""
    channels_last: bool = True
    ema: float = 0.0
    """Of the running mean of the weights, which is what is judged and kept; 0 for none."""
    validate_every: int = 1000
    keep_every: int = 1000
    log_every: int = 100


@dataclass(frozen=True)
class Validate:
    """How it is judged: PSNR of whole pictures."""

    shave: int = 0
    rounding: str = "8-bit"
    """What results are rounded to, or `none`; they are clipped in either case."""
    hold_out: int = 5
    """So many training pictures are judged where no folder is given; they are not trained on."""
    seed: int = 0
    """Of the noise, which is the same every time."""


@dataclass(frozen=True)
class Card:
    """What the weights are told to be, besides what is known of them anyway."""

    data: str = "unknown"
    data_licence: str = "unknown"
    licence: str = "unknown"
    protocol: str = ""


@dataclass(frozen=True)
class Config:
    """A training."""

    name: str
    network: Network
    data: Data
    run: Run
    degrade: tuple[Degrade, ...]
    about: str = ""
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    validate: Validate = Validate()
    card: Card = Card()
    judged: tuple[Degrade, ...] = ()
    """The recipe of validation; without it that of training, which then draws nothing by chance."""
    text: str = ""
    """The file, as it was read."""


_CHOICES = {
    (Network, "task"): ("upscale", "denoise", "deblock"),
    (Network, "channels"): ("y", "gray", "rgb"),
    (Loss, "kind"): ("l1", "l2", "charbonnier"),
    (Optimizer, "kind"): ("adam", "sgd"),
    (Optimizer, "schedule"): ("cosine", "steps", "constant"),
    (Optimizer, "clip_by"): ("norm", "value", "rate"),
    (Run, "precision"): ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"),
    (Degrade, "on"): ("picture", "patch"),
    (Validate, "rounding"): ("8-bit", "none"),
}
_LEAST = {"patch": 1, "batch": 1, "steps": 1, "validate_every": 1, "keep_every": 1, "log_every": 1, "rate": 1e-12,
          "hold_out": 1, "eps": 1e-12}


def load_config(path: str | os.PathLike[str]) -> Config:
    """Read a configuration.

    Args:
        path: a TOML file, such as those in `training`.

    Returns:
        What it says.

    Raises:
        RecipeError: it cannot be read or understood.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: expected a configuration in TOML, got a file that is not text") from None
    return parse_config(text, str(path))


def parse_config(text: str, where: str = "configuration") -> Config:
    """Turn the text of a configuration into one.

    Args:
        text: TOML.
        where: for messages.

    Returns:
        What it says.

    Raises:
        RecipeError: it cannot be understood.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where}: this is not TOML: {error}") from None
    if told.pop("version", None) != _VERSION:
        raise RecipeError(f"{where}: expected `version = {_VERSION}` at the top")
    sections = {"network": Network, "data": Data, "run": Run, "loss": Loss, "optimizer": Optimizer,
                "validate": Validate, "card": Card}
    plain: dict[str, Any] = {}
    for name, value in told.items():
        if name in ("degrade", "judged"):
            if not isinstance(value, list) or not all(isinstance(step, dict) for step in value):
                raise RecipeError(f"{where}: expected `[[{name}]]` with double brackets")
            plain[name] = tuple(_step(step, f"{where}: [[{name}]] {at}") for at, step in enumerate(value, 1))
        elif name in sections:
            if not isinstance(value, dict):
                raise RecipeError(f"{where}: expected a table [{name}]")
            plain[name] = _filled(sections[name], value, f"{where}: [{name}]")
        elif name in ("name", "about"):
            plain[name] = _value(str, value, f"{where}: {name}")
        else:
            raise RecipeError(f"{where}: unknown entry '{name}'"
                              f"{nearest(name, [*sections, 'name', 'about', 'degrade', 'judged'])}")
    for name in ("name", "network", "data", "run", "degrade"):
        if name not in plain:
            raise RecipeError(f"{where}: '{name}' is missing")
    config = Config(**plain, text=text)
    _consistent(config, where)
    return config


def _consistent(config: Config, where: str) -> None:
    for name, steps in (("degrade", config.degrade), ("judged", config.judged)):
        orders = [step.on for step in steps]
        if orders != sorted(orders, key=("picture", "patch").index):
            raise RecipeError(f"{where}: [[{name}]] steps on pictures come before steps on patches")
    drawn = [step.op for step in config.judged or config.degrade
             if any(isinstance(value, Mapping) for value in step.controls.values())]
    if drawn:
        raise RecipeError(f"{where}: validation draws nothing by chance; give [[judged]] steps with a value for "
                          f"{drawn[0]}")
    if min(config.data.scales) < 1:
        raise RecipeError(f"{where}: [data] scales must be at least 1, got {min(config.data.scales)}")
    if not 0 <= config.run.ema < 1:
        raise RecipeError(f"{where}: [run] ema must be at least 0 and below 1, got {config.run.ema}")


def _step(told: dict[str, Any], where: str) -> Degrade:
    told = dict(told)
    op, on = told.pop("op", None), told.pop("on", "picture")
    if not isinstance(op, str):
        raise RecipeError(f"{where}: 'op' is missing")
    _chosen(Degrade, "on", on, where)
    for name, value in told.items():
        if isinstance(value, dict) and (set(value) != {"low", "high"} or on != "patch"
                                        or not all(isinstance(end, int | float) for end in value.values())):
            raise RecipeError(f"{where}: {name} drawn by chance is {{ low = ..., high = ... }}, on patches only")
    return Degrade(op, on, told)


def _filled(kind: type, told: dict[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in told.items():
        if name not in hints:
            raise RecipeError(f"{where}: unknown entry '{name}'{nearest(name, list(hints))}")
        values[name] = _value(hints[name], value, f"{where} {name}")
        _chosen(kind, name, values[name], where)
        if name in _LEAST and values[name] < _LEAST[name]:
            raise RecipeError(f"{where} {name}: expected at least {_LEAST[name]}, got {value}")
    for entry in fields(kind):
        if entry.name not in values and not _has_default(entry):
            raise RecipeError(f"{where}: '{entry.name}' is missing")
    return kind(**values)


def _chosen(kind: type, name: str, value: Any, where: str) -> None:
    choices = _CHOICES.get((kind, name))
    if choices and value not in choices:
        raise RecipeError(f"{where} {name}: expected one of {', '.join(choices)}, got {value!r}")


def _has_default(entry: Any) -> bool:
    from dataclasses import MISSING

    return entry.default is not MISSING or entry.default_factory is not MISSING


def _value(hint: Any, value: Any, where: str) -> Any:
    text = str(hint)
    if text.startswith("tuple"):
        entry_kind = float if "float" in text else int
        if not isinstance(value, list) or not value:
            raise RecipeError(f"{where}: expected a list of numbers, got {value!r}")
        return tuple(_value(entry_kind, entry, where) for entry in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    kinds: dict[Any, tuple[type, str]] = {float: (float, "a number"), int: (int, "a whole number"),
                                          bool: (bool, "true or false"), str: (str, "text")}
    kind, words = kinds.get(hint, (dict, "a table"))
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RecipeError(f"{where}: expected {words}, got {value!r}")
    if (kind is float and value != value) or value in (float("inf"), float("-inf")):
        raise RecipeError(f"{where}: expected a finite number, got {value}")
    return value
