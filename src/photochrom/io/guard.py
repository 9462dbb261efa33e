"""What is checked before a file is opened or written, so that every failure is one plain sentence."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from photochrom.core.errors import FileError
from photochrom.io.formats import FORMATS, READABLE, show, sniff

#: Pictures with more pixels than this are refused before anything is allocated (one gigapixel).
MAX_PIXELS = 1_000_000_000

# With fewer bytes left a failed write is put down to the full disk.
_NEARLY_FULL = 128 << 10


def known_format(path: Path) -> str:
    """Name of the format of an existing file, by its first bytes and never by its ending.

    Raises:
        FileError: There is no such file, it is a folder, empty, unreadable, or no picture.
    """
    name = show(path)
    try:
        if "\0" in os.fspath(path):
            raise FileError(f"{name}: a file name cannot hold a zero byte.")
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise FileError(f"{name}: expected a picture file, got a folder.")
        if not stat.S_ISREG(mode):
            raise FileError(f"{name}: expected a regular file, got a device or pipe.")
        with open(path, "rb") as f:
            head = f.read(256)
    except FileNotFoundError:
        raise FileError(f"{name}: there is no such file.") from None
    except NotADirectoryError:
        raise FileError(f"{name}: a part of this path is a file, not a folder.") from None
    except PermissionError:
        raise FileError(f"{name}: no permission to read this file.") from None
    except OSError as e:
        raise FileError(f"{name}: cannot be read ({plain(e.strerror or str(e))}).") from None
    if not head:
        raise FileError(f"{name}: expected a picture, got an empty file.")
    found = sniff(head)
    if found is None:
        ending = path.suffix.lower()
        claims = next((f.title for f in FORMATS.values() if ending in f.extensions), None)
        wanted = f"a {claims} picture" if claims else "a picture (" + ", ".join(READABLE) + ")"
        kind = "text" if _looks_like_text(head) else "an unknown kind of data"
        raise FileError(f"{name}: expected {wanted}, got {kind}.")
    return found


def check_size(path: Path, width: int, height: int, limit: int) -> None:
    """Refuse pictures with more pixels than the limit.

    Raises:
        FileError: The picture declares more than `limit` pixels.
    """
    if width < 1 or height < 1:
        raise FileError(f"{show(path)}: expected at least one pixel, the file declares {width} x {height}.")
    if width * height > limit:
        raise FileError(
            f"{show(path)}: the file declares {width} x {height} pixels, "
            f"more than the limit of {limit / 1e6:.6g} megapixels."
        )


def check_output(path: Path, overwrite: bool, protect: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse outputs that would destroy something or cannot be written.

    Args:
        path: File to be written.
        overwrite: Whether an existing file may be replaced.
        protect: Files that must not be replaced even then (the inputs).

    Raises:
        FileError: In each of those cases.
    """
    name = show(path)
    if "\0" in os.fspath(path):
        raise FileError(f"{name}: a file name cannot hold a zero byte.")
    for other in protect:
        if _same(path, Path(other)):
            raise FileError(f"{name}: the output is the same file as the input {show(other)}; choose another name.")
    if path.is_dir():
        raise FileError(f"{name}: expected a file name for the output, got a folder.")
    folder = path.parent
    if not folder.exists():
        raise FileError(f"{name}: the folder {show(folder)} does not exist.")
    if not folder.is_dir():
        raise FileError(f"{name}: {show(folder)} is a file, expected a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"{name}: no permission to write into the folder {show(folder)}.")
    if not overwrite and os.path.lexists(path):
        raise FileError(f"{name}: the output exists already; allow overwriting or choose another name.")


@contextmanager
def whole_file(path: Path, overwrite: bool, staged: Path | None = None) -> Iterator[Path]:
    """A temporary name beside the target that becomes the target on success and vanishes on any failure.

    Args:
        path: The target.
        overwrite: Whether an existing file may be replaced.
        staged: Where the finished file goes instead, whole or not at all; the caller then puts it in its place.

    Yields:
        The temporary path, an empty file with the target's ending.
    """
    # The name is plain and short: the target's own may be as long as the file system allows.
    place = path if staged is None else staged
    temporary = place.parent / f".photochrom-{os.getpid()}-{os.urandom(6).hex()}{path.suffix.lower()}"
    _unfinished.add(temporary)
    try:
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
        except OSError as e:
            raise FileError(f"{show(path)}: cannot be written ({plain(e.strerror or str(e))}).") from None
        if staged is None:
            put_in_place(temporary, path, overwrite)
        else:
            os.replace(temporary, staged)
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


_unfinished: set[Path] = set()


def abandon_files() -> None:
    """Remove the temporary files of writes under way: only for a process that ends now."""
    for temporary in list(_unfinished):
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def put_in_place(finished: Path, path: Path, overwrite: bool) -> None:
    """Give a finished file its name, at once.

    Args:
        finished: A file in the target's file system; elsewhere it is copied beside the target first.
        path: The target.
        overwrite: Whether an existing file may be replaced.

    Raises:
        FileError: The target exists and may not be replaced, or the name cannot be given.
    """
    try:
        if overwrite:
            os.replace(finished, path)
        else:
            _link(finished, path)
    except FileExistsError:
        raise FileError(f"{show(path)}: the output exists already; allow overwriting.") from None
    except OSError as e:
        if e.errno != errno.EXDEV:
            raise FileError(f"{show(path)}: cannot be written ({plain(e.strerror or str(e))}).") from None
        with whole_file(path, overwrite) as beside:
            shutil.copy2(finished, beside)
        finished.unlink()


def _link(finished: Path, path: Path) -> None:
    # A hard link fails when the name was taken meanwhile; a rename would silently replace it.
    try:
        os.link(finished, path)
    except FileExistsError:
        raise
    except OSError as e:
        if e.errno == errno.EXDEV:
            raise
        # File systems without hard links (FAT, some network mounts).
        if os.path.lexists(path):
            raise FileExistsError from None
        os.replace(finished, path)
    else:
        os.unlink(finished)


def why_not_written(temporary: Path, message: str) -> str:
    """The reason of a failed write in a few words; libraries seldom pass on that the disk is full."""
    try:
        disk = os.statvfs(temporary.parent)
        full = disk.f_bavail * disk.f_frsize < _NEARLY_FULL
    except (OSError, AttributeError):
        full = False
    return "the disk is full" if full or "No space left" in message else plain(message)


def plain(message: str) -> str:
    """One short line out of a library's message, without its function names."""
    lines = [line.strip() for line in message.splitlines() if line.strip() and not line.startswith("unable to call")]
    text = lines[0] if lines else "unknown reason"
    text = re.sub(r"^(?:[\w/]+: )+", "", text)
    return text.rstrip(". ").lower() if text[:1].isupper() and not text[:2].isupper() else text.rstrip(". ")


def _same(a: Path, b: Path) -> bool:
    try:
        if os.path.samefile(a, b):
            return True
    except OSError:
        pass
    return os.path.realpath(a) == os.path.realpath(b)


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as e:
        if e.start < len(head) - 3:
            return False
        text = head[: e.start].decode("utf-8")
    return all(c.isprintable() or c in "\t\r\n\f" for c in text)
