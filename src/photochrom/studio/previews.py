"""Live previews: the recipe on a scaled copy, with everything that is counted in pixels scaled alike."""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from photochrom.core.controls import Control
from photochrom.core.errors import MemoryBudgetError
from photochrom.core.op import Operation
from photochrom.core.step import Step
from photochrom.engine.pictures import run
from photochrom.engine.recipes import read_picture
from photochrom.io.library import vips
from photochrom.io.photo import Photo, strip_rows
from photochrom.io.source import open_source
from photochrom.num.samples import pack
from photochrom.ops.geometry.resize import resize

if TYPE_CHECKING:
    from photochrom.studio.history import Entry

PREVIEW_PIXELS = 1_000_000
COARSE_PIXELS = 160_000
KEPT = 8
"""Results of the first steps that are kept, so that working on a step runs that step alone."""


@dataclasses.dataclass(frozen=True)
class Copy:
    """A picture in memory, at most `PREVIEW_PIXELS` large."""

    photo: Photo
    scale: float
    """Its pixels in one of the original's, along a side."""


def scaled_copy(path: Path, limit: int, pixels: int = PREVIEW_PIXELS) -> Copy:
    """Read a picture at a size for the screen, row by row, so that a large one needs little memory.

    Args:
        path: the file.
        limit: pixels beyond which it is refused.
        pixels: the most in the copy.
    """
    with open_source(path, limit=limit) as source:
        height, width = source.height, source.width
        scale = min(1.0, math.sqrt(pixels / (width * height)))
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        factor = max(1, min(height // tall, width // wide))
        rows = factor * max(1, strip_rows(width) // factor)
        parts, covers = [], []
        for top in range(0, height, rows):
            image, alpha = source.decode(source.rows(top, min(height, top + rows)))
            if factor > 1:
                image, alpha = _pooled(image, alpha, factor)
            parts.append(image)
            covers += [] if alpha is None else [alpha]
        about = source.about
    photo = Photo(torch.cat(parts, 2), torch.cat(covers, 2) if covers else None, about)
    if photo.image.shape[-2:] != (tall, wide):
        photo = run(Step(resize, size=(tall, wide), resample="bilinear"), photo)
    return Copy(photo, scale)


def coarser(copy: Copy, pixels: int = COARSE_PIXELS) -> Copy:
    """Return a smaller copy of a copy."""
    height, width = copy.photo.image.shape[-2:]
    scale = min(1.0, math.sqrt(pixels / (height * width)))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return Copy(run(Step(resize, size=size, resample="area"), copy.photo), copy.scale * scale)


def _pooled(image: Tensor, alpha: Tensor | None, factor: int) -> tuple[Tensor, Tensor | None]:
    """Average squares of pixels, transparent ones not counting."""
    def mean(part: Tensor) -> Tensor:
        return functional.avg_pool2d(part, factor, ceil_mode=True, count_include_pad=False)

    if alpha is None:
        return mean(image), None
    cover = mean(alpha)
    return torch.where(cover > 0, mean(image * alpha) / cover.clamp(min=1e-6), mean(image)), cover


def in_pixels(operation: Operation, control: Control) -> bool:
    """Tell from the declaration whether a control is counted in pixels of the picture."""
    if control.kind in ("point", "points", "box"):
        return "unit" not in operation.controls   # such an operation counts in a unit of its own
    if control.kind == "size":
        return bool(operation.resizes)   # otherwise it counts something else, such as tiles
    return control.range is not None and control.range.unit == "px"


def scaled_values(operation: Operation, values: Mapping[str, Any], scale: float) -> dict[str, Any]:
    """Return the controls for a copy of another size.

    Args:
        operation: the operation.
        values: its controls for the original.
        scale: the copy's pixels in one of the original's, along a side.

    Example:
        >>> from photochrom.core.registry import registry
        >>> scaled_values(registry.get("gaussian"), {"sigma": 8.0, "border": "reflect"}, 0.25)["sigma"]
        2.0
    """
    found = {}
    for name, value in values.items():
        control = operation.controls[name]
        if value is not None and control.kind == "matrix":
            value = _scaled_matrix(value, scale)
        elif value is not None and in_pixels(operation, control):
            value = _scaled(control, value, scale)
        found[name] = value
    if "unit" in operation.controls and found.get("unit") == "pixel":   # cycles per pixel: fewer pixels, more cycles
        for name in ("cutoff", "low", "high", "width", "at"):
            if name in found:
                found[name] = _scaled(operation.controls[name], found[name], 1 / scale)
    return found


def _scaled(control: Control, value: Any, scale: float) -> Any:
    if control.kind == "size":
        return tuple(max(1, round(part * scale)) for part in value)
    if isinstance(value, tuple):
        return tuple(_scaled(control, part, scale) for part in value)
    wanted = value * scale
    if control.range is not None:
        wanted = min(control.range.high, max(control.range.low, wanted)) if value else value
    return round(wanted) if control.kind == "int" else wanted


def _scaled_matrix(rows: tuple[tuple[float, ...], ...], scale: float) -> tuple[tuple[float, ...], ...]:
    """S M S^-1 with S = diag(scale, scale, 1): the same movement seen in smaller pixels.

    Rows that are longer are no movement but places with their values, such as dots of colour.
    """
    if len(rows[0]) > 3:
        return tuple((row[0] * scale, row[1] * scale, *row[2:]) for row in rows)
    found = [[*row[:-1], row[-1] * scale] for row in rows]
    if len(found) == 3:
        found[2] = [part / scale for part in rows[2][:-1]] + [rows[2][-1]]
    return tuple(tuple(row) for row in found)


Kept = OrderedDict[tuple[Any, ...], Any]
"""Pictures of ports as they were scaled, so that moving a control does not read a large mask again."""


def scaled_step(entry: Entry, scale: float, folder: Path, size: tuple[int, int], kept: Kept | None = None) -> Step:
    """Return the step of an entry for a scaled picture.

    Args:
        entry: the step as it is for the original.
        scale: the picture's pixels in one of the original's, along a side.
        folder: where its pictures lie.
        size: height and width of the picture it will be run on; masks and what else lies over it are brought to that.
        kept: pictures made before, and those made now.
    """
    step, operation = entry.step(), entry.operation
    for name, value in scaled_values(operation, step.values(), scale).items():
        step.set(name, value)
    for name in step.files:
        step.bind(name, scaled_port(entry, name, scale, folder, size, OrderedDict() if kept is None else kept))
    return step


def scaled_port(entry: Entry, name: str, scale: float, folder: Path, size: tuple[int, int], kept: Kept) -> Any:
    """Return what an entry's port is bound to, as `scaled_step` needs it."""
    operation, file = entry.operation, entry.files[name]
    key = (operation.name, name, file, scale, size)
    if key not in kept:
        picture: Any = read_picture(folder / file)
        port = operation.ports.get(name)
        if isinstance(picture, Photo) and (port is None or port.kind == "picture"):
            aligned = name == "mask" if port is None else port.aligned
            picture = _scaled_picture(operation, picture, scale, size if aligned else None)
            if name == "flow":   # its values are pixels
                picture = dataclasses.replace(picture, image=picture.image * scale)
        kept[key] = picture
        while len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _scaled_picture(operation: Operation, photo: Photo, scale: float, size: tuple[int, int] | None) -> Photo:
    height, width = photo.image.shape[-2:]
    if size is None:
        counted = any(in_pixels(operation, control) for control in operation.controls.values())
        most = 1.0 if counted else min(1.0, math.sqrt(PREVIEW_PIXELS / (height * width)) / scale)
        size = max(1, round(height * scale * most)), max(1, round(width * scale * most))
    return photo if size == (height, width) else run(Step(resize, size=size, resample="bilinear"), photo)


class Chain:
    """Runs steps on a copy and keeps what the first of them gave."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Photo] = OrderedDict()
        self.pictures: Kept = OrderedDict()

    def run(self, copy: Copy, entries: tuple[Entry, ...], folder: Path) -> Photo:
        """Return the copy after the entries that are on.

        Raises:
            PhotochromError: a step does not suit the picture, or lacks one.
        """
        steps = [entry for entry in entries if entry.on]
        keys = [(), *(tuple(entry.key for entry in steps[:count]) for count in range(1, len(steps) + 1))]
        begin = max(count for count in range(len(keys)) if keys[count] in self._kept or count == 0)
        photo = self._kept.get(keys[begin], copy.photo) if begin else copy.photo
        for count in range(begin, len(steps)):
            photo = self._one(steps[count], copy, photo, folder)
            self._kept[keys[count + 1]] = photo
            self._kept.move_to_end(keys[count + 1])
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return photo

    def _one(self, entry: Entry, copy: Copy, photo: Photo, folder: Path) -> Photo:
        height, width = photo.image.shape[-2:]
        step = scaled_step(entry, copy.scale, folder, (height, width), self.pictures)
        with torch.no_grad():
            try:
                return run(step, photo)
            except MemoryBudgetError as error:
                raise MemoryBudgetError(str(error).replace("; raise --memory", "")) from None


def samples(photo: Photo) -> np.ndarray:
    """Return what a screen shows: (H, W, 1 to 4), uint8, sRGB."""
    whole = photo.image if photo.alpha is None else torch.cat([photo.image, photo.alpha], 1)
    planes = whole[0].detach().to("cpu", torch.float32).contiguous().numpy()
    stored = np.empty((*planes.shape[1:], planes.shape[0]), np.uint8)
    pack(planes, stored)
    return stored


def encode(stored: np.ndarray) -> bytes:
    """Return samples (H, W, 1 to 4) as PNG: little compressed, for the way to a browser is short."""
    height, width, bands = stored.shape
    kind = "b-w" if bands < 3 else "srgb"
    image = vips().Image.new_from_memory(np.ascontiguousarray(stored).data, width, height, bands, "uchar")
    return bytes(image.copy(interpretation=kind).pngsave_buffer(compression=1, filter="up"))


def shares(stored: np.ndarray, bins: int = 128) -> dict[str, list[float]]:
    """Return the histogram of samples by band, in parts of the highest bin of all."""
    colours = stored[..., :3] if stored.shape[-1] >= 3 else stored[..., :1]
    names = ("red", "green", "blue") if colours.shape[-1] == 3 else ("grey",)
    counts = [np.bincount(colours[..., k].ravel() >> 1, minlength=bins) for k in range(colours.shape[-1])]
    inner = np.concatenate([count[1:-1] for count in counts])   # clipped black and white must not flatten the rest
    top = max(1, int(inner.max()))
    return {name: [round(min(1.0, count / top), 3) for count in counts[k].tolist()] for k, name in enumerate(names)}
