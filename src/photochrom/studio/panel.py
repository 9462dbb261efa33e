"""The form of the operation in hand, made anew whenever another one is chosen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.engine.pictures import run
from photochrom.studio import desk
from photochrom.studio.forms import UPLOADS, controls_of, file_ports, label, read
from photochrom.studio.guide import explain
from photochrom.studio.history import Entry
from photochrom.studio.sessions import Session
from photochrom.studio.wires import QUIET, RENDER, Wires
from photochrom.studio.words import prose

_UNNAMED = re.compile(r"^[0-9a-f]{8}-")
"""What `Session.adopt` puts before the name of a file."""
_POINTS = 65
"""Of a drawn curve."""


def build(wires: Wires) -> None:
    """Lay the form out where Gradio is building the page."""
    @gr.render(inputs=[wires.token, wires.form], triggers=[wires.form.change], **RENDER)
    def form(token: str, key: str) -> None:
        session = wires.store.find(token) if token else None
        if session is None or session.draft is None:
            gr.HTML("<p class='pc-help'>Choose an operation above; its controls appear here.</p>", padding=False)
            return
        _form(wires, session)


def _form(wires: Wires, session: Session) -> None:
    draft = desk.need_draft(session)
    entry = draft.entry
    operation = entry.operation
    place = "new step" if draft.at is None else f"step {draft.at + 1}"
    gr.HTML(f"<h3>{label(entry.op)} <small class='pc-help'>{place}</small></h3><p class='pc-help'>"
            f"{prose(operation.doc.summary)}</p>", padding=False)
    _tools(wires, session)
    helps = {port["name"]: port["help"] for port in operation.describe()["ports"]}
    for name, port in file_ports(operation):
        _file(wires, session, name, helps[name], ".cube" if port.kind == "table" else "", port.optional)
    if "mask" not in operation.ports and entry.takes_mask:
        _file(wires, session, "mask", "a picture for the mask instead of painting: white acts fully", "", True)
    fields = controls_of(entry, _bands(session), drawn)
    names = [field.name for field in fields]
    parts = [field.part for field in fields]

    def changed(session: Session, *given: Any) -> None:
        values, strength = read(operation, names, given)
        if session.draft is not None and session.draft.entry.op == operation.name:
            desk.put(session, values, strength)

    curves = [field.part for field in fields if field.name in operation.controls
              and operation.controls[field.name].kind == "curve"]

    def changed_curve(token: str, *given: Any) -> tuple[Any, ...]:
        shown = wires.quick(changed)(token, *given)
        session = wires.store.find(token)
        line = [] if session is None or session.draft is None else drawn(session.draft.entry)
        return (*shown, *[gr.update(drawn=line) for _ in curves])

    for field in fields:
        getattr(field.part, field.event)(changed_curve if curves else wires.quick(changed), [wires.token, *parts],
                                         [*wires.fast, *curves], trigger_mode="always_last", concurrency_limit=None,
                                         **QUIET)
    _picking(wires, operation, dict(zip(names, parts, strict=True)))
    with gr.Row():
        new = draft.at is None
        keep = gr.Button("Add this step" if new else "Keep the change", variant="primary", elem_id="keep-step")
        leave = gr.Button("Discard" if new else "Leave as it was", elem_id="leave-step")
    keep.click(wires.whole(desk.keep), [wires.token], wires.full, **QUIET)
    leave.click(wires.whole(_leave), [wires.token], wires.full, **QUIET)
    explain(wires, entry.op)


def drawn(entry: Entry) -> list[list[float]]:
    """Return the curve that an operation makes of a ramp, to be drawn through its points."""
    if not entry.operation.channelwise:
        return []
    ramp = torch.linspace(0, 1, _POINTS)
    made = run(replace(entry, files={}, strength=1.0).step(), ramp.reshape(1, 1, 1, _POINTS))
    return [[round(x, 4), round(y, 4)] for x, y in zip(ramp.tolist(), made.flatten().tolist(), strict=True)]


def _leave(session: Session) -> None:
    session.draft = None


def _bands(session: Session) -> dict[str, list[float]]:
    """Return the histogram of what the operation gets, to be drawn behind a curve."""
    from photochrom.core.errors import PhotochromError
    from photochrom.studio.previews import samples, shares

    if session.copy is None or not any(control.kind == "curve" for control in
                                       desk.need_draft(session).entry.operation.controls.values()):
        return {}
    try:
        return shares(samples(session.chain.run(session.copy, desk.base(session), session.folder)))
    except PhotochromError:
        return {}


def _tools(wires: Wires, session: Session) -> None:
    tools = desk.tools_of(desk.need_draft(session).entry)
    if not tools:
        return
    choice = gr.Radio([("look", ""), *tools], value=session.tool, label="on the picture", elem_id="picture-tool",
                      visible=len(tools) > 1, interactive=True)

    def take(session: Session, tool: str) -> None:
        session.tool = tool or ""

    choice.input(wires.quick(take), [wires.token, choice], wires.fast, **QUIET)


def _file(wires: Wires, session: Session, name: str, help: str, ending: str, optional: bool) -> None:
    with gr.Accordion(f"{label(name)} from a file" + ("" if not optional else " (not needed)"), open=not optional):
        gr.HTML(f"<p class='pc-help'>{prose(help)}</p>", padding=False)
        known = desk.need_draft(session).entry.files.get(name)
        called = label(name) if known is None else f"{label(name)}: {_UNNAMED.sub('', known)}"
        part = gr.File(label=called, type="filepath", file_types=[ending] if ending else UPLOADS, height=110,
                       elem_id=f"port-{name}")

        def bind(session: Session, path: str | None) -> None:
            desk.bind(session, name, path, Path(path).name if path else "")

        part.upload(wires.whole(bind), [wires.token, part], wires.full, **QUIET)
        if known is not None:
            away = gr.Button("Take it away", size="sm")
            away.click(wires.whole(lambda session: desk.bind(session, name, None)), [wires.token], wires.full, **QUIET)


def _picking(wires: Wires, operation: Operation, parts: dict[str, Any]) -> None:
    """Connect the picture with the fields whose values are chosen on it."""
    names = [name for name, part in parts.items() if isinstance(part, gr.Textbox)]
    names += [choice for name in names for choice in desk.chosen_by(operation, name)]
    texts = [parts[name] for name in names]

    def values(session: Session) -> list[str]:
        return [desk.value_text(session, name) for name in names]

    def listen(event: Any, kind: str, change: Any) -> None:
        def answer(token: str, event: gr.EventData) -> tuple[Any, ...]:
            return wires.newest(kind, change, token, event._data, more=values, extra=len(names))

        event(answer, [wires.token], [*wires.fast, *texts], trigger_mode="multiple", concurrency_limit=None, **QUIET)

    listen(wires.easel.picked, "picked", lambda session, data: desk.pick(session, data["points"]))
    listen(wires.easel.boxed, "boxed", lambda session, data: desk.draw_box(session, data["box"]))
    listen(wires.easel.moved, "moved", lambda session, data: desk.move(session, data["x"], data["y"]))
    listen(wires.easel.painted, "painted", lambda session, data: desk.paint(session, data["layer"], data["data"]))


def names_by_chapter() -> dict[str, list[str]]:
    """Return the operations that can be steps, by chapter, as the registry lists them."""
    found: dict[str, list[str]] = {}
    for name in registry.names():
        operation = registry.get(name)
        if operation.chains:
            found.setdefault(operation.describe()["chapter"], []).append(name)
    return found
