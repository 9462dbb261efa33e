"""The manifest of an output folder wherever it is, and holding the folder against it.

A store of objects cannot append, rename or lock. There a picture's lines are an object of their own, which is written
anew with one more line; nothing keeps two runs out of one another's way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from photochrom.core.errors import FileError
from photochrom.engine.manifest import FORMAT, HIDDEN, Manifest, Record, take_print
from photochrom.io.formats import show
from photochrom.io.stores import Address, listing, locate, read_bytes, remove, write_bytes

AT_ONCE = 16
"""Objects read at once: each is waited for longer than it takes."""


def read_manifest(out: str | Path) -> Manifest:
    """Read a folder's manifest, empty where there is none.

    Raises:
        FileError: it cannot be read, or is of a newer version.
    """
    place = locate(out)
    return StoredManifest.read(place) if isinstance(place, Address) else Manifest.read(place)


def open_manifest(out: str | Path) -> Manifest:
    """Read a folder's manifest to write it.

    Raises:
        FileError: the folder cannot be written, or another run is writing into it.
    """
    place = locate(out)
    return StoredManifest.open(place) if isinstance(place, Address) else Manifest.open(place)


class StoredManifest(Manifest):
    """The manifest of an output folder in a store."""

    def __init__(self, out: Path) -> None:
        super().__init__(out)
        self.path = self.folder / "manifest"
        self._lines: dict[str, bytes] = {}

    @classmethod
    def read(cls, out: str | Path) -> StoredManifest:
        """Read the lines of all pictures."""
        found = cls(locate(out))
        folder = found.path
        assert isinstance(folder, Address)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number, data in enumerate(pool.map(read_bytes, [folder / name for name in listing(folder)]), 1):
                try:
                    for line in data.splitlines():
                        facts = json.loads(line)
                        if facts.get("format", FORMAT) > FORMAT:
                            raise FileError(f"{show(folder)} was written by a newer photochrom; use that one, or "
                                            "another output folder")
                        if "memory" in facts:
                            found.memory = facts["memory"]
                            continue
                        record = Record.read(facts)
                        found._keep(record)
                        found._lines[record.output] = data
                except (ValueError, TypeError, KeyError, AttributeError):
                    found.damaged.append(number)
        return found

    @classmethod
    def open(cls, out: str | Path) -> StoredManifest:
        """Read the manifest and clear what a killed run left."""
        found = cls.read(out)
        assert isinstance(found.parts, Address)
        remove(found.parts)
        return found

    def add(self, record: Record) -> None:
        """Write a picture's lines with one more."""
        lines = self._lines.get(record.output, b"") + record.line()
        name = hashlib.sha256(record.output.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._write(name, lines)
        self._lines[record.output] = lines
        self._keep(record)

    def keep_memory(self, chosen: int) -> int:
        """Return the memory that the first run chose for each picture; the first run's is recorded."""
        if self.memory is None:
            self._write("memory", json.dumps({"format": FORMAT, "memory": chosen}).encode() + b"\n")
            self.memory = chosen
        return self.memory

    def _write(self, name: str, data: bytes) -> None:
        place = self.path / f"{name}.jsonl"
        assert isinstance(place, Address)
        write_bytes(place, data)


@dataclass(frozen=True)
class Finding:
    """What was found wrong with a recorded picture."""

    output: Path
    trouble: str


def verify(out: str | Path) -> tuple[int, Iterator[Finding | None]]:
    """Hold every finished picture of an output folder against its manifest.

    Returns:
        How many pictures are recorded, and for each None or what is wrong with it, in order.

    Raises:
        FileError: there is no manifest, or it cannot be read.
    """
    found = read_manifest(out)
    if not (found.records or found.damaged or found.path.exists()):
        raise FileError(f"{show(out)} holds no manifest ({HIDDEN}/{found.path.name}); a run over a folder writes one")

    def check(record: Record) -> Finding | None:
        path = found.out / record.output
        if record.output_print is None:
            return Finding(path, f"was not made: {record.error}")
        try:
            now = take_print(path)
        except FileNotFoundError:
            return Finding(path, "is missing")
        except OSError as error:
            return Finding(path, f"cannot be read: {error.strerror or error}")
        return None if now.sha256 == record.output_print.sha256 else Finding(path, "is not what was made")

    def every() -> Iterator[Finding | None]:
        for number in found.damaged:
            yield Finding(found.path, f"line {number} is damaged")
        with ThreadPoolExecutor(4) as pool:   # hashing releases the interpreter lock
            yield from pool.map(check, found.records.values())

    return len(found.records) + len(found.damaged), every()
