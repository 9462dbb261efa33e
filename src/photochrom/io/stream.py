"""Saving through libvips a picture that arrives in strips, with bounded memory.

libvips pulls pixels from its end; strips are made at ours. A virtual file joins the two: an uncompressed BigTIFF whose
header is known beforehand and whose samples are the strips one after another. libvips reads it from top to bottom in a
thread of its own and writes the real format. The strips are made in the caller's thread (its gradients, device and
interrupts stay its own), at most one waits.
"""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from photochrom.io.library import vips

# Rows per strip of the virtual file are chosen to make about this many bytes.
_STRIP_BYTES = 1 << 20


class _StopError(Exception):
    """The reading end gave up; the reason is kept by the writer."""


def save_stream(
    strips: Iterator[np.ndarray],
    shape: tuple[int, int, int],
    dtype: np.dtype,
    save: Callable[[Any], None],
    *,
    cmyk: bool = False,
) -> None:
    """Pull strips and hand them as one sequential libvips picture to a saver.

    Args:
        strips: Arrays (h, width, bands) from top to bottom.
        shape: Height, width and bands of the whole picture.
        dtype: Type of the samples.
        save: Called in another thread with the picture.
        cmyk: Whether the samples are CMYK.

    Raises:
        BaseException: Whatever the strips or the saver raise, as it is.
    """
    waiting: queue.Queue[np.ndarray | None] = queue.Queue(maxsize=1)
    virtual = _VirtualTiff(waiting, shape, dtype, cmyk)
    failure: list[BaseException] = []

    def work() -> None:
        try:
            source = vips().SourceCustom()
            source.on_read(virtual.read)
            source.on_seek(virtual.seek)
            save(vips().Image.tiffload_source(source, access="sequential", fail_on="error"))
        except BaseException as e:
            failure.append(e)

    thread = threading.Thread(target=work, name="photochrom-save", daemon=True)
    thread.start()
    try:
        for strip in strips:
            _put(waiting, np.ascontiguousarray(strip, dtype), thread)
        _put(waiting, None, thread)
        thread.join()
    except _StopError:
        pass
    finally:
        virtual.stopped = True
        while thread.is_alive():
            try:
                waiting.put(None, timeout=0.05)
            except queue.Full:
                _drain(waiting)
            thread.join(0.05)
    if virtual.error is not None:
        raise virtual.error
    if failure:
        raise failure[0]


def _put(waiting: queue.Queue[np.ndarray | None], item: np.ndarray | None, thread: threading.Thread) -> None:
    while True:
        try:
            return waiting.put(item, timeout=0.1)
        except queue.Full:
            if not thread.is_alive():
                raise _StopError from None


def _drain(waiting: queue.Queue[np.ndarray | None]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return


class _VirtualTiff:
    """The virtual file: libvips' read and seek calls answered from the header and the waiting strips."""

    def __init__(
        self, waiting: queue.Queue[np.ndarray | None], shape: tuple[int, int, int], dtype: np.dtype, cmyk: bool
    ) -> None:
        self._waiting = waiting
        self._header = tiff_header(shape, dtype, cmyk)
        self._size = len(self._header) + shape[0] * shape[1] * shape[2] * dtype.itemsize
        self._at = 0
        self._begin = len(self._header)
        self._strip = memoryview(b"")
        self.stopped = False
        self.error: BaseException | None = None

    def read(self, length: int) -> bytes:
        """The next bytes; fewer than asked for where a strip ends, none at the end or after a failure."""
        try:
            return self._read(length)
        except BaseException as e:
            # An exception must not unwind into C: it is kept, and libvips sees a file that ends early.
            self.error = self.error or e
            return b""

    def _read(self, length: int) -> bytes:
        if self._at >= self._size or self.stopped:
            return b""
        if self._at < len(self._header):
            data = self._header[self._at : self._at + length]
        else:
            while self._at >= self._begin + len(self._strip):
                strip = self._waiting.get()
                if strip is None:
                    if not self.stopped:
                        raise ValueError("save: the strips hold fewer rows than the picture.")
                    return b""
                self._begin += len(self._strip)
                self._strip = strip.data.cast("B")
            if self._at < self._begin:
                raise ValueError("save: libvips asked for rows that have gone by.")
            start = self._at - self._begin
            data = bytes(self._strip[start : start + length])
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int) -> int:
        """Move; only the position changes, going back into past strips fails at the next read."""
        self._at = offset + {0: 0, 1: self._at, 2: self._size}[whence]
        return self._at


def tiff_header(shape: tuple[int, int, int], dtype: np.dtype, cmyk: bool = False) -> bytes:
    """Everything before the samples of an uncompressed little-endian BigTIFF.

    Args:
        shape: Height, width and bands.
        dtype: Type of the samples.
        cmyk: Whether the first four bands are CMYK.

    Returns:
        The header; samples in row order must follow.
    """
    height, width, bands = shape
    row = width * bands * dtype.itemsize
    rows = max(1, min(height, _STRIP_BYTES // row))
    count = -(-height // rows)
    colours = 4 if cmyk else (3 if bands >= 3 else 1)
    photometric = {1: 1, 3: 2, 4: 5}[colours]
    # (tag, type, values); types: 3 is 16 bits, 4 is 32, 16 is 64. None stands for the strip tables below.
    entries: list[tuple[int, int, list[int] | None]] = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [dtype.itemsize * 8] * bands),
        (259, 3, [1]),
        (262, 3, [photometric]),
        (273, 16, None),
        (277, 3, [bands]),
        (278, 4, [rows]),
        (279, 16, None),
        (284, 3, [1]),
    ]
    if bands > colours:
        entries.append((338, 3, [2] * (bands - colours)))
    entries.append((339, 3, [3 if dtype.kind == "f" else 1] * bands))
    sizes = {3: 2, 4: 4, 16: 8}
    codes = {3: "H", 4: "I", 16: "Q"}
    base = 16 + 8 + 20 * len(entries) + 8
    long = sum(-(-n // 8) * 8 for _, t, v in entries if (n := sizes[t] * (count if v is None else len(v))) > 8)
    data = base + long
    tables = {
        273: [data + i * rows * row for i in range(count)],
        279: [min(rows, height - i * rows) * row for i in range(count)],
    }
    directory, blob = b"", b""
    for tag, kind, values in entries:
        numbers = tables[tag] if values is None else values
        packed = struct.pack(f"<{len(numbers)}{codes[kind]}", *numbers)
        if len(packed) > 8:
            at = base + len(blob)
            blob += packed.ljust(-(-len(packed) // 8) * 8, b"\0")
            packed = struct.pack("<Q", at)
        directory += struct.pack("<HHQ", tag, kind, len(numbers)) + packed.ljust(8, b"\0")
    return b"II" + struct.pack("<HHHQQ", 43, 8, 0, 16, len(entries)) + directory + struct.pack("<Q", 0) + blob
