"""What must survive a picture's journey besides its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Depth = Literal["uint8", "uint16", "float16", "float32"]

DEPTH_MAX: dict[str, float] = {"uint8": 255.0, "uint16": 65535.0, "float16": 1.0, "float32": 1.0}


@dataclass(frozen=True)
class About:
    """Everything a file says besides its pixels, so that the written file can say it again.

    Attributes:
        depth: Depth of the stored samples.
        format: Short name of the file format: "jpeg", "png", "tiff", "webp", "avif", "heic", "gif",
            "netpbm", "bmp", "exr", "hdr".
        channels: Colour channels of the working picture: 1 (grey) or 3.
        alpha: Whether the picture has an alpha channel.
        profile: The embedded ICC profile, None without one.
        exif: EXIF block beginning with a TIFF header, its orientation tag already reset to 1.
        xmp: XMP packet.
        iptc: IPTC block.
        density: Pixels per inch across and down, None where the file does not say.
        notes: Sentences on what reading changed or left out, such as "first of 3 pages read".
        cmyk: Whether the stored samples are CMYK.
        linear: Whether the stored samples are linear light (EXR, Radiance HDR).
    """

    depth: Depth = "uint8"
    format: str = "png"
    channels: int = 3
    alpha: bool = False
    profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    density: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    cmyk: bool = False
    linear: bool = False
