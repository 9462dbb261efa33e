"""The file formats: how each is recognised, what it can hold, which library reads and writes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from photochrom.core.errors import FileError
from photochrom.io.about import Depth


@dataclass(frozen=True)
class TiffLayout:
    """How a TIFF is laid out.

    Attributes:
        big: Whether offsets have 64 bits; None for where the samples alone come near 4 GB.
        tiled: Whether samples lie in tiles of 256 x 256 instead of strips, so that parts of a picture are read quickly.
        pyramid: Whether smaller and smaller copies follow in the same file, for viewers; implies tiles.
    """

    big: bool | None = None
    tiled: bool = False
    pyramid: bool = False


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes:
        name: Short name.
        title: Name used in sentences.
        extensions: File name endings, lower case, with the dot; the first is the usual one.
        depths: Sample depths it can hold when written; empty when photochrom does not write it.
        alpha: Whether it holds an alpha channel.
        grey: Whether it holds a single channel.
        cmyk: Whether it holds CMYK.
        profile: Whether it holds an ICC profile.
        loader: Name of the libvips load operation, "" for the others, whose formats carry no camera data here.
        linear: Whether it holds linear light.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    depths: tuple[Depth, ...] = ()
    alpha: bool = False
    grey: bool = False
    cmyk: bool = False
    profile: bool = False
    loader: str = ""
    linear: bool = False


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("jpeg", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), ("uint8",), False, True, True, True, "jpegload"),
        Format("png", "PNG", (".png",), ("uint8", "uint16"), True, True, False, True, "pngload"),
        Format("tiff", "TIFF", (".tif", ".tiff"), ("uint8", "uint16", "float32"), True, True, True, True, "tiffload"),
        Format("webp", "WebP", (".webp",), ("uint8",), True, False, False, True, "webpload"),
        Format("avif", "AVIF", (".avif",), ("uint8", "uint16"), True, False, False, True, "heifload"),
        Format("heic", "HEIC", (".heic", ".heif", ".hif"), (), True, False, False, True, "heifload"),
        Format("gif", "GIF", (".gif",), (), True, False, False, False, "gifload"),
        Format("netpbm", "Netpbm", (".ppm", ".pgm", ".pnm"), ("uint8", "uint16"), False, True),
        Format("bmp", "BMP", (".bmp", ".dib"), ("uint8",), True, True),
        Format("exr", "OpenEXR", (".exr",), ("float16", "float32"), True, True, linear=True),
        Format("hdr", "Radiance HDR", (".hdr", ".pic"), ("float32",), linear=True),
    )
}

READABLE = tuple(e for f in FORMATS.values() for e in f.extensions)
WRITABLE = tuple(e for f in FORMATS.values() if f.depths for e in f.extensions)

# Which stored depth comes closest when the wanted one is not on offer; the first that a format holds is taken.
_NEAREST: dict[Depth, tuple[Depth, ...]] = {
    "uint8": ("uint8", "float16", "float32"),
    "uint16": ("uint16", "float32", "uint8"),
    "float16": ("float16", "float32", "uint16", "uint8"),
    "float32": ("float32", "float16", "uint16", "uint8"),
}
# A BMP begins with two letters only; the size of its header, one of a few, tells it from text.
_BITMAPS = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}
_BITS: dict[Depth, int] = {"uint8": 8, "uint16": 16, "float16": 16, "float32": 32}


def show(path: str | os.PathLike[str]) -> str:
    """A path as it appears in sentences: on one line, bytes that are not UTF-8 escaped."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)[1:-1]


def sniff(head: bytes) -> str | None:
    """The format that the first bytes of a file announce, None when it is none of ours."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "netpbm"
    if head[:2] == b"BM" and head[14:18] in _BITMAPS:
        return "bmp"
    if head.startswith(b"\x76\x2f\x31\x01"):
        return "exr"
    if head.startswith((b"#?RADIANCE", b"#?RGBE")):
        return "hdr"
    if head[4:8] == b"ftyp":
        # The major brand decides unless it is the generic "mif1"; then any compatible brand may speak.
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12]] + [head[i : i + 4] for i in range(16, size, 4)]
        if brands[0] in (b"avif", b"avis") or (brands[0] in (b"mif1", b"msf1") and b"avif" in brands):
            return "avif"
        if any(b in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1") for b in brands):
            return "heic"
    return None


def format_for_output(path: str | os.PathLike[str]) -> Format:
    """The format that a file name asks for.

    Args:
        path: Path of the file to be written.

    Returns:
        The format.

    Raises:
        FileError: The ending is unknown, or the format can only be read.
    """
    ending = Path(os.fspath(path)).suffix.lower()
    known = ", ".join(WRITABLE)
    for f in FORMATS.values():
        if ending in f.extensions:
            if f.depths:
                return f
            raise FileError(f"{show(path)}: {f.title} can be read but not written; name the output one of {known}.")
    found = f"the ending {ending!r}" if ending else "no ending"
    raise FileError(f"{show(path)}: the output's ending must be one of {known}, got {found}.")


def stored_depth(fmt: Format, wanted: Depth) -> tuple[Depth, str | None]:
    """The depth a format stores for a wanted one, and a sentence when something is lost.

    Args:
        fmt: Format to be written.
        wanted: Depth of the picture.

    Returns:
        The deepest fitting depth and a note, None when nothing is lost.
    """
    got = next(d for d in _NEAREST[wanted] if d in fmt.depths)
    lost = _BITS[got] < _BITS[wanted] or (wanted.startswith("float") and got == "uint16")
    note = f"{fmt.title} holds no {wanted} samples: stored as {got}" if lost else None
    if fmt.name == "avif" and got == "uint16":
        note = "AVIF stores 10 bits a sample"
    if fmt.name == "hdr":
        note = "Radiance HDR keeps 8 bits of mantissa and no values below 0"
    return got, note
