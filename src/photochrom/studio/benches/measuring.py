"""The bench for operations that tell something of a picture instead of changing it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from photochrom.core.registry import registry
from photochrom.studio import outputs
from photochrom.studio.forms import controls_of, label, read
from photochrom.studio.history import Entry
from photochrom.studio.results import lines
from photochrom.studio.wires import RENDER, Wires, sentence, trouble
from photochrom.studio.words import prose


def operations() -> list[str]:
    """Return the operations on one picture that give data."""
    return [name for name in registry.names()
            if registry.get(name).result == "data" and registry.get(name).main == "image"]


def build(wires: Wires) -> None:
    """Lay the bench out where Gradio is building the page."""
    gr.HTML("<p class='pc-help'>What can be told of the picture as it is after its steps, at full size.</p>",
            padding=False)
    which = gr.Radio([(label(name), name) for name in operations()], value=operations()[0], label="operation",
                     elem_id="measure-operation")
    said = gr.HTML("", padding=False, elem_id="measure-said")

    @gr.render(inputs=[which], **RENDER)
    def form(name: str) -> None:
        operation = registry.get(name)
        gr.HTML(f"<p class='pc-help'>{prose(f'{operation.doc.summary} {operation.doc.body}')}</p>", padding=False)
        fields = controls_of(Entry(name))
        go = gr.Button("Measure", variant="primary", elem_id="measure-go")

        def run(token: str, *given: Any) -> str:
            try:
                session = wires.store.get(token)
                values, _ = read(operation, [field.name for field in fields], given)
                job = outputs.job(session, session.folder / "none") | {"op": name, "values": values}
                done = wires.workers.run(session, job | {"what": "measure"})
                return f"<pre>{chr(10).join(lines(done['data']))}</pre>"
            except Exception as error:
                return trouble(sentence(error))

        go.click(run, [wires.token, *[field.part for field in fields]], [said], api_visibility="private",
                 concurrency_limit=8, show_progress_on=said)
