"""EXIF and IPTC in TIFF files, which libvips neither reads nor writes whole.

Reading gathers the directories of a TIFF into an EXIF block; writing appends the directories of an EXIF block to a
finished TIFF and points its header at a first directory that names them. Pixel data stay where they are.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

_EXIF, _GPS, _IPTC = 34665, 34853, 33723
# What the first directory says about the photograph, not about how its samples are stored.
_TEXTS = (270, 271, 272, 305, 306, 315, 33432, 36867, 40091, 40092, 40093, 40094, 40095, 18246, 18249)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SWAPS = {3: 2, 8: 2, 4: 4, 9: 4, 11: 4, 13: 4, 5: 4, 10: 4, 12: 8, 16: 8, 17: 8, 18: 8}
# No sane directory is larger: a limit against damaged files.
_MOST = 16 << 20


class _Entry(NamedTuple):
    tag: int
    kind: int
    data: bytes


class _Layout(NamedTuple):
    order: str
    big: bool

    @property
    def inline(self) -> int:
        return 8 if self.big else 4

    def pack(self, kind: str, *values: int) -> bytes:
        return struct.pack(self.order + kind, *values)


def read_tags(path: Path) -> tuple[bytes | None, bytes | None]:
    """EXIF and IPTC of a TIFF file.

    Args:
        path: The file.

    Returns:
        An EXIF block and the IPTC data, each None when the file has none or they are damaged.
    """
    try:
        with open(path, "rb") as f:
            layout, start = _header(f)
            first = {e.tag: e for e in _directory(f, layout, start)}
            main = [e for t, e in first.items() if t in _TEXTS]
            below = {t: _directory(f, layout, _number(layout, first[t])) for t in (_EXIF, _GPS) if t in first}
    except (OSError, struct.error, ValueError):
        return None, None
    iptc = first[_IPTC].data if _IPTC in first else None
    if not main and not any(below.values()):
        return None, iptc
    small = _Layout(layout.order, False)
    return _block(small, main, below), iptc


def append_tags(path: Path, exif: bytes | None, iptc: bytes | None) -> None:
    """Add EXIF and IPTC to a finished TIFF file.

    Args:
        path: The file, changed in place.
        exif: EXIF block; one that cannot be understood is left out.
        iptc: IPTC data.
    """
    main, below = _parsed(exif)
    if iptc:
        main.append(_Entry(_IPTC, 7, iptc))
    if not main and not below:
        return
    with open(path, "r+b") as f:
        layout, start = _header(f)
        if exif is not None and exif[:2] == (b"MM" if layout.order == "<" else b"II"):
            main = [e if e.tag == _IPTC else _swapped(e) for e in main]
            below = {t: [_swapped(e) for e in es] for t, es in below.items()}
        kept = {e.tag: e for e in _directory(f, layout, start)}
        for entry in main:
            kept[entry.tag] = entry
        at = -(-f.seek(0, os.SEEK_END) // 16) * 16
        f.seek(at)
        for tag, entries in below.items():
            data = _packed(layout, entries, at)
            f.write(data)
            kept[tag] = _Entry(tag, 16, layout.pack("Q", at)) if layout.big else _Entry(tag, 4, layout.pack("I", at))
            at += len(data)
        f.write(_packed(layout, list(kept.values()), at))
        f.seek(8 if layout.big else 4)
        f.write(layout.pack("Q" if layout.big else "I", at))


def _header(f: BinaryIO) -> tuple[_Layout, int]:
    head = f.read(16)
    order = {b"II": "<", b"MM": ">"}[head[:2]]
    (version,) = struct.unpack_from(order + "H", head, 2)
    big = version == 43
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    return _Layout(order, big), start


def _directory(f: BinaryIO, layout: _Layout, start: int) -> list[_Entry]:
    """The entries of a directory with their values."""
    f.seek(start)
    width, count_size = (20, 8) if layout.big else (12, 2)
    (count,) = struct.unpack(layout.order + ("Q" if layout.big else "H"), f.read(count_size))
    if count > 4096:
        raise ValueError("a damaged directory")
    table = f.read(count * width)
    entries = []
    for i in range(count):
        tag, kind, n = struct.unpack_from(layout.order + ("HHQ" if layout.big else "HHI"), table, i * width)
        size = n * _SIZES.get(kind, 0)
        field = table[(i + 1) * width - layout.inline : (i + 1) * width]
        if size > layout.inline:
            if size > _MOST:
                continue
            (at,) = struct.unpack(layout.order + ("Q" if layout.big else "I"), field)
            f.seek(at)
            data = f.read(size)
        else:
            data = field[:size]
        if size and len(data) == size:
            entries.append(_Entry(tag, kind, data))
    return entries


def _packed(layout: _Layout, entries: list[_Entry], base: int) -> bytes:
    """A directory followed by its long values, to be placed at `base`."""
    entries = sorted(entries, key=lambda e: e.tag)
    head = 8 if layout.big else 2
    width = 20 if layout.big else 12
    after = -(-(head + len(entries) * width + layout.inline) // 8) * 8
    table, values = layout.pack("Q" if layout.big else "H", len(entries)), b""
    for tag, kind, data in entries:
        table += layout.pack("HHQ" if layout.big else "HHI", tag, kind, len(data) // _SIZES[kind])
        if len(data) <= layout.inline:
            table += data.ljust(layout.inline, b"\0")
        else:
            table += layout.pack("Q" if layout.big else "I", base + after + len(values))
            values += data.ljust(-(-len(data) // 8) * 8, b"\0")
    return table.ljust(after, b"\0") + values


def _block(layout: _Layout, main: list[_Entry], below: dict[int, list[_Entry]]) -> bytes:
    magic = b"II*\0" if layout.order == "<" else b"MM\0*"
    pointers = dict.fromkeys(below, 0)
    # Pointers have a fixed size, so the first directory's length does not depend on their values.
    for _ in range(2):
        first = [*main, *(_Entry(t, 4, layout.pack("I", at)) for t, at in pointers.items())]
        data = _packed(layout, first, 8)
        at = 8 + len(data)
        parts = []
        for t, entries in below.items():
            pointers[t] = at
            parts.append(_packed(layout, [e for e in entries if e.kind < 16], at))
            at += len(parts[-1])
    return magic + layout.pack("I", 8) + data + b"".join(parts)


def _parsed(exif: bytes | None) -> tuple[list[_Entry], dict[int, list[_Entry]]]:
    from io import BytesIO

    if exif is None:
        return [], {}
    try:
        f = BytesIO(exif)
        layout, start = _header(f)
        first = {e.tag: e for e in _directory(f, layout, start)}
        below = {t: _directory(f, layout, _number(layout, first[t])) for t in (_EXIF, _GPS) if t in first}
    except (struct.error, ValueError, KeyError):
        return [], {}
    return [e for t, e in first.items() if t in _TEXTS], {t: es for t, es in below.items() if es}


def _number(layout: _Layout, entry: _Entry) -> int:
    return int.from_bytes(entry.data, "little" if layout.order == "<" else "big")


def _swapped(entry: _Entry) -> _Entry:
    unit = _SWAPS.get(entry.kind, 1)
    data = b"".join(entry.data[i : i + unit][::-1] for i in range(0, len(entry.data), unit))
    return _Entry(entry.tag, entry.kind, data)
