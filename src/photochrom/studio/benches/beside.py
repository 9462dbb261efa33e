"""Pictures that an operation takes besides its own, shown beside it: references with their histograms, and sources on
which the part to be taken is painted."""

from __future__ import annotations

from typing import Any

import gradio as gr

from photochrom.core.errors import PhotochromError
from photochrom.studio import desk, layers, parts
from photochrom.studio.forms import label, painted_beside
from photochrom.studio.history import Entry
from photochrom.studio.previews import encode, samples, scaled_copy, shares
from photochrom.studio.sessions import Session
from photochrom.studio.wires import QUIET, RENDER, Wires, sentence, trouble
from photochrom.studio.words import prose


def build(wires: Wires) -> None:
    """Lay the bench out where Gradio is building the page."""
    @gr.render(inputs=[wires.token, wires.form], triggers=[wires.form.change], **RENDER)
    def beside(token: str, key: str) -> None:
        session = wires.store.find(token) if token else None
        if session is None or session.draft is None or session.copy is None:
            return
        entry = session.draft.entry
        for name in shown_ports(entry):
            _picture(wires, session, entry, name)


def shown_ports(entry: Entry) -> list[str]:
    """Return the ports whose pictures are shown beside the picture."""
    return [name for name, port in entry.operation.ports.items()
            if name in entry.files and port.kind == "picture" and not port.aligned and not name.endswith("mask")]


def _picture(wires: Wires, session: Session, entry: Entry, name: str) -> None:
    stored = samples(scaled_copy(session.folder / entry.files[name], session.limits.pixels).photo)
    value: dict[str, Any] = {"after": session.show(encode(stored)), "tool": "look", "alt": label(name)}
    mask = painted_beside(entry.operation, name)
    try:
        size, whole = desk.sizes_for(session, mask) if mask else ((stored.shape[1], stored.shape[0]),) * 2
    except PhotochromError as error:
        gr.HTML(trouble(sentence(error)))
        return
    value["full"] = list(whole)
    if mask is not None:
        kept = entry.files.get(mask)
        shown = None if kept is None else session.show(
            layers.as_png(layers.to_screen(session.folder / kept, size, False)))
        value |= {"tool": "paint", "full_input": list(whole), "input": value["after"], "layer": {
            "name": mask, "key": f"{desk.need_draft(session).number}:{mask}:{kept}", "size": list(size), "url": shown,
            "coloured": False, "eager": kept is None}}
    helps = {port["name"]: port["help"] for port in entry.operation.describe()["ports"]}
    words = f" Paint what counts of it ({helps[mask].rstrip('.')})." if mask else ""
    with gr.Group(elem_classes="pc-beside"):
        gr.HTML(f"<h4>{label(name)}</h4><p class='pc-help'>{prose(helps[name] + words)}</p>", padding=True)
        easel = parts.easel(value, elem_id=f"beside-{name}")
        parts.histogram({label(name): shares(stored)})

    def painted(token: str, event: gr.EventData) -> tuple[Any, ...]:
        return wires.newest(f"painted {name}", lambda session, data: desk.paint(session, data["layer"], data["data"]),
                            token, event._data)

    easel.painted(painted, [wires.token], wires.fast, trigger_mode="multiple", concurrency_limit=None, **QUIET)
