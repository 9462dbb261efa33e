"""Colour tables in files: `.cube`, as Adobe specifies it and as others write it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.core.errors import FileError
from photochrom.io.formats import show
from photochrom.io.guard import check_output, plain, whole_file

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

SIDES = (2, 256)
"""Entries along an edge of a table of three inputs, by the specification."""
LENGTHS = (2, 65536)
_HEADER = re.compile(rb"[ \t]*(?:([A-Za-z_#][^\r\n]*)|)(?:\r\n|\r|\n|$)")


@dataclass(frozen=True)
class Lut:
    """A colour table.

    Attributes:
        values: (3, S, S, S) float32, indexed [channel, blue, green, red], or (3, S), a curve a channel.
        domain: (2, 3), the colours of the first and the last entry; None where they are 0 and 1.
        title: for people.
    """

    values: Tensor
    domain: Tensor | None = None
    title: str = ""


def read_lut(path: str | os.PathLike[str]) -> Lut:
    """Read a `.cube` file.

    Args:
        path: the file.

    Returns:
        The table.

    Raises:
        FileError: there is no such file, or it is no table, or its numbers are not as many as it says.
    """
    path = Path(path)
    name = show(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{name}: there is no such file.") from None
    except OSError as error:
        raise FileError(f"{name}: cannot be read ({plain(error.strerror or str(error))}).") from None
    return parse_cube(data, name)


def parse_cube(data: bytes, name: str) -> Lut:
    """Read the bytes of a `.cube` file; `name` is for messages.

    Example:
        >>> parse_cube(b"LUT_1D_SIZE 2\\n1 1 1\\n0 0 0\\n", "negative.cube").values[0].tolist()
        [1.0, 0.0]
    """
    import torch

    data = data.removeprefix(b"\xef\xbb\xbf")
    place, words, title = 0, {}, ""
    while place < len(data) and (line := _HEADER.match(data, place)):
        place = line.end()
        text = (line[1] or b"").decode("utf-8", "replace").strip()
        if text and not text.startswith("#"):
            key, _, rest = text.partition(" ") if " " in text else text.partition("\t")
            if key.upper() == "TITLE":
                title = rest.strip().strip('"')
            else:
                words[key.upper()] = rest
    sizes = [key for key in ("LUT_3D_SIZE", "LUT_1D_SIZE") if key in words]
    if len(sizes) != 1:
        got = "both" if sizes else "neither"
        raise FileError(f"{name}: expected a .cube table with LUT_1D_SIZE or LUT_3D_SIZE, got {got}.")
    side, cube = _size(words[sizes[0]], sizes[0], name), sizes[0] == "LUT_3D_SIZE"
    entries = side ** 3 if cube else side
    numbers = _numbers(data[place:], name)
    if numbers.size != 3 * entries:
        raise FileError(f"{name}: {sizes[0]} {side} needs {entries} colours of three numbers, the file holds "
                        f"{numbers.size / 3:.10g}.")
    low, high = _domain(words, sizes[0].replace("SIZE", "INPUT_RANGE"), name)
    table = torch.from_numpy(numbers).reshape(*((side,) * 3 if cube else (side,)), 3).movedim(-1, 0)
    usual = low == (0.0, 0.0, 0.0) and high == (1.0, 1.0, 1.0)
    return Lut(table, None if usual else torch.tensor([low, high]), title)


def _size(text: str, key: str, name: str) -> int:
    low, high = SIDES if "3D" in key else LENGTHS
    try:
        side = int(text)
    except ValueError:
        side = 0
    if not low <= side <= high:
        raise FileError(f"{name}: {key} must be a whole number from {low} to {high}, got {text.strip()[:40]!r}.")
    return side


def _domain(words: dict[str, str], both: str, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    low, high = (_three(words[key], key, name) if key in words else (usual,) * 3
                 for key, usual in (("DOMAIN_MIN", 0.0), ("DOMAIN_MAX", 1.0)))
    if both in words:   # as Resolve writes it: one range for all channels
        ends = _three(words[both] + " 0", both, name)
        low, high = (ends[0],) * 3, (ends[1],) * 3
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise FileError(f"{name}: the domain must rise from its first colour to its last, got {low} and {high}.")
    return low, high


def _three(text: str, key: str, name: str) -> tuple[float, ...]:
    import math

    try:
        found = tuple(float(word) for word in text.split())
    except ValueError:
        found = ()
    if len(found) != 3 or not all(map(math.isfinite, found)):
        raise FileError(f"{name}: {key} must be finite numbers, three or for a range two, got {text.strip()[:60]!r}.")
    return found


def _numbers(data: bytes, name: str) -> np.ndarray:
    import warnings

    import numpy as np

    if b"#" in data:
        data = re.sub(rb"#[^\r\n]*", b"", data)
    text = data.decode("latin-1")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            found = np.fromstring(text, np.float64, sep=" ") if text.strip() else np.empty(0)
        except (DeprecationWarning, ValueError):
            raise FileError(f"{name}: expected numbers, got {_stranger(text)!r}.") from None
    values = found.astype(np.float32)
    if not np.isfinite(values).all():
        raise FileError(f"{name}: expected finite numbers, got {values[~np.isfinite(values)][0]}.")
    return values


def _stranger(text: str) -> str:
    """Return the first line that is not numbers."""
    for line in text.splitlines():
        try:
            [float(word) for word in line.split()]
        except ValueError:
            return line.strip()[:60]
    return text.strip()[:60]


def write_lut(lut: Lut, path: str | os.PathLike[str], *, comments: tuple[str, ...] = (),
              overwrite: bool = False, protect: tuple[str | os.PathLike[str], ...] = ()) -> None:
    """Write a table as `.cube`, whole or not at all.

    Args:
        lut: the table.
        path: the file to write; its ending must be `.cube`.
        comments: lines to put at the top.
        overwrite: whether a file that is there may be replaced.
        protect: files that must not be replaced.

    Raises:
        FileError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".cube":
        raise FileError(f"{show(path)}: expected a name that ends in .cube.")
    check_output(path, overwrite, protect)
    with whole_file(path, overwrite) as temporary:
        temporary.write_text(format_cube(lut, comments), encoding="utf-8", newline="\n")


def format_cube(lut: Lut, comments: tuple[str, ...] = ()) -> str:
    """Return the text of a `.cube` file; nine digits hold every float32."""
    one_line = re.sub(r"[\r\n\"]+", " ", lut.title)
    head = [f"# {line}" for comment in comments for line in comment.splitlines()]
    head += [f'TITLE "{one_line}"'] if lut.title else []
    head += [f"LUT_{'3D' if lut.values.ndim == 4 else '1D'}_SIZE {lut.values.shape[-1]}"]
    if lut.domain is not None:
        head += [f"{key} " + " ".join(f"{value:.9g}" for value in ends)
                 for key, ends in zip(("DOMAIN_MIN", "DOMAIN_MAX"), lut.domain.reshape(2, 3).tolist(), strict=True)]
    numbers = lut.values.detach().float().cpu().movedim(0, -1).reshape(-1).tolist()
    return "\n".join(head) + "\n" + ("%.9g %.9g %.9g\n" * (len(numbers) // 3)) % tuple(numbers)
