"""The page: picking an operation, its form, the picture, the stack, what leaves the studio."""

from __future__ import annotations

import html
import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from photochrom.core.errors import FileError
from photochrom.core.registry import registry
from photochrom.studio import desk, endpoints, outputs, panel, parts
from photochrom.studio.benches import beside, fitting, measuring, several
from photochrom.studio.forms import UPLOADS
from photochrom.studio.jobs import Workers
from photochrom.studio.sample import sample_picture
from photochrom.studio.sessions import Session, Store
from photochrom.studio.wires import QUIET, SILENT, Wires, trouble

# One token a tab; it outlives a reload, and nobody can guess it. The page works without the secure context that
# `crypto.randomUUID` asks for.
_TOKEN = """() => {
  let token = sessionStorage.getItem("photochrom");
  if (!/^[0-9a-f]{32}$/.test(token || "")) {
    token = Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("photochrom", token);
  }
  return token;
}"""


def build(store: Store, workers: Workers) -> gr.Blocks:
    """Return the whole page."""
    with gr.Blocks(title="photochrom studio", analytics_enabled=False, fill_width=True,
                   delete_cache=(3600, 4 * 3600)) as page:
        token, form = gr.State(""), gr.State("")
        with gr.Row(elem_id="top"):
            gr.HTML("<h1>photochrom studio</h1>", elem_id="title", padding=False)
            file = gr.UploadButton("Open a picture", file_types=UPLOADS, type="filepath", size="sm", min_width=110,
                                   variant="primary", elem_id="open-file")
            sample = gr.Button("Sample picture", size="sm", min_width=110, elem_id="sample")
            undo = gr.Button("Undo", size="sm", interactive=False, min_width=60, elem_id="undo")
            redo = gr.Button("Redo", size="sm", interactive=False, min_width=60, elem_id="redo")
            tour = gr.Button("Tour", size="sm", min_width=60, elem_id="tour")
            shade = gr.Button("Dark / light", size="sm", min_width=90, elem_id="shade")
        facts = gr.Markdown("No picture is open.", elem_id="facts")
        note = gr.HTML("", elem_id="note", padding=False)
        with gr.Tabs(elem_id="benches"):
            with gr.Tab("Edit"), gr.Row(equal_height=False):
                with gr.Column(scale=3, min_width=300, elem_id="left") as left:
                    picker = parts.picker(rows(), elem_id="picker")
                with gr.Column(scale=6, min_width=320, elem_id="middle") as middle:
                    easel = parts.easel({"full": [0, 0], "tool": "look"}, elem_id="easel")
                    histogram = parts.histogram({}, elem_id="histogram")
                with gr.Column(scale=3, min_width=280, elem_id="right"):
                    gr.HTML("<h3>Steps</h3>", padding=False)
                    stack = parts.stack([], elem_id="stack")
                    with gr.Accordion("Recipe", open=False, elem_id="recipe"):
                        recipe = gr.Code("", language=None, label="recipe.toml", interactive=False, max_lines=24,
                                         wrap_lines=True, elem_id="recipe-text")
                        take = gr.Button("Download the recipe", size="sm", elem_id="recipe-download")
                        bring = gr.File(label="Open a recipe, .toml or .zip", height=150,
                                        file_types=[".toml", ".zip"], type="filepath", elem_id="recipe-upload")
                    gr.HTML("<h3>Full size</h3>", padding=False)
                    kind = gr.Dropdown(list(outputs.KINDS), value="as the original", label="Format", elem_id="format")
                    with gr.Row():
                        make = gr.Button("Make the picture", variant="primary", size="sm", elem_id="make")
                        close_up = gr.Button("Show it at 1:1", size="sm", elem_id="detail")
                        cancel = gr.Button("Cancel", size="sm", elem_id="cancel")
                    result = gr.HTML("", elem_id="result", padding=False)
            with gr.Tab("Several exposures", render_children=True) as several_tab:
                pass
            with gr.Tab("Find an edit", render_children=True) as fitting_tab:
                pass
            with gr.Tab("Measure", render_children=True) as measuring_tab:
                pass
        wires = Wires(store, workers, token, form, easel, histogram, note, stack, recipe, undo, redo, facts)
        for place, part in ((left, panel), (middle, beside), (several_tab, several), (fitting_tab, fitting),
                            (measuring_tab, measuring)):
            with place:
                part.build(wires)
        _picture(wires, page, file, sample)

        def chosen(token: str, event: gr.EventData) -> tuple[Any, ...]:
            return wires.newest("chosen", lambda session, data: desk.choose(session, str(data["name"])), token,
                                event._data, True)

        picker.acted(chosen, [token], wires.full, trigger_mode="multiple", concurrency_limit=None, **QUIET)
        undo.click(wires.whole(desk.undo), [token], wires.full, trigger_mode="multiple", **QUIET)
        redo.click(wires.whole(desk.redo), [token], wires.full, trigger_mode="multiple", **QUIET)

        def acted(token: str, event: gr.EventData) -> tuple[Any, ...]:
            what, at, to = str(event._data["what"]), int(event._data["at"]), int(event._data["to"])
            return wires.whole(lambda session: desk.act(session, what, at, to))(token)

        stack.acted(acted, [token], wires.full, trigger_mode="multiple", **QUIET)
        _results(wires, kind, make, close_up, cancel, result, take, bring)
        tour.click(None, None, None, js="() => photochrom.tour(true)", **SILENT)
        shade.click(None, None, None, js="() => photochrom.shade()", **SILENT)
        endpoints.build(store, workers)
    page.default_config.fns = Events(page.default_config.fns)
    return page


class Events(dict[int, Any]):
    """A page's table of events, that may grow while somebody goes through it.

    Forms are made, and their events added, in threads; meanwhile Gradio looks through the table for every event that
    comes, and a plain dict would not let it.
    """

    def values(self) -> list[Any]:  # type: ignore[override]
        """Return the events there are now."""
        return list(super().values())

    def items(self) -> list[tuple[int, Any]]:  # type: ignore[override]
        """Return the numbers and events there are now."""
        return list(super().items())

    def __copy__(self) -> Events:
        return Events(self)   # a session's own


def rows() -> list[dict[str, str]]:
    """Return the operations to choose from, with what they do."""
    return [{"name": name, "label": name.replace("_", " "), "chapter": chapter,
             "summary": registry.get(name).doc.summary.replace("`", "")}
            for chapter, names in panel.names_by_chapter().items() for name in names]


def _picture(wires: Wires, page: gr.Blocks, file: gr.UploadButton, sample: gr.Button) -> None:
    """Connect opening a picture, and the beginning of a page."""
    def opened(session: Session, path: str | None) -> str | None:
        if path is None:
            return None
        name = Path(path).name
        mine = session.adopt(Path(path), name)
        try:
            session.open(mine, name)
        except Exception:
            mine.unlink(missing_ok=True)
            raise
        return f"{name} is open"

    def sampled(session: Session) -> str:
        source = sample_picture(session.folder)
        mine = session.folder / f"sample-{source.name}"
        if not mine.exists():
            shutil.copyfile(source, mine)
        session.open(mine, source.name)
        return "the sample picture is open; choose an operation"

    def begun(token: str) -> tuple[Any, ...]:
        shown = wires.whole(lambda session: None)(token)
        return (token, *shown)

    file.upload(wires.whole(opened), [wires.token, file], wires.full, show_progress="minimal",
                api_visibility="private")
    sample.click(wires.whole(sampled), [wires.token], wires.full, **QUIET)
    page.load(begun, [gr.Textbox(visible=False)], [wires.token, *wires.full], js=_TOKEN, **QUIET)


def _results(wires: Wires, kind: gr.Dropdown, make: gr.Button, close_up: gr.Button, cancel: gr.Button,
             result: gr.HTML, take: gr.Button, bring: gr.File) -> None:
    """Connect what works at full size, and recipes."""
    def teller(session: Session, progress: gr.Progress, passes: int = 1) -> Any:
        original, _ = session.need()
        state = {"done": 0}

        def told(message: dict[str, Any]) -> None:
            state["done"] += message.get("pixels", 0)
            whole = original.width * original.height * passes
            progress(min(0.99, state["done"] / whole), desc="working at full size")
        return told

    def kept(token: str) -> Session:
        """Return the session; what is in hand becomes a step first, so that what is seen is what is made."""
        session = wires.store.get(token)
        with session.lock:
            if session.draft is not None:
                desk.keep(session)
        return session

    def made(token: str, name: str, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        try:
            session = kept(token)
            path, notes = outputs.download(session, wires.workers, name, teller(session, progress))
            card = (f"<a class='pc-result' href='{session.offer(path)}' download>⤓ {html.escape(path.name)}</a>"
                    f"<p class='pc-help'>{path.stat().st_size / 1e6:.2f} MB{html.escape('; '.join(['', *notes]))}</p>")
            return (card, *wires.show(session, f"{path.name} is ready", True))
        except Exception as error:
            return ("", *wires.wrong(error, True))

    def closer(token: str, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        try:
            session = kept(token)
            outputs.detail(session, wires.workers, teller(session, progress, 2))
            return wires.show(session, "shown at full size; press 1:1 above the picture", True)
        except Exception as error:
            return wires.wrong(error, True)

    def stopped(token: str) -> str:
        session = wires.store.find(token)
        found = session is not None and wires.workers.cancel(session)
        return trouble("cancelled" if found else "nothing is being made")

    def taken(token: str) -> tuple[Any, ...]:
        try:
            session = kept(token)
            return (session.offer(outputs.recipe_file(session)), *wires.show(session, "", True))
        except Exception as error:
            return ("", *wires.wrong(error, True))

    def brought(session: Session, path: str | None) -> str | None:
        if path is None:
            return None
        if Path(path).stat().st_size > session.limits.bytes:
            raise FileError("the recipe is too large")
        outputs.load_recipe(session, Path(path))
        return "the recipe is open"

    make.click(made, [wires.token, kind], [result, *wires.full], concurrency_limit=8, api_visibility="private",
               show_progress_on=result)
    close_up.click(closer, [wires.token], wires.full, concurrency_limit=8, api_visibility="private",
                   show_progress_on=wires.note)
    cancel.click(stopped, [wires.token], [wires.note], concurrency_limit=None, queue=False, **QUIET)
    address = gr.Textbox(visible=False)
    take.click(taken, [wires.token], [address, *wires.full], **QUIET).then(
        None, [address], None, js="(address) => photochrom.fetch_file(address)", **SILENT)
    bring.upload(wires.whole(brought), [wires.token, bring], wires.full, **QUIET).then(
        lambda: None, None, bring, **QUIET)
