"""What is painted over the picture: masks and strokes, drawn at the preview's size, kept at the picture's."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from photochrom.core.errors import ControlError
from photochrom.io.library import vips

_HEAD = "data:image/png;base64,"
_SAME = 2
"""Levels by which a browser may round a colour on its way there and back."""


def decode(data: str, size: tuple[int, int]) -> np.ndarray:
    """Return a layer as the browser sent it, (h, w, 4) uint8.

    Args:
        data: a PNG as a data address.
        size: the width and height it must have.

    Raises:
        ControlError: it is no such picture.
    """
    try:
        if not isinstance(data, str) or not data.startswith(_HEAD):
            raise ValueError
        picture = Image.open(io.BytesIO(base64.b64decode(data[len(_HEAD):], validate=True)), formats=["PNG"])
        if picture.size != size:
            raise ControlError(f"the painted layer must have {size[0]} x {size[1]} pixels, got {picture.size[0]} x "
                               f"{picture.size[1]}")
        return np.asarray(picture.convert("RGBA"))
    except (ValueError, OSError, binascii.Error, UnidentifiedImageError, Image.DecompressionBombError):
        raise ControlError("the painted layer did not arrive whole; paint once more") from None


def as_png(samples: np.ndarray) -> bytes:
    """Return samples (H, W) or (H, W, 4), uint8, as PNG."""
    height, width = samples.shape[:2]
    bands = 1 if samples.ndim == 2 else samples.shape[2]
    image = vips().Image.new_from_memory(np.ascontiguousarray(samples).data, width, height, bands, "uchar")
    return bytes(image.copy(interpretation="b-w" if bands == 1 else "srgb").pngsave_buffer(compression=3, filter="up"))


def to_screen(path: Path, size: tuple[int, int], coloured: bool) -> np.ndarray:
    """Read a kept layer to paint on, (h, w, 4) uint8: strokes as they are, a mask as white and its values as alpha."""
    picture = Image.open(path)
    if coloured:
        return np.asarray(picture.convert("RGBA").resize(size, Image.Resampling.NEAREST))
    values = np.asarray(_grey(picture).resize(size, Image.Resampling.BOX))
    return np.dstack([np.full((*values.shape, 3), 255, np.uint8), values])


def _grey(picture: Image.Image) -> Image.Image:
    """The first channel in 8 bits, as the step reads a mask."""
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture, np.float32) / 257).round().astype(np.uint8))
    if picture.mode == "F":
        return Image.fromarray((np.asarray(picture).clip(0, 1) * 255).round().astype(np.uint8))
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return picture.getchannel(0) if picture.mode != "1" else picture.convert("L")


def grown(layer: np.ndarray, size: tuple[int, int], kept: Path | None, coloured: bool) -> np.ndarray:
    """Bring a painted layer to the size of the picture; what was not painted on keeps the pixels it had.

    Args:
        layer: (h, w, 4) as painted.
        size: width and height of the picture.
        kept: the file of the layer before, of the picture's size, if there was one.
        coloured: strokes of colour, else a mask.

    Returns:
        (H, W) for a mask, (H, W, 4) for strokes.
    """
    painted = Image.fromarray(layer if coloured else layer[..., 3])
    way = Image.Resampling.NEAREST if coloured else Image.Resampling.BILINEAR   # strokes keep their very colours
    found = np.asarray(painted.resize(size, way))
    if kept is None:
        return found
    with Image.open(kept) as opened:
        if opened.size != size:
            return found
        before = np.asarray(opened.convert("RGBA") if coloured else _grey(opened))
    shown = to_screen(kept, (layer.shape[1], layer.shape[0]), coloured)
    changed = (np.abs(layer.astype(np.int16) - shown) > _SAME).any(-1) if coloured else (
        np.abs(layer[..., 3].astype(np.int16) - shown[..., 3]) > _SAME)
    where = np.asarray(Image.fromarray(changed).resize(size, Image.Resampling.NEAREST))
    return np.where(where[..., None] if coloured else where, found, before)
