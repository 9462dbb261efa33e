"""Windows bitmaps (BMP): read and written by hand, both by rows."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.core.errors import FileError
from photochrom.io.about import About
from photochrom.io.formats import FORMATS, show
from photochrom.io.guard import check_size, why_not_written
from photochrom.io.profiles import Space, space_for
from photochrom.io.source import Source

if TYPE_CHECKING:
    from photochrom.io.sink import Encoder

_FILE = 14
"""Bytes before the header of the picture."""
_INCH = 0.0254
_PLAIN, _RUNS_8, _RUNS_4, _MASKS, _ALPHA_MASKS = 0, 1, 2, 3, 6
_WITHIN = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
"""Where red, green and blue lie in a pixel of 16 or 32 bits that says nothing of it; the rest of it means nothing."""


@dataclass(frozen=True)
class _Head:
    """What the header says."""

    width: int
    height: int
    upright: bool
    """Whether the first stored row is the upper one; most often it is the lowest."""
    bits: int
    packing: int
    masks: tuple[int, int, int, int]
    palette: np.ndarray | None
    """(256, 3) or (256, 1), red first."""
    start: int
    """Where the pixels begin in the file."""
    density: tuple[float, float] | None
    profile: bytes | None

    @property
    def stride(self) -> int:
        """Return the bytes of a row: rows end on whole groups of four."""
        return (self.width * self.bits + 31) // 32 * 4


class BmpSource(Source):
    """An opened BMP picture of 1, 2, 4, 8, 16, 24 or 32 bits a pixel, with or without runs.

    The fourth byte of 32 bits is opacity where the header says so, and nothing otherwise. A palette of greys makes a
    grey picture.
    """

    def __init__(self, path: Path, kind: str, limit: int) -> None:
        super().__init__(path)
        self._title = FORMATS[kind].title
        try:
            self._file: Any = open(path, "rb")  # noqa: SIM115 - closed by close()
        except OSError as e:
            raise FileError(f"{show(path)}: cannot be read ({e.strerror}).") from None
        try:
            head = _read_head(self._file, self._broken)
            check_size(path, head.width, head.height, limit)
        except BaseException:
            self.close()
            raise
        self._head = head
        self._unpacked: np.ndarray | None = None
        self.height, self.width = head.height, head.width
        colours = 3 if head.palette is None else head.palette.shape[1]
        alpha = head.masks[3] != 0
        self.bands = colours + alpha
        self.dtype = np.dtype(np.uint8)
        self.space: Space
        self.space, remark = space_for(head.profile, colours)
        self._about = About(format=kind, channels=colours, alpha=alpha, density=head.density,
                            profile=None if remark else head.profile, notes=(remark,) if remark else ())

    def _rows(self, y0: int, y1: int) -> np.ndarray:
        head = self._head
        first, last = (y0, y1) if head.upright else (head.height - y1, head.height - y0)
        if head.packing in (_RUNS_8, _RUNS_4):
            if self._unpacked is None:
                self._file.seek(head.start)
                self._unpacked = _unpack(self._file.read(), head)
                if self._unpacked is None:
                    raise self._cut(y0, y1)
            stored = self._unpacked[first:last]
        else:
            self._file.seek(head.start + first * head.stride)
            data = self._file.read((last - first) * head.stride)
            # The padding of the last stored row is left out by some writers.
            missing = (last - first) * head.stride - len(data)
            if missing > head.stride - (head.width * head.bits + 7) // 8 or (missing and last != head.height):
                raise self._cut(y0, y1)
            stored = np.frombuffer(data + bytes(missing), np.uint8).reshape(last - first, head.stride)
        made = _samples(stored, head)
        return np.ascontiguousarray(made if head.upright else made[::-1])

    def _cut(self, y0: int, y1: int) -> FileError:
        return FileError(f"{show(self.path)}: the {self._title} data is cut short or damaged; "
                         f"it could not be read whole (rows {y0} to {y1 - 1} of {self.height} failed).")

    def _broken(self, reason: str) -> FileError:
        return FileError(f"{show(self.path)}: expected a {self._title} picture, its header is damaged or of an "
                         f"unsupported kind ({reason}).")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _read_head(file: Any, broken: Any) -> _Head:
    lead = file.read(_FILE + 4)
    if len(lead) < _FILE + 4:
        raise broken("it ends early")
    start, size = struct.unpack_from("<II", lead, 10)
    if size not in (12, 40, 52, 56, 64, 108, 124):
        raise broken(f"a header of {size} bytes")
    info = lead[_FILE:] + file.read(size - 4)
    if len(info) < size:
        raise broken("it ends early")
    if size == 12:
        width, height, _, bits = struct.unpack_from("<4xHHHH", info)
        packing, across, down, used = _PLAIN, 0, 0, 0
    else:
        width, height, _, bits, packing, _, across, down, used = struct.unpack_from("<4xiiHHIIiiI", info)
    kinds = {_PLAIN: (1, 2, 4, 8, 16, 24, 32), _RUNS_8: (8,), _RUNS_4: (4,), _MASKS: (16, 32), _ALPHA_MASKS: (16, 32)}
    if size == 64 and packing > _RUNS_4:   # there these numbers mean other things
        raise broken(f"compression {packing} of OS/2")
    if packing not in kinds:
        raise broken({4: "JPEG inside", 5: "PNG inside"}.get(packing, f"compression {packing}"))
    if bits not in kinds[packing]:
        raise broken(f"{bits} bits a pixel with compression {packing}")
    masks = _WITHIN.get(bits, (0, 0, 0, 0))
    if packing in (_MASKS, _ALPHA_MASKS):
        count = 4 if packing == _ALPHA_MASKS or size >= 56 else 3
        words = info[40:40 + 4 * count] if size >= 52 else file.read(4 * count)
        if len(words) < 12:
            raise broken("it ends early")
        found = struct.unpack(f"<{len(words) // 4}I", words)
        masks = (*found[:3], found[3] if len(found) > 3 else 0)
        if not all(masks[:3]) or any(not _whole(mask, bits) for mask in masks):
            raise broken("bits of a colour that do not lie side by side")
    palette = _palette(file, 1 << bits, used, 3 if size == 12 else 4, start) if bits <= 8 else None
    profile = None
    if size == 124 and info[56:60] == b"DEBM":   # 'MBED', embedded
        where, length = struct.unpack_from("<II", info, 112)
        file.seek(_FILE + where)
        profile = file.read(length) or None
    density = (across * _INCH, down * _INCH) if across > 0 and down > 0 else None
    return _Head(width, abs(height), height < 0, bits, packing, masks, palette, start, density, profile)


def _palette(file: Any, most: int, used: int, entry: int, start: int) -> np.ndarray:
    """Read a palette; numbers that it does not hold are black."""
    count = min(used or most, most, max(0, start - file.tell()) // entry)
    stored = np.frombuffer(file.read(count * entry), np.uint8)
    stored = stored[:len(stored) // entry * entry].reshape(-1, entry)
    colours = np.zeros((256, 3), np.uint8)
    colours[:len(stored)] = stored[:, 2::-1]
    grey = (colours == colours[:, :1]).all()
    return colours[:, :1].copy() if grey else colours


def _whole(mask: int, bits: int) -> bool:
    """Tell whether the bits of a mask lie side by side and within a pixel."""
    low = mask & -mask
    return mask < 1 << bits and (mask + low) & mask == 0


def _samples(stored: np.ndarray, head: _Head) -> np.ndarray:
    """Bring stored rows to (h, width, bands) of 8 bits."""
    width, bits = head.width, head.bits
    if head.palette is not None:
        if head.packing != _PLAIN or bits == 8:
            numbers = stored[:, :width]
        else:
            several = 8 // bits
            shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
            used = stored[:, :-(-width // several)]
            numbers = ((used[..., None] >> shifts) & ((1 << bits) - 1)).reshape(len(stored), -1)[:, :width]
        return head.palette[numbers]
    if bits == 24:
        return stored[:, :3 * width].reshape(len(stored), width, 3)[..., ::-1]
    if bits == 32 and head.masks[:3] == _WITHIN[32][:3] and head.masks[3] in (0, 0xFF000000):
        bands = stored.reshape(len(stored), width, 4)
        return bands[..., [2, 1, 0, 3]] if head.masks[3] else bands[..., 2::-1]
    pixels = stored[:, :width * bits // 8].copy().view(f"<u{bits // 8}").astype(np.int64)
    parts = []
    for mask in head.masks[:4 if head.masks[3] else 3]:
        low = mask & -mask
        top = mask // low
        parts.append(((pixels & mask) // low * 510 + top) // (2 * top))   # rounded to the nearest of 255
    return np.stack(parts, -1).astype(np.uint8)


def _unpack(data: bytes, head: _Head) -> np.ndarray | None:
    """Return the palette numbers of a picture stored in runs, as its rows are stored; None if it is cut short.

    Pixels that no run reaches are number 0.
    """
    width, height, four = head.width, head.height, head.packing == _RUNS_4
    numbers = np.zeros((height, width), np.uint8)
    x = y = at = 0
    while at + 1 < len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count or value > 2:
            if y >= height:
                return None
            if count:
                pair = np.array([value >> 4, value & 15] if four else [value, value], np.uint8)
                run = np.resize(pair, count)
            else:
                count, size = value, (value + 1) // 2 if four else value
                run = np.frombuffer(data[at:at + size], np.uint8)
                if len(run) < size:
                    return None
                if four:
                    run = np.stack([run >> 4, run & 15], -1).reshape(-1)[:count]
                at += size + size % 2
            room = max(0, min(count, width - x))
            numbers[y, x:x + room] = run[:room]
            x += count
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            return numbers
        else:
            if at + 1 >= len(data):
                return None
            x, y, at = x + data[at], y + data[at + 1], at + 2
    return numbers if y >= height or (y == height - 1 and x >= width) else None


def save_bmp(temporary: Path, path: Path, encoder: Encoder, height: int, width: int, strips: Iterator[np.ndarray]
             ) -> None:
    """Write strips as a BMP: grey with a palette, colour in 24 bits, with opacity in 32.

    Args:
        temporary: The file to be written.
        path: The name for sentences.
        encoder: The encoder that made the strips.
        height: Rows of the picture.
        width: Columns of the picture.
        strips: Samples from top to bottom.

    Raises:
        FileError: The file cannot be written, or the picture is larger than the format holds.
    """
    bands = encoder.bands if encoder.bands % 2 else 4
    stride = (width * bands + 3) // 4 * 4
    size = 108 if bands == 4 else 40
    start = _FILE + size + (1024 if bands == 1 else 0)
    total = start + stride * height
    if total >= 1 << 32:
        raise FileError(f"{show(path)}: BMP holds at most 4 GB, got {width} x {height}.")
    density = [round(value / _INCH) for value in encoder.about.density or (0, 0)]
    info = struct.pack("<IiiHHIIiiII", size, width, height, 1, bands * 8, _MASKS if bands == 4 else _PLAIN,
                       stride * height, *density, 256 if bands == 1 else 0, 0)
    if bands == 4:
        info += struct.pack("<5I48x", *_WITHIN[32][:3], 0xFF000000, 0x73524742)   # the last: sRGB
    elif bands == 1:
        info += bytes(value for level in range(256) for value in (level, level, level, 0))
    try:
        with open(temporary, "wb") as file:
            file.write(b"BM" + struct.pack("<IHHI", total, 0, 0, start) + info)
            below = height
            for strip in strips:
                rows = np.zeros((len(strip), stride), np.uint8)
                pixels = rows[:, :width * bands].reshape(len(strip), width, bands)
                if encoder.bands == 1:
                    pixels[:] = strip
                else:
                    colours = encoder.bands - (bands == 4)
                    pixels[..., :3] = strip[..., :colours][..., ::-1]
                    pixels[..., 3:] = strip[..., colours:]
                below -= len(strip)
                file.seek(start + below * stride)   # the lowest row is the first
                file.write(rows[::-1].tobytes())
    except OSError as e:
        reason = why_not_written(temporary, e.strerror or str(e))
        raise FileError(f"{show(path)}: cannot be written ({reason}).") from None
