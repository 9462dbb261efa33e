"""A photograph in memory: read from a file, written to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from photochrom.io.about import About, Depth

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from photochrom.io.sink import Encoder

# Rows worked on at a time: about a million pixels keep the intermediate results small.
_STRIP_PIXELS = 1 << 20


@dataclass(frozen=True)
class Photo:
    """A picture in the working space and what must survive besides.

    Attributes:
        image: (1, C, H, W) float32, C 1 or 3: sRGB primaries, sRGB-encoded, values may leave [0, 1].
        alpha: Opacity (1, 1, H, W), None without one.
        about: Everything besides the pixels.
    """

    image: Tensor
    alpha: Tensor | None
    about: About


def read(path: str | os.PathLike[str]) -> Photo:
    """Read a picture into the working space, upright.

    Args:
        path: The file.

    Returns:
        The photo.

    Raises:
        FileError: The file cannot be read as a picture.
    """
    import torch

    from photochrom.io.source import open_source

    with open_source(path) as source:
        about, h, w = source.about, source.height, source.width
        image = torch.empty((1, about.channels, h, w))
        alpha = torch.empty((1, 1, h, w)) if about.alpha else None
        step = strip_rows(w)
        for y in range(0, h, step):
            end = min(h, y + step)
            part, opacity = source.decode(source.rows(y, end))
            image[:, :, y:end] = part
            if alpha is not None and opacity is not None:
                alpha[:, :, y:end] = opacity
        return Photo(image, alpha, source.about)


def write(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    profile: Literal["keep", "srgb"] = "keep",
    quality: int | None = None,
    depth: Depth | None = None,
    overwrite: bool = False,
    protect: Iterable[str | os.PathLike[str]] = (),
) -> tuple[str, ...]:
    """Write a picture, atomically.

    Args:
        photo: The photo.
        path: The output; its ending names the format.
        profile: "keep" stores the colours of the embedded profile, "srgb" converts to sRGB.
        quality: 1 to 100 for JPEG, WebP and AVIF.
        depth: Depth of the stored samples, None for the picture's own.
        overwrite: Whether an existing file may be replaced.
        protect: Files that must not be replaced (the inputs).

    Returns:
        Sentences on what the output cannot hold.

    Raises:
        FileError: The file cannot be written.
    """
    from photochrom.io.sink import encoder_for, save_strips

    channels, h, w = (int(n) for n in photo.image.shape[1:])
    encoder = encoder_for(
        photo.about, path, profile=profile, depth=depth, channels=channels, alpha=photo.alpha is not None
    )
    strips = _encoded(photo, encoder, h, strip_rows(w))
    save_strips(path, encoder, h, w, strips, quality=quality, overwrite=overwrite, protect=protect)
    return encoder.notes


def strip_rows(width: int) -> int:
    """Rows of a strip of about a million pixels."""
    return max(1, min(256, _STRIP_PIXELS // max(1, width)))


def _encoded(photo: Photo, encoder: Encoder, height: int, step: int) -> Iterator[np.ndarray]:
    for y in range(0, height, step):
        alpha = None if photo.alpha is None else photo.alpha[:, :, y : y + step]
        yield encoder.encode(photo.image[:, :, y : y + step], alpha)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Facts about a picture file, from its header.

    Args:
        path: The file.

    Returns:
        Facts that JSON can hold.

    Raises:
        FileError: The file cannot be read as a picture.
    """
    from photochrom.io import icc
    from photochrom.io.formats import show
    from photochrom.io.source import open_source

    with open_source(path) as source:
        about = source.about
        name = None
        if about.profile is not None:
            name = icc.parse(about.profile).name or "unnamed"
        return {
            "file": show(path),
            "format": about.format,
            "width": source.width,
            "height": source.height,
            "channels": 4 if about.cmyk else about.channels,
            "alpha": about.alpha,
            "depth": about.depth,
            "colours": "CMYK" if about.cmyk else ("grey" if about.channels == 1 else "RGB"),
            "encoding": "linear" if about.linear else "encoded",
            "profile": name,
            "density": list(about.density) if about.density else None,
            "exif_bytes": len(about.exif or b""),
            "xmp_bytes": len(about.xmp or b""),
            "iptc_bytes": len(about.iptc or b""),
            "notes": list(about.notes),
        }
