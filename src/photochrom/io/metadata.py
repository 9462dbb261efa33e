"""EXIF, XMP, IPTC and density: taken from a file, put into another, the orientation reset."""

from __future__ import annotations

import re
import struct
from typing import Any

_MM_PER_INCH = 25.4
_ORIENTATION = 0x0112
_PHOTOSHOP = b"Photoshop 3.0\0"


def exif_block(data: bytes | None) -> bytes | None:
    """An EXIF block without the marker some formats put before it, None when it is not one."""
    if data is None:
        return None
    if data[:6] == b"Exif\0\0":
        data = data[6:]
    return data if data[:4] in (b"II*\0", b"MM\0*") else None


def orientation_of(exif: bytes | None) -> int:
    """The orientation tag of an EXIF block; 1 when absent or senseless."""
    at = _find(exif, _ORIENTATION)
    if exif is None or at is None:
        return 1
    (value,) = struct.unpack_from(_order(exif) + "H", exif, at + 8)
    return int(value) if 1 <= value <= 8 else 1


def upright(exif: bytes | None) -> bytes | None:
    """The EXIF block with its orientation tag set to 1 and its thumbnail unlinked.

    The thumbnail shows the picture unturned and as it was before any change. No other byte changes.
    """
    if exif is None or len(exif) < 14:
        return exif
    order = _order(exif)
    changed = bytearray(exif)
    at = _find(exif, _ORIENTATION)
    if at is not None:
        struct.pack_into(order + "HI", changed, at + 2, 3, 1)
        struct.pack_into(order + "HH", changed, at + 8, 1, 0)
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 <= len(exif):
        link = start + 2 + 12 * struct.unpack_from(order + "H", exif, start)[0]
        if link + 4 <= len(exif):
            struct.pack_into(order + "I", changed, link, 0)
    return bytes(changed)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """The XMP packet with its copy of the orientation set to 1."""
    if xmp is None:
        return None
    xmp = re.sub(rb"(tiff:Orientation\s*=\s*[\"'])[2-8]", rb"\g<1>1", xmp)
    return re.sub(rb"(<tiff:Orientation>\s*)[2-8]", rb"\g<1>1", xmp)


def iptc_block(data: bytes | None) -> bytes | None:
    """The IPTC records inside the Photoshop resources of a JPEG, None without any."""
    if data is None or not data.startswith(_PHOTOSHOP):
        return data
    at = len(_PHOTOSHOP)
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        (kind,) = struct.unpack_from(">H", data, at + 4)
        name = (data[at + 6] + 2) // 2 * 2  # a counted string, padded to even length
        if at + 10 + name > len(data):
            return None
        (size,) = struct.unpack_from(">I", data, at + 6 + name)
        start = at + 10 + name
        if kind == 0x0404:
            return data[start : start + size] or None
        at = start + (size + 1) // 2 * 2
    return None


def photoshop_block(iptc: bytes | None) -> bytes | None:
    """IPTC records as the Photoshop resource that JPEG files hold them in."""
    if iptc is None:
        return None
    return _PHOTOSHOP + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def blob(image: Any, name: str) -> bytes | None:
    """A binary field of a libvips picture, None when it has none."""
    if image.get_typeof(name) == 0:
        return None
    value = image.get(name)
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    return data or None


def density_of(image: Any) -> tuple[float, float] | None:
    """Pixels per inch of a libvips picture, None when the file does not say."""
    # libvips fills in 1 pixel per millimetre where a file says nothing.
    if (image.xres, image.yres) == (1.0, 1.0) or image.xres <= 0 or image.yres <= 0:
        return None
    return (_tidy(image.xres * _MM_PER_INCH), _tidy(image.yres * _MM_PER_INCH))


def attach(
    image: Any,
    *,
    exif: bytes | None,
    xmp: bytes | None,
    iptc: bytes | None,
    profile: bytes | None,
    density: tuple[float, float] | None,
) -> Any:
    """A libvips picture carrying the given blocks, ready to be saved."""
    from photochrom.io.library import vips

    if density is not None:
        image = image.copy(xres=density[0] / _MM_PER_INCH, yres=density[1] / _MM_PER_INCH)
    else:
        image = image.copy()
    blob_type, text_type = vips().GValue.blob_type, vips().GValue.gstr_type
    if density is not None:
        image.set_type(text_type, "resolution-unit", "in")
    fields = {
        "exif-data": None if exif is None else b"Exif\0\0" + exif,
        "xmp-data": xmp,
        "iptc-data": iptc,
        "icc-profile-data": profile,
    }
    for name, data in fields.items():
        if data is not None:
            image.set_type(blob_type, name, data)
        elif image.get_typeof(name) != 0:
            image.remove(name)
    return image


def _order(exif: bytes) -> str:
    return "<" if exif[:2] == b"II" else ">"


def _find(exif: bytes | None, tag: int) -> int | None:
    # Offset of the entry of a tag in the first directory.
    if exif is None or len(exif) < 14:
        return None
    order = _order(exif)
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return None
    (count,) = struct.unpack_from(order + "H", exif, start)
    for i in range(count):
        at = start + 2 + 12 * i
        if at + 12 > len(exif):
            return None
        if struct.unpack_from(order + "H", exif, at)[0] == tag:
            return int(at)
    return None


def _tidy(value: float) -> float:
    # 300 dpi goes through pixels per millimetre or per metre and comes back as 299.9994.
    return float(round(value)) if abs(value - round(value)) < 0.01 else value
