"""The bench that finds an edit: from a picture and its edited copy to the recipe between them."""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

import gradio as gr

from photochrom.core.errors import ControlError
from photochrom.core.recipe import loads
from photochrom.studio.forms import UPLOADS
from photochrom.studio.history import entries_of, recipe_of
from photochrom.studio.wires import Wires, sentence, trouble

STACK = "the steps of this page"


def starts() -> dict[str, Path]:
    """Return the shipped recipes to start from, by title."""
    for folder in (Path(__file__).parents[4] / "recipes", Path(sys.prefix) / "share" / "photochrom" / "recipes"):
        found = sorted((folder / "fit").glob("*.toml"))
        if found:
            return {loads(path.read_text(encoding="utf-8")).name or path.stem: path for path in found}
    return {}


def build(wires: Wires) -> None:
    """Lay the bench out where Gradio is building the page."""
    gr.HTML("<p class='pc-help'>Give a picture and a copy of it that was edited elsewhere. The controls of a recipe "
            "are searched for that lead from one to the other, and become the steps of this page.</p>", padding=False)
    names = [*starts(), STACK]
    with gr.Row(equal_height=False):
        with gr.Column():
            before = gr.File(label="Before", file_types=UPLOADS, type="filepath", height=120, elem_id="fit-before")
            after = gr.File(label="After", file_types=UPLOADS, type="filepath", height=120, elem_id="fit-after")
        with gr.Column():
            start = gr.Radio(names, value=names[0], label="recipe to start from", elem_id="fit-start")
            go = gr.Button("Find the edit", variant="primary", elem_id="fit-go")
            said = gr.HTML("", padding=False, elem_id="fit-said")

    def run(token: str, first: str | None, second: str | None, name: str,
            progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        skipped = tuple(gr.skip() for _ in wires.full)
        try:
            if first is None or second is None:
                raise ControlError("fitting needs a picture before and the same picture after; choose both")
            session = wires.store.get(token)
            text = recipe_of(session.history.steps).dumps() if name == STACK else starts()[name].read_text("utf-8")
            own = [session.adopt(Path(path), Path(path).name, leave=True) for path in (first, second)]
            job = {"what": "fit", "text": text, "before": str(own[0]), "after": str(own[1])}
            done = wires.workers.run(session, job,
                                     lambda message: progress(None, desc=f"step {message.get('step', 0)}"))
            with session.lock:
                session.open(own[0], Path(first).name)
                session.history.become(entries_of(loads(done["text"])))
                shown = wires.show(session, "the edit was found; it is the steps of this page now", True)
            found = "".join(f"<li>{html.escape(line)}</li>" for line in done["lines"])
            return (f"<p role='status'>Found; the steps are in the tab Edit.</p><ul>{found}</ul>", *shown)
        except Exception as error:
            return (trouble(sentence(error)), *skipped)

    go.click(run, [wires.token, before, after, start], [said, *wires.full], api_visibility="private",
             concurrency_limit=8, show_progress_on=said)
