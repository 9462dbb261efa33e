"""An opened picture, decoded by rows with bounded memory."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.core.errors import FileError
from photochrom.io import metadata
from photochrom.io.about import About, Depth
from photochrom.io.formats import FORMATS, show
from photochrom.io.guard import MAX_PIXELS, check_size, known_format, plain
from photochrom.io.library import vips
from photochrom.io.profiles import Space, space_for
from photochrom.io.tifftags import read_tags

if TYPE_CHECKING:
    from types import TracebackType

    from torch import Tensor

_PIECE = 8 << 20  # bytes asked of libvips at once

#: Infinity becomes the largest number of 16-bit floats.
LARGEST = 65504.0


class Source(ABC):
    """An opened picture. Use it as a context manager; read its rows from top to bottom.

    Attributes:
        path: The file.
        height: Rows, after the orientation has been applied.
        width: Columns, likewise.
        bands: Stored bands: colour channels, then alpha.
        dtype: NumPy type of the stored samples: uint8, uint16 or float32.
        about: Everything besides the pixels. Its notes may grow while rows are read.
        space: The stored colour space.
        plain: Whether stored samples are working values up to integer scaling.
    """

    path: Path
    height: int
    width: int
    bands: int
    dtype: np.dtype
    space: Space

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = About()
        self._bad = 0

    @property
    def about(self) -> About:
        """Everything besides the pixels."""
        if not self._bad:
            return self._about
        samples = "1 sample was" if self._bad == 1 else f"{self._bad} samples were"
        note = f"{samples} not finite: NaN became 0, infinity {LARGEST:.0f}"
        return replace(self._about, notes=(*self._about.notes, note))

    @property
    def held(self) -> int:
        """Bytes that the decoder holds while rows are read, beside those it gives."""
        return 0

    @property
    def plain(self) -> bool:
        """Whether stored samples are working values up to integer scaling."""
        return self.space.plain

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """Stored samples of some rows.

        In floating-point files NaN becomes 0 and infinity 65504 of its sign; `about.notes` counts them.

        Args:
            y0: First row; not above the last call's `y1`.
            y1: Row after the last.

        Returns:
            Samples (rows, width, bands).

        Raises:
            FileError: The file is damaged or cut short.
        """
        if not 0 <= y0 < y1 <= self.height:
            raise ValueError(f"rows: expected 0 <= y0 < y1 <= {self.height}, got {y0} and {y1}.")
        strip = self._rows(y0, y1)
        if strip.dtype == np.float32 and not np.isfinite(strip).all():
            strip = strip.copy()
            self._bad += int(np.count_nonzero(~np.isfinite(strip)))
            np.nan_to_num(strip, copy=False, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
        return strip

    def decode(self, strip: np.ndarray) -> tuple[Tensor, Tensor | None]:
        """Stored samples to working values.

        Args:
            strip: Samples as `rows` gives them.

        Returns:
            The picture (1, C, h, W) in float32 and its alpha (1, 1, h, W), None without one.
        """
        import torch

        h, w, bands = strip.shape
        if not strip.flags.writeable:
            strip = strip.copy()
        out = torch.empty((bands, h, w), dtype=torch.float32)
        out.copy_(torch.from_numpy(strip).permute(2, 0, 1))
        if strip.dtype != np.float32:
            out.div_(float(np.iinfo(strip.dtype).max))
        colours = self.space.stored
        alpha = out[None, colours : colours + 1] if self._about.alpha else None
        image = self._colour(out[:colours], alpha)
        return image[None], alpha

    def _colour(self, x: Tensor, alpha: Tensor | None) -> Tensor:
        return self.space.to_working(x)

    @abstractmethod
    def _rows(self, y0: int, y1: int) -> np.ndarray: ...

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(path: str | os.PathLike[str], *, limit: int = MAX_PIXELS) -> Source:
    """Open a picture for reading by rows.

    Only the header is read. The EXIF orientation is applied: left as is or mirrored left to right, rows stream; any
    other orientation needs rows out of order, so the picture is decoded as a whole, by libvips, in memory up to 100 MB
    and into a temporary file beyond.

    Args:
        path: The file; its format is told by its content.
        limit: Most pixels accepted.

    Returns:
        The source, to be closed after use.

    Raises:
        FileError: The file cannot be read as a picture.
    """
    path = Path(path)
    kind = known_format(path)
    if FORMATS[kind].loader:
        return _VipsSource(path, kind, limit)
    if kind == "bmp":
        from photochrom.io.bmp import BmpSource

        return BmpSource(path, kind, limit)
    if not FORMATS[kind].linear:
        from photochrom.io.netpbm import NetpbmSource

        return NetpbmSource(path, kind, limit)
    from photochrom.io.floats import FloatSource

    return FloatSource(path, kind, limit)


class _VipsSource(Source):
    def __init__(self, path: Path, kind: str, limit: int) -> None:
        super().__init__(path)
        fmt = FORMATS[kind]
        self._title = fmt.title
        image = self._load(fmt.loader, "sequential")
        check_size(path, image.width, image.height, limit)
        notes: list[str] = []
        pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
        if pages > 1 and kind != "heic":
            notes.append(f"first of {pages} {'frames' if kind in ('gif', 'webp', 'avif') else 'pages'} read")
        exif = metadata.exif_block(metadata.blob(image, "exif-data"))
        profile = metadata.blob(image, "icc-profile-data")
        xmp, iptc = metadata.blob(image, "xmp-data"), metadata.iptc_block(metadata.blob(image, "iptc-data"))
        if kind == "tiff":
            exif, iptc = read_tags(path)
        density = metadata.density_of(image)
        turn = image.get("orientation") if image.get_typeof("orientation") else 1
        if turn > 2:
            image = self._load(fmt.loader, "random")
        if 2 <= turn <= 8:
            image = image.autorot()
        if turn > 4 and density:
            density = (density[1], density[0])
        image, colours, alpha = self._usual(image, notes)
        self.space, remark = space_for(profile, colours)
        if remark:
            notes.append(remark)
            profile = None
        # Turned and interlaced pictures, and frames of video formats, are decoded as a whole.
        interlaced = bool(image.get_typeof("interlaced") and image.get("interlaced"))
        self._whole = turn > 2 or interlaced or kind in ("webp", "avif", "heic", "gif")
        self._strip = image.get("tile-height") if image.get_typeof("tile-height") else 128 if kind == "tiff" else 16
        self._region: Any = vips().Region.new(image)
        self.height, self.width, self.bands = image.height, image.width, image.bands
        depth: Depth = {"uchar": "uint8", "ushort": "uint16", "float": "float32"}[image.format]  # type: ignore[assignment]
        self.dtype = np.dtype(depth)
        self._about = About(
            depth=depth,
            format=kind,
            channels=1 if colours == 1 else 3,
            alpha=alpha,
            profile=profile,
            exif=metadata.upright(exif),
            xmp=metadata.upright_xmp(xmp),
            iptc=iptc,
            density=density,
            notes=tuple(notes),
            cmyk=colours == 4,
        )

    def _load(self, loader: str, access: str) -> Any:
        # The load operation is called by name and with bytes: no part of a file name is taken for an option.
        try:
            return getattr(vips().Image, loader)(os.fsencode(self.path), access=access, fail_on="error")
        except vips().Error as e:
            self._no_decoder(str(e))
            reason = plain(str(e).replace(f"{os.fspath(self.path)}: ", ""))
            raise FileError(
                f"{show(self.path)}: expected a {self._title} picture, its header is damaged or of an unsupported "
                f"kind ({reason})."
            ) from None

    def _no_decoder(self, message: str) -> None:
        if self._title == "HEIC" and "nsupported" in message:
            raise FileError(
                f"{show(self.path)}: this HEIC picture's compression (HEVC) cannot be decoded by the installed "
                "libvips; convert it to AVIF, JPEG or PNG first."
            ) from None

    def _usual(self, image: Any, notes: list[str]) -> tuple[Any, int, bool]:
        """Bring unusual sample types and band counts to the few that the rest knows."""
        if image.interpretation in ("lab", "labs", "labq", "lch", "xyz", "yxy"):
            image = image.colourspace("rgb16" if image.format != "uchar" else "srgb")
            notes.append("CIELAB colours converted to sRGB")
        if image.format == "double":
            image = image.cast("float")
            notes.append("64-bit samples read as 32-bit")
        if image.format not in ("uchar", "ushort", "float"):
            raise FileError(
                f"{show(self.path)}: expected samples of 8 or 16 bits or floating point, got {_SAMPLES[image.format]}."
            )
        cmyk = image.interpretation == "cmyk" and image.bands >= 4
        colours = 4 if cmyk else (3 if image.bands >= 3 else 1)
        extra = image.bands - colours
        if extra > 1:
            image = image.extract_band(0, n=colours + 1)
            notes.append(f"{extra - 1} extra channels left out" if extra > 2 else "1 extra channel left out")
        return image, colours, extra > 0

    @property
    def held(self) -> int:
        """Measured: four strips of a TIFF, at most 128 rows each, or of tiles; whole pictures of some formats."""
        row = self.width * self.bands * self.dtype.itemsize
        lines = self.height if self._whole else min(self.height, 4 * self._strip)
        return lines * row + 2 * min(self.height * row, _PIECE)

    def _rows(self, y0: int, y1: int) -> np.ndarray:
        # In pieces: libvips holds a copy of what is asked for at once.
        rows = max(1, _PIECE // (self.width * self.bands * self.dtype.itemsize))
        if y1 - y0 <= rows:
            return self._fetch(y0, y1)
        found = np.empty((y1 - y0, self.width, self.bands), self.dtype)
        for y in range(y0, y1, rows):
            found[y - y0:y - y0 + rows] = self._fetch(y, min(y + rows, y1))
        return found

    def _fetch(self, y0: int, y1: int) -> np.ndarray:
        try:
            data = self._region.fetch(0, y0, self.width, y1 - y0)
        except vips().Error as e:
            self._no_decoder(str(e))
            raise FileError(
                f"{show(self.path)}: the {self._title} data is cut short or damaged; "
                f"it could not be read whole (rows {y0} to {y1 - 1} of {self.height} failed)."
            ) from None
        return np.frombuffer(data, self.dtype).reshape(y1 - y0, self.width, self.bands)

    def close(self) -> None:
        """Let go of the file."""
        self._region = None


_SAMPLES = {
    "char": "signed 8-bit integers",
    "short": "signed 16-bit integers",
    "uint": "32-bit integers",
    "int": "signed 32-bit integers",
    "complex": "complex numbers",
    "dpcomplex": "complex numbers",
}
