"""The words of a declaration as the page shows them."""

from __future__ import annotations

import html
import re

_TENSORS = (re.compile(r"[;,] a tensor (?:\([^)]*\)|[^;,.(])*"), re.compile(r" As a tensor [^.]*\."))
_CODE = re.compile(r"`([^`]+)`")


def plainly(text: str) -> str:
    """Leave out what is said to programmers alone: which tensors a control takes too.

    Example:
        >>> plainly("in degrees; 0 changes nothing; a tensor () or (B,) has a gradient.")
        'in degrees; 0 changes nothing.'
    """
    for part in _TENSORS:
        text = part.sub("", text)
    return text


def prose(text: str) -> str:
    """Return a text as HTML, with what stands between backticks as code.

    Example:
        >>> prose("below `low` < 1")
        'below <code>low</code> &lt; 1'
    """
    return _CODE.sub(r"<code>\1</code>", html.escape(plainly(text), quote=False))
