"""The door to libvips: set up once, quiet, and its pictures from arrays."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import numpy as np

_FORMATS = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
_INTERPRETATIONS = {"grey": "b-w", "grey16": "grey16", "rgb": "srgb", "rgb16": "rgb16", "cmyk": "cmyk", "lab": "lab"}


@cache
def vips() -> Any:
    """The pyvips module, with settings fit for a library that streams.

    The operation cache is switched off: it would keep decoded pictures in memory and answer for a file that has changed
    since. Its warnings are raised as errors where they matter and must not reach the terminal.
    """
    import pyvips

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").addHandler(logging.NullHandler())
    return pyvips


def vips_of(array: np.ndarray, interpretation: str) -> Any:
    """A libvips picture over an array (h, W, bands) without copying it."""
    h, w, bands = array.shape
    image = vips().Image.new_from_memory(array.data, w, h, bands, _FORMATS[array.dtype.name])
    return image.copy(interpretation=_INTERPRETATIONS[interpretation])
