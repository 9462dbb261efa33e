"""The only place that knows files, uint8 and HWC.

Importing this imports neither torch nor the picture libraries; the names below load what they need when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photochrom.io.about import About, Depth
    from photochrom.io.formats import READABLE, WRITABLE
    from photochrom.io.guard import MAX_PIXELS
    from photochrom.io.luts import Lut, read_lut, write_lut
    from photochrom.io.photo import Photo, describe, read, write
    from photochrom.io.sink import Encoder, encoder_for, save_strips
    from photochrom.io.source import Source, open_source

_HOMES = {
    "About": "about",
    "Depth": "about",
    "READABLE": "formats",
    "WRITABLE": "formats",
    "MAX_PIXELS": "guard",
    "Lut": "luts",
    "read_lut": "luts",
    "write_lut": "luts",
    "Photo": "photo",
    "describe": "photo",
    "read": "photo",
    "write": "photo",
    "Encoder": "sink",
    "encoder_for": "sink",
    "save_strips": "sink",
    "Source": "source",
    "open_source": "source",
}

__all__ = [
    "MAX_PIXELS",
    "READABLE",
    "WRITABLE",
    "About",
    "Depth",
    "Encoder",
    "Lut",
    "Photo",
    "Source",
    "describe",
    "encoder_for",
    "open_source",
    "read",
    "read_lut",
    "save_strips",
    "write",
    "write_lut",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
