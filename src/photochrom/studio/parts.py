"""The page's own components: what Gradio has no part for. Their browser code lies in `web`.

They are made, not derived: Gradio writes a stub file beside every class derived from a component of its own.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

SCRIPTS = ("parts.js", "picker.js", "drawing.js", "easel.js")
SIGNALS = ("input", "acted", "painted", "picked", "boxed", "moved")
"""What they may tell the page; Gradio finds these names in the browser code."""
_HEAD = "".join(f'<script src="web/{name}"></script>' for name in SCRIPTS)


def dial(value: float, **given: Any) -> gr.HTML:
    """Return a number's component: a slider over the soft range, a field over the hard range."""
    return _own("dial", value, given)


def curve(value: list[list[float]], **given: Any) -> gr.HTML:
    """Return the component of a tone curve by its points."""
    return _own("curve", value, given)


def picker(value: list[dict[str, str]], **given: Any) -> gr.HTML:
    """Return the list of operations to choose from."""
    return _own("picker", value, given)


def stack(value: list[dict[str, Any]], **given: Any) -> gr.HTML:
    """Return the stack of steps."""
    return _own("stack", value, given)


def histogram(value: dict[str, Any], **given: Any) -> gr.HTML:
    """Return histograms, side by side, by name."""
    return _own("histogram", value, given)


def easel(value: dict[str, Any], **given: Any) -> gr.HTML:
    """Return the picture and what is drawn over it."""
    return _own("easel", value, given)


def _own(kind: str, value: Any, given: dict[str, Any]) -> gr.HTML:
    """Return an empty box that browser code fills and keeps up to date."""
    signals = " ".join(f"'{name}'" for name in SIGNALS)
    return gr.HTML(value, html_template=f"<div class='pc-{kind}'></div>", apply_default_css=False, head=_HEAD,
                   js_on_load=f"photochrom.{kind}(element, props, trigger, watch); /* {signals} */", **given)
