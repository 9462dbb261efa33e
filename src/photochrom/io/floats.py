"""OpenEXR and Radiance HDR through OpenImageIO: linear light, by rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.core.errors import FileError
from photochrom.io.about import About
from photochrom.io.formats import FORMATS, show
from photochrom.io.guard import check_size, why_not_written
from photochrom.io.profiles import Linear
from photochrom.io.source import Source

if TYPE_CHECKING:
    from torch import Tensor

    from photochrom.io.sink import Encoder


class FloatSource(Source):
    """An opened EXR or HDR picture."""

    def __init__(self, path: Path, kind: str, limit: int) -> None:
        super().__init__(path)
        import OpenImageIO as oiio  # noqa: N813 - its own name for itself

        self._title = FORMATS[kind].title
        name = utf8(path, self._title)
        self._file: Any = oiio.ImageInput.open(name)
        if not self._file:
            _message(oiio)
            raise FileError(f"{show(path)}: expected a {self._title} picture, its header is damaged or unsupported.")
        spec = self._file.spec()
        notes: list[str] = []
        if spec.deep:
            raise FileError(f"{show(path)}: expected a flat picture, got a deep OpenEXR picture.")
        check_size(path, spec.width, spec.height, limit)
        names = list(spec.channelnames)
        self._pick, alpha = _channels(names)
        left = len(names) - len(self._pick)
        if left:
            notes.append(f"{left} other channel{'s' if left > 1 else ''} left out")
        if (spec.width, spec.height) != (spec.full_width, spec.full_height):
            notes.append("only the part of the display window that holds data was read")
        if self._file.seek_subimage(1, 0):
            notes.append("first part read")
        self._file.seek_subimage(0, 0)
        self.height, self.width, self.bands = spec.height, spec.width, len(self._pick)
        self._y, self._x, self._tile = spec.y, spec.x, (spec.tile_width, spec.tile_height)
        self._block: tuple[int, np.ndarray] | None = None
        self.dtype = np.dtype(np.float32)
        colours = self.bands - int(alpha)
        self.space = Linear(colours, _primaries(spec) if colours == 3 else None)
        density = spec.getattribute("XResolution"), spec.getattribute("YResolution")
        self._about = About(
            depth="float16" if str(spec.format) == "half" else "float32",
            format=kind,
            channels=colours,
            alpha=alpha,
            density=(float(density[0]), float(density[1])) if density[0] and density[1] else None,
            notes=tuple(notes),
            linear=True,
        )

    def _rows(self, y0: int, y1: int) -> np.ndarray:
        if not self._tile[1]:
            data = self._file.read_scanlines(0, 0, self._y + y0, self._y + y1, 0, 0, self._all, "float")
            return self._picked(data, y0, y1)
        parts = []
        y = y0
        while y < y1:
            first, block = self._tiles(y, y0, y1)
            part = block[y - first : y1 - first]
            parts.append(part)
            y += len(part)
        return np.concatenate(parts)

    @property
    def _all(self) -> int:
        return max(self._pick) + 1

    def _tiles(self, y: int, y0: int, y1: int) -> tuple[int, np.ndarray]:
        tall = self._tile[1]
        first = y // tall * tall
        if self._block is None or self._block[0] != first:
            last = min(first + tall, self.height)
            data = self._file.read_tiles(
                0, 0, self._x, self._x + self.width, self._y + first, self._y + last, 0, 1, 0, self._all, "float"
            )
            self._block = (first, self._picked(data, y0, y1).reshape(last - first, self.width, self.bands))
        return self._block

    def _picked(self, data: Any, y0: int, y1: int) -> np.ndarray:
        if data is None or self._file.has_error:
            _message(self._file)
            raise FileError(
                f"{show(self.path)}: the {self._title} data is cut short or damaged; "
                f"it could not be read whole (rows {y0} to {y1 - 1} of {self.height} failed)."
            )
        array = np.asarray(data, np.float32).reshape(-1, self.width, self._all)
        return array if self._pick == list(range(self._all)) else np.ascontiguousarray(array[..., self._pick])

    def _colour(self, x: Tensor, alpha: Tensor | None) -> Tensor:
        import torch

        if alpha is not None:
            # Associated alpha; where nothing is opaque the light is kept as it is (a glow has no opacity).
            a = alpha[0]
            x = torch.where(a > 0, x / torch.where(a > 0, a, 1.0), x)
        return self.space.to_working(x)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def save_floats(
    temporary: Path, path: Path, encoder: Encoder, height: int, width: int, strips: Iterator[np.ndarray]
) -> None:
    """Write strips of linear samples as EXR or HDR.

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
    import OpenImageIO as oiio  # noqa: N813 - its own name for itself

    about = encoder.about
    spec = oiio.ImageSpec(width, height, encoder.bands, "half" if about.depth == "float16" else "float")
    spec.channelnames = (["Y"] if encoder.space.stored == 1 else ["R", "G", "B"]) + (["A"] if about.alpha else [])
    if about.alpha:
        spec.alpha_channel = encoder.bands - 1
    spec.attribute("oiio:ColorSpace", "lin_rec709")
    if about.format == "exr":
        spec.attribute("compression", "zip:1")  # level 1: a quarter faster, hardly larger
        spec.attribute("DateTime", "")  # else the time of writing, and the same run gives other bytes
        if about.density:
            spec.attribute("XResolution", about.density[0])
            spec.attribute("YResolution", about.density[1])
            spec.attribute("ResolutionUnit", "in")
    name = utf8(temporary, encoder.format.title)
    out: Any = oiio.ImageOutput.create(name)
    if not out or not out.open(name, spec):
        raise _refused(temporary, path, out)
    try:
        y = 0
        for strip in strips:
            # Whole strips of the file's compression blocks are wanted; rows are buffered by the library otherwise.
            if not out.write_scanlines(y, y + len(strip), 0, strip):
                raise _refused(temporary, path, out)
            y += len(strip)
        if not out.close():
            raise _refused(temporary, path, out)
    finally:
        out.close()
        if out.has_error:
            _message(out)


def _refused(temporary: Path, path: Path, out: Any) -> FileError:
    text = _message(out) if out else "the library refused it"
    return FileError(f"{show(path)}: cannot be written ({why_not_written(temporary, text)}).")


def _message(place: Any) -> str:
    """Take the pending message from the library; it may quote bytes of a damaged file that are no text."""
    try:
        return str(place.geterror())
    except UnicodeDecodeError:
        return "damaged data"


def _channels(names: list[str]) -> tuple[list[int], bool]:
    """Indices of the colours, then alpha, and whether there is alpha."""
    at = {n: i for i, n in enumerate(names)}
    if all(c in at for c in "RGB"):
        pick = [at[c] for c in "RGB"]
    elif "Y" in at:
        pick = [at["Y"]]
    else:
        pick = [0]
    alpha = at.get("A")
    return (pick, False) if alpha is None or alpha in pick else ([*pick, alpha], True)


def _primaries(spec: Any) -> np.ndarray | None:
    """Linear RGB of the stated chromaticities to linear sRGB, None when they are sRGB's or not stated."""
    value = spec.getattribute("chromaticities")
    if value is None or len(value) != 8:
        return None
    xy = np.array(value, np.float64).reshape(4, 2)
    if np.abs(xy - _REC709).max() < 1e-3 or (xy[:, 1] <= 0).any():
        return None
    own, ours = _to_xyz(xy), _to_xyz(_REC709)
    # Both whites are adapted (Bradford) so that equal values stay grey.
    white, goal = own.sum(1), ours.sum(1)
    cone = _BRADFORD @ white, _BRADFORD @ goal
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(cone[1] / cone[0]) @ _BRADFORD
    result: np.ndarray = np.linalg.solve(ours, adapt @ own)
    return result


def _to_xyz(xy: np.ndarray) -> np.ndarray:
    columns = np.stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(1)) / xy[:, 1]])
    scale = np.linalg.solve(columns[:, :3], columns[:, 3])
    result: np.ndarray = columns[:, :3] * scale
    return result


_REC709 = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06], [0.3127, 0.3290]])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def utf8(path: Path, title: str) -> str:
    """Return a path as text for OpenImageIO; raise where its bytes are not UTF-8."""
    text = os.fspath(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FileError(f"{show(path)}: {title} files need a name in UTF-8; rename the file.") from None
    return text


__all__ = ["FloatSource", "save_floats", "utf8"]
