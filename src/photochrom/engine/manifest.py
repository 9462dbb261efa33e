"""The manifest of an output folder: what was made of what, by which recipe; one line of JSON for each picture.

The file is only ever appended to, one whole line by one write, by the one process that holds the lock. A line is
written before its picture gets its name: whenever a run is killed, each picture in the folder has its line, and a line
without its picture is work to be done again. What stands behind the last line end was cut off by a kill.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from photochrom.core.errors import FileError
from photochrom.io.formats import show
from photochrom.io.stores import Address, fetch, look

HIDDEN = ".photochrom"
"""The folder inside an output folder: manifest, lock, and pictures that are not finished."""
FORMAT = 1


@dataclass(frozen=True)
class Print:
    """What a file is known by again: size and time of change at once, the hash where these differ."""

    size: int
    mtime_ns: int
    sha256: str

    @property
    def stamp(self) -> tuple[int, int]:
        """Return size and time of change."""
        return self.size, self.mtime_ns


@dataclass(frozen=True)
class Record:
    """One picture in the manifest.

    Attributes:
        output: Its name within the output folder.
        source: The picture it was made of.
        source_print: What that file was known by, None where it could not be read.
        others: Further pictures that belong to this one alone, such as its mask: port to (name, print).
        recipe: Hash of the recipe and of how results are written.
        version: Of photochrom.
        output_print: What the finished file is known by, None where it failed.
        width: Of the result.
        height: Of the result.
        seconds: It took.
        time: When it was made, UTC.
        notes: What was not carried over.
        error: The sentence that says why there is no result.
    """

    output: str
    source: str
    source_print: Print | None
    recipe: str
    version: str
    output_print: Print | None = None
    others: dict[str, tuple[str, Print]] = dataclasses.field(default_factory=dict)
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    time: str = ""
    notes: tuple[str, ...] = ()
    error: str | None = None

    def line(self) -> bytes:
        """Return the record as one line; names that are not UTF-8 come back as they were."""
        facts = {key: value for key, value in dataclasses.asdict(self).items() if value not in (None, (), {})}
        return json.dumps(facts).encode("ascii") + b"\n"

    @staticmethod
    def read(facts: dict[str, Any]) -> Record:
        """Make a record of a line that was read."""
        for name in ("source_print", "output_print"):
            if facts.get(name):
                facts[name] = Print(**facts[name])
        facts.setdefault("source_print", None)
        facts["notes"] = tuple(facts.get("notes", ()))
        facts["others"] = {port: (name, Print(**found)) for port, (name, found) in facts.get("others", {}).items()}
        return Record(**facts)


class Manifest:
    """The manifest of one output folder. Read it with `read`; `open` it, as a context manager, to write.

    Attributes:
        records: The last record of each result, by its name within the folder.
        made: Hashes of all that was ever made under a name: such a file is ours, and may be replaced.
        damaged: Lines that could not be read.
        memory: Bytes that each picture may take, as the first run chose them; None where it did not.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out / HIDDEN
        self.parts = self.folder / "parts"
        self.records: dict[str, Record] = {}
        self.made: dict[str, set[str]] = {}
        self.damaged: list[int] = []
        self.memory: int | None = None
        self.path = self.folder / "manifest.jsonl"
        self._file: int | None = None
        self._lock: int | None = None
        self._end = 0

    @classmethod
    def read(cls, out: str | Path) -> Manifest:
        """Read a folder's manifest, empty where there is none.

        Raises:
            FileError: it cannot be read, or is of a newer version.
        """
        found = cls(Path(out))
        try:
            data = found.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return found
        except OSError as error:
            raise FileError(f"{show(found.path)} cannot be read: {error.strerror or error}") from None
        found._end = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:found._end].splitlines(), 1):
            try:
                facts = json.loads(line)
                if "photochrom" in facts:
                    if facts["format"] > FORMAT:
                        raise FileError(f"{show(found.path)} was written by a newer photochrom; use that one, or "
                                        "another output folder")
                    found.memory = facts.get("memory", found.memory)
                    continue
                found._keep(Record.read(facts))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                if isinstance(error, FileError):
                    raise
                found.damaged.append(number)
        return found

    @classmethod
    def open(cls, out: str | Path) -> Manifest:
        """Make the folder if need be, take its lock, clear what a killed run left, and read the manifest.

        Raises:
            FileError: the folder cannot be written, or another run is writing into it.
        """
        fresh = cls(Path(out))
        try:
            fresh.folder.mkdir(parents=True, exist_ok=True)
            fresh._take_lock()
        except OSError as error:
            raise FileError(f"{show(out)} cannot be written: {error.strerror or error}") from None
        try:
            found = cls.read(out)
            found._lock = fresh._lock
            shutil.rmtree(found.parts, ignore_errors=True)
            found.parts.mkdir(exist_ok=True)
            found._file = os.open(found.path, os.O_RDWR | os.O_CREAT, 0o666)
            os.ftruncate(found._file, found._end)
            if not found._end:
                found._append(json.dumps({"photochrom": "manifest", "format": FORMAT}).encode() + b"\n")
        except OSError as error:
            fresh.close()
            raise FileError(f"{show(fresh.path)} cannot be written: {error.strerror or error}") from None
        except BaseException:
            fresh.close()
            raise
        return found

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the lock; unfinished pictures are removed by the next run."""
        for handle in (self._file, self._lock):
            if handle is not None:
                os.close(handle)
        self._file = self._lock = None

    def add(self, record: Record) -> None:
        """Append a record.

        Raises:
            FileError: it cannot be written, as on a full disk; the manifest is as it was.
        """
        try:
            self._append(record.line())
        except OSError as error:
            raise FileError(f"{show(self.path)} cannot be written: {error.strerror or error}") from None
        self._keep(record)

    def keep_memory(self, chosen: int) -> int:
        """Return the memory that the first run chose for each picture; the first run's is recorded.

        What is free differs from day to day, how a picture is cut follows from it, and its last bit may follow from the
        cut: a run that goes on must cut as before.
        """
        if self.memory is None:
            self._append(json.dumps({"photochrom": "memory", "format": FORMAT, "memory": chosen}).encode() + b"\n")
            self.memory = chosen
        return self.memory

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        try:
            if os.pwrite(self._file, line, self._end) != len(line):
                raise OSError(0, "no space left on device")
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(line)

    def _keep(self, record: Record) -> None:
        self.records[record.output] = record
        if record.output_print is not None:
            self.made.setdefault(record.output, set()).add(record.output_print.sha256)

    def _take_lock(self) -> None:
        path = self.folder / "lock"
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            import fcntl
        except ImportError:   # such systems have no lock of this kind
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)   # ends with the process, however it ends
        except BlockingIOError:
            who = os.pread(self._lock, 200, 0).decode(errors="replace").strip() or "another process"
            self.close()
            raise FileError(f"another run is writing into {show(self.out)} ({who}); wait for it, or choose another "
                            "output folder") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)


def take_print(path: Path) -> Print:
    """Read a file and return what it is known by.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    if isinstance(path, Address):
        return _print_of(path)
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:   # a pipe must not block
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError(0, "no regular file")
        return Print(before.st_size, before.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())


def _print_of(address: Address) -> Print:
    with tempfile.TemporaryDirectory(prefix="photochrom-") as folder:
        before, copy = look(address), Path(folder) / "copy"
        try:
            fetch(address, copy)
        except FileError as error:
            raise FileNotFoundError(0, str(error)) if before is None else OSError(0, str(error)) from None
        found = take_print(copy)
        return found if before is None else dataclasses.replace(found, mtime_ns=before[1])


def stamp(path: Path) -> tuple[int, int] | None:
    """Return size and time of change of a file, None if it is not there; in a store, what `look` tells."""
    if isinstance(path, Address):
        return look(path)
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns
