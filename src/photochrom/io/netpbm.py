"""Netpbm pictures (PBM, PGM, PPM; P1 to P6): read through OpenImageIO, written by hand, both by rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.core.errors import FileError
from photochrom.io.about import About
from photochrom.io.floats import utf8
from photochrom.io.formats import FORMATS, show
from photochrom.io.guard import check_size, why_not_written
from photochrom.io.profiles import Plain
from photochrom.io.source import Source

if TYPE_CHECKING:
    from photochrom.io.sink import Encoder


class NetpbmSource(Source):
    """An opened PBM, PGM or PPM picture.

    Its samples are taken for sRGB and brought to the whole range of 8 or 16 bits.
    """

    def __init__(self, path: Path, kind: str, limit: int) -> None:
        super().__init__(path)
        import OpenImageIO as oiio  # noqa: N813 - its own name for itself

        self._title = FORMATS[kind].title
        self._file: Any = oiio.ImageInput.open(utf8(path, self._title))
        if not self._file:
            oiio.geterror()
            raise FileError(f"{show(path)}: expected a {self._title} picture, its header is damaged or unsupported.")
        spec = self._file.spec()
        check_size(path, spec.width, spec.height, limit)
        self.height, self.width, self.bands = spec.height, spec.width, spec.nchannels
        self.dtype = np.dtype(str(spec.format))
        self.space = Plain(self.bands)
        self._about = About(depth=self.dtype.name, format=kind, channels=self.bands)  # type: ignore[arg-type]

    def _rows(self, y0: int, y1: int) -> np.ndarray:
        data = self._file.read_scanlines(0, 0, y0, y1, 0, 0, self.bands, self.dtype.name)
        if data is None or self._file.has_error:
            self._file.geterror()
            raise FileError(
                f"{show(self.path)}: the {self._title} data is cut short or damaged; "
                f"it could not be read whole (rows {y0} to {y1 - 1} of {self.height} failed)."
            )
        return np.asarray(data, self.dtype).reshape(y1 - y0, self.width, self.bands)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def save_netpbm(
    temporary: Path, path: Path, encoder: Encoder, height: int, width: int, strips: Iterator[np.ndarray]
) -> None:
    """Write strips as a binary PGM (P5) or PPM (P6), 16 bits with the high byte first.

    Args:
        temporary: The file to be written.
        path: The name for sentences.
        encoder: The encoder that made the strips.
        height: Rows of the picture.
        width: Columns of the picture.
        strips: Samples from top to bottom.

    Raises:
        FileError: The file cannot be written.
    """
    magic = b"P5" if encoder.bands == 1 else b"P6"
    top = np.iinfo(encoder.dtype).max
    try:
        with open(temporary, "wb") as file:
            file.write(b"%s\n%d %d\n%d\n" % (magic, width, height, top))
            for strip in strips:
                file.write(np.ascontiguousarray(strip, strip.dtype.newbyteorder(">")).data)
    except OSError as e:
        reason = why_not_written(temporary, e.strerror or str(e))
        raise FileError(f"{show(path)}: cannot be written ({reason}).") from None
