"""Stores that have addresses, such as s3://bucket/photos: what fsspec opens, seen as paths.

A file of a store is read as a whole into a local file and written as a whole from one: in an object store a file is
there when all of it is there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from photochrom.core.errors import FileError
from photochrom.io.formats import show

_VERSIONS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
"""What stores call the fact by which a change is seen, the best first."""


class Address(type(Path())):   # type: ignore[misc]
    """A place in a store; it is joined and taken apart as a path, and its text is the address."""

    def __str__(self) -> str:
        head, *rest = self.parts
        return f"{head}{'///' if head == 'local:' else '//'}{'/'.join(rest)}"

    def __fspath__(self) -> str:
        return str(self)

    def relative_to(self, *other: Any) -> Path:
        """Return what follows `other`, as a plain path."""
        return Path(*super().relative_to(*other).parts)

    def is_dir(self) -> bool:
        """Tell whether it names a folder."""
        with _told(self):
            fs, path = _open(self)
            return bool(fs.isdir(path))


def locate(text: str | os.PathLike[str]) -> Path:
    """Return what a user wrote as a path: an `Address` where it is one, a plain path for file:// too.

    Raises:
        FileError: it is one address inside another, as in zip://a.png::s3://bucket/all.zip.

    Example:
        >>> locate("s3://bucket/2024") / "a.jpg"
        Address('s3://bucket/2024/a.jpg')
        >>> locate("file:///data").as_posix()
        '/data'
    """
    if isinstance(text, Path):
        return text
    found = re.fullmatch(r"([a-z][a-z0-9+.-]+)://(.+)", os.fspath(text), re.IGNORECASE | re.DOTALL)
    if not found:
        return Path(text)
    scheme, rest = found[1].lower(), found[2]
    if "::" in rest:
        raise FileError(f"{show(text)}: an address inside another is not supported; copy or unpack what it names.")
    if scheme == "file":
        return Path("/" + rest.lstrip("/"))
    return Address(f"{scheme}:/{rest.lstrip('/')}")


def listing(address: Address) -> list[Path]:
    """Return the files below a folder of a store, relative to it.

    Raises:
        FileError: it cannot be read.
    """
    with _told(address):
        fs, path = _open(address)
        base = path.rstrip("/")
        return [Path(name[len(base):].lstrip("/")) for name in fs.find(path)]


def look(address: Address) -> tuple[int, int] | None:
    """Return a file's size and a number that is another one when the file was changed, None if it is not there."""
    try:
        fs, path = _open(address)
        facts = fs.info(path)
    except Exception:   # each store has errors of its own; opening the file then says why
        return None
    if facts.get("type") == "directory":
        return None
    version = next((repr(facts[name]) for name in _VERSIONS if facts.get(name) is not None), "")
    return int(facts.get("size") or 0), int(hashlib.sha256(version.encode()).hexdigest()[:15], 16)


def fetch(address: Address, file: Path) -> None:
    """Copy a file of a store into a local one.

    Raises:
        FileError: it cannot be read.
    """
    with _told(address):
        fs, path = _open(address)
        fs.get_file(path, os.fspath(file))


def read_bytes(address: Address) -> bytes:
    """Return the contents of a small file.

    Raises:
        FileError: it cannot be read.
    """
    with _told(address):
        fs, path = _open(address)
        return bytes(fs.cat_file(path))


def send(file: Path, address: Address) -> None:
    """Copy a local file into a store.

    Raises:
        FileError: it cannot be written.
    """
    with _writing(address) as (fs, path):
        fs.put_file(os.fspath(file), path)


def write_bytes(address: Address, data: bytes) -> None:
    """Write a small file.

    Raises:
        FileError: it cannot be written.
    """
    with _writing(address) as (fs, path):
        fs.pipe_file(path, data)


def move(source: Address, target: Address, overwrite: bool) -> None:
    """Give a file of a store another name: at once where the store can rename, else by a copy inside the store.

    Raises:
        FileError: the target exists and may not be replaced, or it cannot be written.
    """
    from fsspec import AbstractFileSystem

    with _told(target, "written"):
        fs, path = _open(target)
        old = _open(source)[1]
        if not overwrite and fs.exists(path):
            raise FileError(f"{show(target)}: the output exists already; allow overwriting.")
        fs.makedirs(fs._parent(path), exist_ok=True)
        if type(fs).mv is AbstractFileSystem.mv:   # would read * and [ in a name as a pattern
            fs.cp_file(old, path)
            fs.rm_file(old)
        else:
            fs.mv(old, path)
        fs.invalidate_cache()


def remove(address: Address) -> None:
    """Remove a file or a folder with all in it, if it is there."""
    with suppress(FileNotFoundError, FileError), _told(address, "written"):
        fs, path = _open(address)
        if fs.exists(path):
            fs.rm(path, recursive=True)


def _open(address: Address) -> tuple[Any, str]:
    import fsspec

    return fsspec.core.url_to_fs(str(address))  # type: ignore[no-any-return]


@contextmanager
def _writing(address: Address) -> Iterator[tuple[Any, str]]:
    """Open a store to write a file whose folder is there."""
    with _told(address, "written"):
        fs, path = _open(address)
        fs.makedirs(fs._parent(path), exist_ok=True)
        yield fs, path


@contextmanager
def _told(address: Address, done: str = "read") -> Iterator[None]:
    """Turn whatever a store raises into one sentence."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{show(address)}: there is no such file.") from None
    except Exception as error:   # botocore, aiohttp, paramiko and others have classes of their own
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise FileError(f"{show(address)}: cannot be {done} ({reason}).") from None
