"""Docstrings as data: Google style, read once and held against the signature."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

from photochrom.core.errors import DeclarationError

_SECTIONS = ("Args", "Returns", "Raises", "Reference", "Example")


@dataclass(frozen=True)
class Doc:
    """The parts of an operation's docstring."""

    summary: str
    body: str
    args: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)


def parse_docstring(text: str) -> Doc:
    """Split a Google-style docstring into summary, body, arguments and sections.

    Example:
        >>> parse_docstring("Blur.\\n\\nSoftens.\\n\\nArgs:\\n    sigma: width in pixels\\n").args
        {'sigma': 'width in pixels'}
    """
    parts = re.split(rf"^({'|'.join(_SECTIONS)}):[ ]*", inspect.cleandoc(text), flags=re.MULTILINE)
    head, *rest = parts
    summary, _, body = head.strip().partition("\n\n")
    sections = {name: inspect.cleandoc("\n" + content) for name, content in zip(rest[::2], rest[1::2], strict=True)}
    args = {name: " ".join(words.split())
            for name, words in re.findall(r"^(\w+): (.*(?:\n[ ]+.*)*)", sections.get("Args", ""), flags=re.MULTILINE)}
    return Doc(" ".join(summary.split()), " ".join(body.split()), args, sections)


def check_docstring(name: str, doc: Doc, taken: list[str]) -> None:
    """Raise `DeclarationError` unless the docstring is complete and documents exactly the arguments `taken`."""
    if not doc.summary.endswith("."):
        raise DeclarationError(f"{name}: the docstring must open with one sentence ending in a full stop")
    if not doc.body:
        raise DeclarationError(f"{name}: the docstring must say what the operation does to a picture")
    for section in _SECTIONS:
        if not doc.sections.get(section, "").strip():
            raise DeclarationError(f"{name}: the docstring lacks its section '{section}:'")
    for argument in taken:
        if not doc.args.get(argument):
            raise DeclarationError(f"{name}: argument '{argument}' is not documented")
    for argument in doc.args:
        if argument not in taken:
            raise DeclarationError(f"{name}: the docstring documents '{argument}', which the operation does not take")
    if ">>>" not in doc.sections["Example"]:
        raise DeclarationError(f"{name}: the example must be one that can be run")
