"""The door: tensors, NumPy arrays and PIL pictures come in, the same kind, depth and range goes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photochrom.core.alpha import with_alpha
from photochrom.core.errors import ControlError
from photochrom.core.memory import empty
from photochrom.core.op import Operation

_LEVELS = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
_FLOATS = tuple(np.dtype(kind) for kind in (np.float16, np.float32, np.float64))
_PIL_MODES = {"1": "L", "P": "RGBA", "PA": "RGBA", "I;16": "I;16", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA",
              "F": "F", "I;16B": "I;16B", "I;16L": "I;16L"}
_PIL_DEEP = {"I;16": "16 bits", "I;16B": "16 bits", "I;16L": "16 bits", "F": "floats"}
"""Modes of one channel that have no twin of three."""


@dataclass(frozen=True)
class Opened:
    """A picture that came through the door: colour, alpha, and the way back."""

    image: Tensor
    alpha: Tensor | None
    back: Callable[[Tensor, Tensor | None], Any]


def enter(picture: Any, who: str, argument: str = "image") -> Opened:
    """Turn any accepted picture into a (B, C, H, W) floating tensor.

    Args:
        picture: a floating tensor (B, C, H, W); an array (H, W) or (H, W, C) with 1 to 4 channels, RGB, uint8, uint16
            or floating; a PIL picture. Arrays and PIL pictures with 2 or 4 channels carry alpha last.
        who: the operation, for messages.
        argument: the argument, for messages.

    Returns:
        The tensor, its alpha and the function that turns a result into the kind that came in.

    Raises:
        ControlError: anything else; the sentence names the call that would mend it.
    """
    if isinstance(picture, Tensor):
        if not picture.is_floating_point():
            levels = 65535 if picture.dtype in (torch.uint16, torch.int16, torch.int32) else 255
            raise ControlError(f"{who}: {argument} must be a floating tensor with display range 0..1, got "
                               f"{picture.dtype}; use {argument}.float() / {levels}")
        if picture.ndim != 4 or picture.numel() == 0:
            raise ControlError(f"{who}: {argument} must have the shape (B, C, H, W) and not be empty, "
                               f"got {tuple(picture.shape)}")
        return Opened(picture, None, lambda image, alpha: image)
    if isinstance(picture, np.ndarray):
        return _enter_array(picture, who, argument)
    if type(picture).__module__.startswith("PIL."):
        return _enter_pil(picture, who, argument)
    if dataclasses.is_dataclass(picture) and hasattr(picture, "image") and hasattr(picture, "alpha"):
        return _enter_photo(picture)
    raise ControlError(f"{who}: {argument} must be a tensor, a NumPy array, a PIL picture or a Photo, "
                       f"got {type(picture).__name__}")


def _enter_array(array: np.ndarray, who: str, argument: str) -> Opened:
    dtype = array.dtype
    if dtype not in _LEVELS and dtype not in _FLOATS:
        raise ControlError(f"{who}: {argument} must hold uint8, uint16, float16, float32 or float64 values in native "
                           f"byte order, got {dtype}")
    bands = 1 if array.ndim == 2 else array.shape[-1] if array.ndim == 3 else 0
    if not 1 <= bands <= 4 or array.size == 0:
        raise ControlError(f"{who}: {argument} must have the shape (H, W) or (H, W, C) with 1 to 4 channels, "
                           f"got {array.shape}")
    flat = array.ndim == 2
    if not array.flags.writeable:   # a tensor cannot promise to leave memory alone
        array = array.copy()
    stack = torch.from_numpy(np.ascontiguousarray(array).reshape(*array.shape[:2], bands)).movedim(-1, 0)[None]
    if dtype in _LEVELS:
        stack = empty(stack.shape).copy_(stack).div_(_LEVELS[dtype])   # `torch.div` would make floats of its own first
    elif not stack.is_contiguous():
        stack = empty(stack.shape, stack.dtype).copy_(stack)
    has_alpha = bands in (2, 4)

    def back(image: Tensor, alpha: Tensor | None) -> np.ndarray:
        whole = image if alpha is None else torch.cat([image, alpha], 1)
        result = whole[0].detach().movedim(0, -1).cpu()
        values = result[..., 0] if flat and result.shape[-1] == 1 else result
        return to_depth(values, dtype)

    return Opened(stack[:, :bands - 1] if has_alpha else stack, stack[:, bands - 1:] if has_alpha else None, back)


def to_depth(values: Tensor, dtype: np.dtype) -> np.ndarray:
    """Return `values` (display range 0..1) as an array; integers are rounded half to even and clipped, NaN is 0."""
    if dtype in _LEVELS:
        top = _LEVELS[dtype]
        scaled = values.to(torch.float32).nan_to_num(0.0, 1.0, 0.0) * top
        return np.asarray(scaled.round_().clamp_(0, top).numpy().astype(dtype))
    # What comes out never shares memory with an array that came in, which torch may not resize, nor keeps much more.
    kept = values.untyped_storage()
    own = kept.resizable() and kept.nbytes() == values.numel() * values.element_size()
    return values.numpy().astype(dtype, copy=not own)   # once numpy has it, torch may not resize it either


def _enter_pil(picture: Any, who: str, argument: str) -> Opened:
    from PIL import Image

    mode = _PIL_MODES.get(picture.mode)
    if mode is None:
        way = "numpy.asarray(picture).astype('uint16')" if picture.mode == "I" else "picture.convert('RGB')"
        raise ControlError(f"{who}: {argument} is a PIL picture of mode {picture.mode}; use {way}")
    if picture.mode == "P" and "transparency" not in picture.info:
        mode = "RGB"
    plain = picture if picture.mode == mode else picture.convert(mode)
    values = np.asarray(plain)
    opened = _enter_array(values.astype(values.dtype.newbyteorder("=")), who, argument)

    def back(image: Tensor, alpha: Tensor | None) -> Any:
        bands = image.shape[1] + (alpha is not None)
        if mode in _PIL_DEEP and bands > 1:
            raise ControlError(f"{who}: the result has {bands} channels of {_PIL_DEEP[mode]}, which no PIL picture "
                               "can hold; give numpy.asarray(picture) to get an array")
        return Image.fromarray(_flat(opened.back(image, alpha)))

    return Opened(opened.image, opened.alpha, back)


def enter_port(operation: Operation, name: str, picture: Any) -> dict[str, Tensor]:
    """Turn what is given for a port after the first into what the operation's function takes, by port name.

    A picture with alpha also fills the port NAME_mask, if there is one: what is transparent does not count.
    """
    kind = operation.ports[name].kind if name in operation.ports else "picture"
    if kind == "numbers":
        try:
            series = torch.as_tensor(picture, dtype=None if isinstance(picture, Tensor) else torch.float64)
        except (TypeError, ValueError):
            series = torch.empty(0, 0)
        if series.ndim != 1:
            raise ControlError(f"{operation.name}: {name} must be a series of numbers")
        return {name: series}
    if kind == "table":
        return _enter_table(operation.name, name, picture)
    opened = enter(picture, operation.name, name)
    if name.endswith("mask"):
        return {name: opened.image[:, :1]}
    entered = {name: opened.image}
    if opened.alpha is not None and f"{name}_mask" in operation.ports:
        entered[f"{name}_mask"] = opened.alpha
    return entered


def _enter_table(who: str, name: str, table: Any) -> dict[str, Tensor]:
    """A colour table: a tensor, an array, or what `photochrom.io.read_lut` gives, known by its shape like a `Photo`."""
    known = getattr(table, "values", None) if hasattr(table, "domain") else table
    if not isinstance(known, (Tensor, np.ndarray)):
        raise ControlError(f"{who}: {name} must be a colour table, such as a .cube file, got {type(table).__name__}")
    values = torch.as_tensor(known)
    cube = values.ndim == 4 and len(set(values.shape[1:])) == 1
    if not values.is_floating_point() or not (cube or values.ndim == 2) or len(values) != 3 or values.shape[1] < 2:
        raise ControlError(f"{who}: {name} must be a floating table (3, S, S, S) or (3, S) with S at least 2, "
                           f"got {values.dtype} {tuple(values.shape)}")
    # Colour last in memory, so that the three numbers of an entry lie side by side and are fetched together. A table
    # that is learnt stays the very tensor it is.
    entered = {name: values if values.requires_grad else values.movedim(0, -1).contiguous().movedim(-1, 0)}
    domain = getattr(table, "domain", None)
    return entered if domain is None else entered | {f"{name}_domain": domain.flatten()}


def _flat(array: np.ndarray) -> np.ndarray:
    """PIL knows a grey picture by its two axes."""
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array


def _enter_photo(photo: Any) -> Opened:
    """A `Photo` of `photochrom.read`, known by its shape since this layer does not know files."""
    def back(image: Tensor, alpha: Tensor | None) -> Any:
        about = dataclasses.replace(photo.about, channels=image.shape[1], alpha=alpha is not None)
        return dataclasses.replace(photo, image=image, alpha=alpha, about=about)

    return Opened(photo.image, photo.alpha, back)


def through_the_door(operation: Operation, ports: Mapping[str, Any], controls: Mapping[str, Any]) -> Any:
    """Run an operation on pictures of any accepted kind and return the kind of the first."""
    main = ports[operation.main]
    found = operation.direct(main, {name: given for name, given in ports.items() if name != operation.main}, controls)
    if found is not None:
        return found
    if operation.ports[operation.main].kind == "pictures":
        if not isinstance(main, (list, tuple)) or not main:
            raise ControlError(f"{operation.name}: {operation.main} must be a list of pictures")
        entered = [enter(picture, operation.name, operation.main) for picture in main]
        for picture in entered:
            if picture.image.shape != entered[0].image.shape:
                raise ControlError(f"{operation.name}: the pictures must have one size and number of channels, got "
                                   f"{tuple(picture.image.shape)} beside {tuple(entered[0].image.shape)}")
        first, several = entered[0], [picture.image for picture in entered]
    else:
        first, several = enter(main, operation.name, operation.main), []
    subject = fit_channels(operation, operation.main, first.image)
    others: dict[str, Any] = {}
    for name, picture in ports.items():
        if name != operation.main and picture is not None:
            others = enter_port(operation, name, picture) | others
    others = {name: fit_channels(operation, name, other.to(first.image)) for name, other in others.items()}
    operation.check_weights(subject, others)
    if operation.result == "data" or several:
        result = operation.function(several or subject, **others, **controls)
        return result if operation.result == "data" else first.back(result, None)
    if operation.measured is not None:   # what is transparent does not count
        known = operation.statistics(subject, first.alpha, others, controls)
        return first.back(operation.measured.apply(subject, known, **controls), first.alpha)
    image, alpha = with_alpha(
        operation, subject, first.alpha, controls,
        lambda picture, **changed: operation.function(picture, **others, **{**controls, **changed}))
    if isinstance(main, np.ndarray) and any(
            image.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() for other in others.values()):
        image = image.clone()   # another picture, given as a tensor, came through as it was
    return first.back(image, alpha)


def fit_channels(operation: Operation, name: str, picture: Tensor) -> Tensor:
    """Return the picture of a port with the channels the operation needs: grey is three equal channels, else raise."""
    kind = operation.ports[name].kind if name in operation.ports else "picture"
    if operation.channels is None or kind in ("numbers", "table") or name.endswith("mask"):
        return picture
    if picture.shape[1] == operation.channels:
        return picture
    if operation.channels == 3 and picture.shape[1] == 1:
        return picture.expand(-1, 3, -1, -1)
    raise ControlError(f"{operation.name}: {name} must have {operation.channels} channels, got {picture.shape[1]}")
