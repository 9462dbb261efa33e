"""Series of numbers for commands: typed, from a file, or, for exposure times, from the photographs themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from photochrom.core.errors import ControlError


def read_numbers(text: str) -> list[float]:
    """Read numbers such as `0.5,1/60,2`, or those in a file: separated by commas, blanks or line ends, or JSON.

    Example:
        >>> read_numbers("0.5,1/4")
        [0.5, 0.25]
    """
    words = _text(text)
    try:
        if words.lstrip().startswith(("{", "[")):
            return _flat(json.loads(words))
        return [_number(word) for word in words.replace(",", " ").split()]
    except (ValueError, ZeroDivisionError, TypeError):
        raise ControlError(f"expected numbers separated by commas, or a file of them, got {text!r}") from None


def exposure_times(text: str | None, paths: Sequence[Path], exifs: Sequence[bytes | None], who: str) -> list[float]:
    """Find the exposure time of each photograph, in seconds.

    Args:
        text: what was typed: seconds in the order of the files, or the name of a file; None to ask the photographs.
        paths: the photographs.
        exifs: their EXIF blocks.
        who: the operation, for messages.

    Returns:
        A time for each photograph. A file may hold numbers in the order of the photographs, or a table: on each line
        the name of a photograph and its time. If a heading names the columns, the one called exposure or time holds
        seconds, one called 1/... their reciprocals; else the second column holds seconds.
    """
    if text is None:
        from photochrom.io.exposure import exposure_time

        known = [exposure_time(exif) for exif in exifs]
        silent = [path.name for path, seconds in zip(paths, known, strict=True) if seconds is None]
        if silent:
            raise ControlError(f"{who} needs exposure times, but {silent[0]} does not tell its own; give --times as "
                               "seconds in the order of the files, or as a list file")
        return [seconds for seconds in known if seconds is not None]
    table = _table(_text(text)) if Path(text).is_file() else {}
    if not table:
        return read_numbers(text)
    missing = [path.name for path in paths if path.name not in table]
    if missing:
        raise ControlError(f"{who}: {text} must tell the exposure time of every picture, got none for {missing[0]}")
    return [table[path.name] for path in paths]


def _text(text: str) -> str:
    if not Path(text).is_file():
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ControlError(f"expected a text file of numbers, got {text!r}") from None


def _table(text: str) -> dict[str, float]:
    """Return times by file name, empty if the text is not a table of them."""
    column, inverse, found = 1, False, {}
    for line in text.splitlines():
        words = line.lstrip("#").replace(",", " ").split()
        if len(words) < 2 or _is_number(words[0]):
            continue
        if line.lstrip().startswith("#") or not any(map(_is_number, words[1:])):
            names = [word.lower() for word in words]
            named = [k for k, name in enumerate(names) if k and name.startswith(("exposure", "time"))]
            shutter = [k for k, name in enumerate(names) if k and name.startswith("1/")]
            if named or shutter:
                column, inverse = (named or shutter)[0], not named
        elif column < len(words) and _is_number(words[column]):
            value = _number(words[column])
            found[Path(words[0]).name] = 1 / value if inverse and value else value
    return found


def _is_number(word: str) -> bool:
    try:
        _number(word)
    except (ValueError, ZeroDivisionError):
        return False
    return True


def _number(word: str) -> float:
    top, _, bottom = word.partition("/")
    return float(top) / float(bottom) if bottom else float(top)


def _flat(data: Any) -> list[float]:
    if isinstance(data, dict):
        data = list(data.values())
    return [number for part in data for number in _flat(part)] if isinstance(data, list) else [float(data)]
