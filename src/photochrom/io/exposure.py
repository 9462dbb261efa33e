"""The exposure time that a camera wrote into a photograph."""

from __future__ import annotations

import math
import struct

_EXIF = 0x8769
_RATIONAL, _SIGNED = 5, 10
_EXPOSURE_TIME, _SHUTTER_SPEED = 0x829A, 0x9201


def exposure_time(exif: bytes | None) -> float | None:
    """The exposure time of an EXIF block.

    Args:
        exif: EXIF block beginning with a TIFF header.

    Returns:
        Seconds: ExposureTime, else 2^-ShutterSpeedValue; None where neither is there, or not above 0.
    """
    if exif is None or len(exif) < 14:
        return None
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        below = _entry(exif, order, start, _EXIF)
        if below is None:
            return None
        (inner,) = struct.unpack_from(order + "I", exif, below + 8)
        seconds = _ratio(exif, order, _entry(exif, order, inner, _EXPOSURE_TIME), "I")
        if seconds is None:
            speed = _ratio(exif, order, _entry(exif, order, inner, _SHUTTER_SPEED), "i")
            seconds = None if speed is None or abs(speed) > 64 else 2.0**-speed
    except struct.error:
        return None
    return seconds if seconds is not None and seconds > 0 and math.isfinite(seconds) else None


def _entry(exif: bytes, order: str, start: int, tag: int) -> int | None:
    """The offset of the entry of a tag in the directory at `start`."""
    (count,) = struct.unpack_from(order + "H", exif, start)
    for i in range(count):
        at = int(start) + 2 + 12 * i
        if struct.unpack_from(order + "H", exif, at)[0] == tag:
            return at
    return None


def _ratio(exif: bytes, order: str, at: int | None, kind: str) -> float | None:
    if at is None:
        return None
    if struct.unpack_from(order + "H", exif, at + 2)[0] != {"I": _RATIONAL, "i": _SIGNED}[kind]:
        return None
    (place,) = struct.unpack_from(order + "I", exif, at + 8)
    top, bottom = struct.unpack_from(order + 2 * kind, exif, place)
    return float(top) / float(bottom) if bottom else None
