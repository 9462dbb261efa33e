"""What every operation is given, made from its declaration: adding an operation adds its tests."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import photochrom
from photochrom.core.controls import Control
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.engine.plan import LEAST_ROWS, PIXEL_COPIES


def has_weights(operation: Operation) -> bool:
    """Tell whether a network that the operation runs by default is there; its tests come with the weights."""
    try:
        operation.reaches(operation.check({}))
    except ControlError:
        return False
    return True


ALL = [operation for operation in map(registry.get, registry.names()) if has_weights(operation)]
OPERATIONS = [operation for operation in ALL if operation.chains and operation.gives is None
              and not operation.changes_size(operation.check({}))]
"""One picture in, one of the same size and channels out. The others are tested where they live, in tests/ops."""
"""Those that turn one picture into one of the same size."""
BLENDED = [operation for operation in OPERATIONS if "mask" not in operation.ports]
"""Those whose mask is blended by the step. The others need it for what they work out."""
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

COMPANIONS: dict[tuple[str, str, float], dict[str, Any]] = {
    # The white point may be anything but the black point, whose upper end is the white point's default.
    ("levels", "black", 1): {"white": 2.0},
    # The upper limit may not lie below the lower.
    # The lower limit of a detector may not lie above the higher.
    ("flatten_texture", "low", 1e4): {"high": 1e4}, ("flatten_texture", "high", 0): {"low": 0.0},
    ("bandpass", "low", 1e5): {"high": 1e5}, ("bandpass", "high", 0): {"low": 0.0},
    ("clip", "low", 100): {"high": 100.0}, ("clip", "high", -100): {"low": -100.0},
}
"""Other controls that must move along where one stands at an end of its range."""

STRAIGHT_THROUGH = {
    "compress_jpeg": "rounding of coefficients, whose true slope of 0 would teach nothing",
    "posterize": "a staircase, whose true slope of 0 would teach nothing",
}
"""Operations that pass the gradient on as if they did nothing."""

UNMOVED = {
    "median": "a single pixel among others moves no middle value",
}
"""Window operations that do not answer to a single bright pixel."""

ROUNDS_WHEN_NEUTRAL = {
    "exposure": "decodes to linear light and encodes again, which rounds twice",
}
"""Operations whose neutral values give the input within 1e-6 and not bit for bit."""


def settings(operation: Operation) -> list[dict[str, Any]]:
    """Return the defaults, then each value of each choice and switch with the others left alone."""
    found: list[dict[str, Any]] = [{}]
    for control in operation.controls.values():
        values: tuple[Any, ...] = control.choices if control.kind == "choice" else (True, False)
        if control.kind in ("choice", "bool"):
            found += [{control.name: value} for value in values if value != control.default and _installed(value)
                      and not operation.changes_size(operation.check({control.name: value}))]
    return found


def _installed(choice: Any) -> bool:
    """Tell whether what a choice of backend needs is there."""
    package = {"onnx": "onnxruntime", "openvino": "openvino"}.get(choice)
    return package is None or importlib.util.find_spec(package) is not None


def every(operations: list[Operation] = OPERATIONS) -> Any:
    """Parametrise a test by operation."""
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


def every_setting(operations: list[Operation] = OPERATIONS, *, learns: bool = False) -> Any:
    """Parametrise a test by operation and by each of its `settings`; all but the defaults only in `make test-all`.

    With `learns` only those that torch computes, and has a gradient of.
    """
    cases = [pytest.param(operation, values, id="-".join([operation.name, *map(str, values.values())]),
                          marks=[pytest.mark.slow] if values else [])
             for operation in operations for values in settings(operation)
             if not learns or values.get("backend", "torch") == "torch"]
    return pytest.mark.parametrize(("operation", "values"), cases)


def every_control(kinds: tuple[str, ...] = (), tensor: bool = False, ranged: bool = False) -> Any:
    """Parametrise a test by operation and control."""
    cases = [pytest.param(operation, control, id=f"{operation.name}-{control.name}")
             for operation in OPERATIONS for control in operation.controls.values()
             if (not kinds or control.kind in kinds) and (control.tensor or not tensor)
             and (control.range is not None or not ranged)]
    return pytest.mark.parametrize(("operation", "control"), cases)


def every_choice_of_ports(operations: list[Operation] = OPERATIONS) -> Any:
    """Parametrise a test by operation, without and (where there are any) with its optional ports."""
    cases = [pytest.param(operation, optional, id=operation.name + ("-all-ports" if optional else ""))
             for operation in operations
             for optional in {False, any(port.optional for port in operation.ports.values())}]
    return pytest.mark.parametrize(("operation", "optional"), cases)


def picture(height: int = 13, width: int = 17, channels: int = 3, batch: int = 1, dtype: torch.dtype = torch.float32,
            seed: int = 0, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return a random picture (B, C, H, W) within low..high."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(batch, channels, height, width, generator=generator, dtype=torch.float64)
    return (low + (high - low) * values).to(dtype)


def others(operation: Operation, image: Tensor, seed: int = 100, batch: int | None = None,
           optional: bool = False) -> dict[str, Tensor]:
    """Return a picture for every port beyond the first: of the image's size where it lies over it, else of another.

    Ports that may be left out are left out unless `optional`.
    """
    found = {}
    for number, name in enumerate(operation.others):
        port = operation.ports[name]
        if port.optional and not optional:
            continue
        if port.kind == "table":
            found[name] = table(operation.channels or 3, image)
            continue
        if name.endswith("_domain"):
            found[name] = torch.tensor([-0.1, -0.2, -0.3, 1.1, 1.2, 1.3], dtype=image.dtype, device=image.device)
            continue
        if port.kind == "numbers":
            found[name] = torch.arange(1, 4, dtype=image.dtype, device=image.device)
            continue
        height, width = image.shape[-2:] if port.aligned else (11, 7)
        if name == "mask":   # a region away from the edge, with room for another beside it
            made = torch.zeros(batch or image.shape[0], 1, height, width, dtype=image.dtype)
            made[..., 1:1 + height // 3, 1:1 + width // 3] = 1
            found[name] = made.to(image.device)
            continue
        channels = 1 if name.endswith("_mask") else operation.channels or image.shape[1]
        made = picture(height, width, channels, batch or image.shape[0], image.dtype, seed + number, 0.2, 0.8)
        found[name] = made.to(image.device)
    return found


def table(channels: int, like: Tensor, side: int = 4) -> Tensor:
    """Return a random colour table, (channels, side, side, side)."""
    values = picture(side, side * side, channels, seed=77, dtype=like.dtype).reshape(channels, side, side, side)
    return values.to(like.device)


def portion(operation: Operation, given: dict[str, Tensor], cut: Any) -> dict[str, Tensor]:
    """Return the ports with the pictures among them cut; tables and series of numbers stay whole."""
    return {name: cut(other) if operation.ports[name].kind == "picture" else other for name, other in given.items()}


def call(operation: Operation, image: Any, given: dict[str, Any] | None = None, **controls: Any) -> Any:
    """Call the public function on a picture, the other ports generated unless given."""
    if given is None:
        given = others(operation, image) if isinstance(image, Tensor) else others(operation, picture())
    return getattr(photochrom, operation.name)(image, **given, **controls)


def pictures_of(operation: Operation) -> list[str]:
    """Return the ports beyond the first that must be given and take a colour picture."""
    return [name for name in operation.others
            if operation.ports[name].kind == "picture" and not operation.ports[name].optional and name != "mask"]


def inside(control: Control) -> Any:
    """Return a number within a control's range that is neither its default nor its neutral value."""
    assert control.range is not None
    low, high = control.range.soft or (control.range.low, control.range.high)
    share = 0.6180339887
    value = low * (high / low) ** share if control.range.scale == "log" and low > 0 else low + (high - low) * share
    return round(value) if control.kind == "int" else value


def channels_of(operation: Operation, wanted: int) -> int:
    """Return the wanted number of channels, or the one number the operation takes."""
    return operation.channels or wanted


def shape_after(operation: Operation, image: Tensor) -> tuple[int, ...]:
    """Return the shape of the result."""
    return (image.shape[0], operation.gives or image.shape[1], *image.shape[2:])


def little_memory(operation: Operation, values: dict[str, Any], width: int, channels: int) -> int:
    """Return a budget that allows only the lowest tiles (where the operation can be tiled at all)."""
    reach = operation.reaches(operation.check(values))
    copies = operation.copies if reach else PIXEL_COPIES
    return width * channels * 4 * copies * (LEAST_ROWS + 2 * (reach or 0)) if reach is not None else 2**30


def near(found: Tensor, expected: Tensor, tolerance: float = 1e-6) -> None:
    """Assert equal shape, dtype and values within `tolerance` of the larger of 1 and the value."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    apart = (found - expected).abs() / expected.abs().clamp(min=1)
    assert apart.max().item() <= tolerance


def rounding(operation: Operation, values: dict[str, Any]) -> float:
    """Return how far two ways to the same result may be apart.

    A Fourier transform rounds by a part of the largest value, as do the transforms of a network's convolutions; the way
    back from light multiplies by 12.92 in the dark. In bfloat16 such convolutions are one of many rounded results.
    """
    if values.get("precision") == "bf16":
        return 0.04
    transformed = "fourier" in values.values() or "backend" in operation.controls
    return 1e-6 * (5 if transformed else 1) * (13 if values.get("space") == "linear" else 1)


def array(height: int, width: int, bands: int | None, dtype: Any, seed: int = 3) -> np.ndarray:
    """Return a random array (H, W) or (H, W, bands), integers over their whole range, floats within 0..1."""
    shape = (height, width) if bands is None else (height, width, bands)
    values = np.random.default_rng(seed).random(shape)
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    return np.round(values * top).astype(dtype) if top > 1 else values.astype(dtype)


def one_sentence(error: pytest.ExceptionInfo, *words: str) -> None:
    """Assert that an error reads as one sentence on one line that names each of `words`."""
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 400
    assert ". " not in text
    assert not text.endswith(".")
    for word in words:
        assert word in text


def just_outside(control: Control) -> list[Any]:
    """Return the numbers next below and next above the hard range."""
    assert control.range is not None
    low, high = control.range.low, control.range.high
    if control.kind == "int":
        return [int(low) - 1, int(high) + 1]
    return [math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
