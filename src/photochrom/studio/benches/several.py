"""The bench for operations that take several pictures: exposures of one scene become one picture, or data."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from photochrom.core.errors import ControlError
from photochrom.core.registry import registry
from photochrom.studio import desk
from photochrom.studio.forms import UPLOADS, controls_of, label, read
from photochrom.studio.history import Entry
from photochrom.studio.results import lines
from photochrom.studio.wires import RENDER, Wires, sentence, trouble
from photochrom.studio.words import prose


def operations() -> list[str]:
    """Return the operations that take several pictures, those that make one of them first."""
    found = [registry.get(name) for name in registry.names()]
    known = [operation for operation in found if operation.ports[operation.main].kind == "pictures"]
    return [operation.name for operation in sorted(known, key=lambda operation: operation.result == "data")]


def build(wires: Wires) -> None:
    """Lay the bench out where Gradio is building the page."""
    gr.HTML("<p class='pc-help'>Choose pictures of one scene, and what is to be made of them. A picture that comes of "
            "it is opened for editing; tone mapping is among the operations there.</p>", padding=False)
    with gr.Row(equal_height=False):
        with gr.Column():
            files = gr.File(label="Pictures of one scene", file_count="multiple", file_types=UPLOADS, type="filepath",
                            height=180, elem_id="several-files")
            which = gr.Radio([(label(name), name) for name in operations()], value=operations()[0], label="operation",
                             elem_id="several-operation")
            times = gr.Textbox(label="exposure times in seconds", elem_id="several-times",
                               info="in the order of the files, such as 1/60, 1/15, 1/4; empty to ask the photographs")
        with gr.Column():
            said = gr.HTML("", padding=False, elem_id="several-said")

            @gr.render(inputs=[which], **RENDER)
            def form(name: str) -> None:
                operation = registry.get(name)
                about = prose(f"{operation.doc.summary} {operation.doc.body}")
                gr.HTML(f"<h3>{label(name)}</h3><p class='pc-help'>{about}</p>"
                        f"<p class='pc-help'>{prose(operation.describe()['reference'])}</p>", padding=False)
                fields = controls_of(Entry(name))
                go = gr.Button(label(name).capitalize(), variant="primary", elem_id="several-go")

                def run(token: str, paths: list[str] | None, typed: str, *given: Any) -> tuple[Any, ...]:
                    return _run(wires, token, name, paths, typed, [field.name for field in fields], given)

                go.click(run, [wires.token, files, times, *[field.part for field in fields]], [said, *wires.full],
                         api_visibility="private", concurrency_limit=8, show_progress_on=said)


def _run(wires: Wires, token: str, name: str, paths: list[str] | None, typed: str, fields: list[str],
         given: tuple[Any, ...]) -> tuple[Any, ...]:
    skipped = tuple(gr.skip() for _ in wires.full)
    try:
        session = wires.store.get(token)
        operation = registry.get(name)
        values, _ = read(operation, fields, given)
        if not paths:
            raise ControlError(f"{label(name)} needs pictures; choose some first")
        names = [Path(path).name for path in paths]
        order = sorted(range(len(paths)), key=lambda k: names[k]) if not typed.strip() else range(len(paths))
        own = [session.adopt(Path(paths[k]), names[k], leave=True) for k in order]
        target = session.folder / f"{secrets.token_hex(4)}-merged"
        job = {"what": "merge", "op": name, "sources": [str(path) for path in own], "names": [names[k] for k in order],
               "times": desk.parse_numbers(typed) or None, "values": values, "target": str(target)}
        done = wires.workers.run(session, job)
        for path in own:
            path.unlink(missing_ok=True)
        if "data" in done:
            return (f"<pre>{chr(10).join(lines(done['data']))}</pre>", *skipped)
        made = Path(done["target"])
        with session.lock:
            session.open(made, f"{label(name)}{made.suffix}")
            shown = wires.show(session, f"{label(name)}: {len(paths)} pictures became one, open for editing", True)
        return (f"<p role='status'>{len(paths)} pictures became one; it is open in the tab Edit.</p>", *shown)
    except Exception as error:
        return (trouble(sentence(error)), *skipped)
