"""How an event of the page reaches its session, and how what comes of it gets back: results, or one sentence."""

from __future__ import annotations

import html
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from photochrom.core.errors import PhotochromError
from photochrom.studio.jobs import Workers
from photochrom.studio.look import Look, look, recipe_text, stack
from photochrom.studio.sessions import Session, Store

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""For events that answer at once and are no part of the programming interface."""

RENDER: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "forms"}
"""For parts that are made anew: one at a time, for Gradio adds each to the page's one table of components."""

SILENT: dict[str, Any] = {"show_progress": "hidden", "queue": False}
"""For events that the browser answers alone."""


@dataclass
class Wires:
    """The components that every part of the page writes to."""

    store: Store
    workers: Workers
    token: gr.State
    form: gr.State
    easel: Any
    histogram: Any
    note: gr.HTML
    stack: Any
    recipe: gr.Code
    undo: gr.Button
    redo: gr.Button
    facts: gr.Markdown

    @property
    def fast(self) -> list[Any]:
        """What changes while a control moves."""
        return [self.easel, self.histogram, self.note]

    @property
    def full(self) -> list[Any]:
        """What changes with the stack."""
        return [*self.fast, self.stack, self.recipe, self.undo, self.redo, self.facts, self.form]

    def show(self, session: Session, said: str = "", whole: bool = False) -> tuple[Any, ...]:
        """Return values for `fast`, or for `full` if `whole`."""
        found = look(session)
        fast = (found.easel, found.histogram, note(found, said))
        if not whole:
            return fast
        return (*fast, stack(session), recipe_text(session), gr.update(interactive=session.can_undo),
                gr.update(interactive=session.can_redo), facts(session), form_key(session))

    def quick(self, change: Callable[..., str | None]) -> Callable[..., tuple[Any, ...]]:
        """Wrap what an event does to a session, for outputs `fast`: `change(session, *values)` may return a remark."""
        return lambda token, *values: self._run(change, token, values, False)

    def whole(self, change: Callable[..., str | None]) -> Callable[..., tuple[Any, ...]]:
        """As `quick`, for outputs `full`."""
        return lambda token, *values: self._run(change, token, values, True)

    def newest(self, kind: str, change: Callable[[Session, dict[str, Any]], Any], token: str, data: dict[str, Any],
               whole: bool = False, more: Callable[[Session], list[Any]] = lambda session: [], extra: int = 0
               ) -> tuple[Any, ...]:
        """Answer an event that tells all there is to tell, so that those it overtakes can be left out.

        Gradio's `always_last` would repeat the first event in place of the last one.

        Args:
            kind: of the event.
            change: what it does to the session.
            token: of the page.
            data: what the browser told, with a rising `count`.
            whole: answer to `full`, else to `fast`.
            more: gives values for further outputs.
            extra: how many those are.
        """
        left = tuple(gr.skip() for _ in (self.full if whole else self.fast)), (gr.skip(),) * extra
        try:
            session, count = self.store.get(token), int(data.get("count", 0))
            session.overtaken(kind, count)
            with session.lock:
                if session.overtaken(kind, count):
                    return (*left[0], *left[1])
                change(session, data)
                session.count = max(count, session.count)
                return (*self.show(session, "", whole), *more(session))
        except Exception as error:
            return (*self.wrong(error, whole), *left[1])

    def _run(self, change: Callable[..., str | None], token: str, values: tuple[Any, ...], whole: bool
             ) -> tuple[Any, ...]:
        try:
            session = self.store.get(token)
            with session.lock:
                said = change(session, *values)
                return self.show(session, said or "", whole)
        except Exception as error:
            return self.wrong(error, whole)

    def wrong(self, error: Exception, whole: bool = False) -> tuple[Any, ...]:
        """Return values for `fast` or `full` that leave all as it is and say what went wrong."""
        return tuple(trouble(sentence(error)) if part is self.note else gr.skip()
                     for part in (self.full if whole else self.fast))


def sentence(error: Exception) -> str:
    """Return what went wrong as a sentence; what nobody foresaw goes to the server's log and is only named."""
    if isinstance(error, PhotochromError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for this"
    else:
        traceback.print_exception(error, file=sys.stderr)
        text = f"this did not work ({type(error).__name__}); the picture and its steps are as they were"
    first = text.split(maxsplit=1)[0] if text.split() else ""
    if first.isalpha():   # not the name of an operation or of a file
        text = text[:1].upper() + text[1:]
    return text.rstrip(".") + "."


def trouble(text: str) -> str:
    """Return a sentence for the page's place for notes, as a warning."""
    return f"<div class='pc-trouble' role='alert'>{html.escape(text)}</div>"


def note(found: Look, said: str = "") -> str:
    """Return what is to be said after an event."""
    if found.trouble:
        return trouble(sentence(PhotochromError(found.trouble)))
    return f"<div class='pc-said' role='status'>{html.escape(said)}</div>"


def facts(session: Session) -> str:
    """Say what was opened."""
    if session.original is None:
        return "No picture is open."
    from photochrom.studio.sessions import facts_line

    name = "".join(f"\\{c}" if c in "\\`*_[]<>#|!~" else c for c in session.original.name)
    return f"**{name}** · {facts_line(session.original)}"


def form_key(session: Session) -> str:
    """Return what changes when another form must be shown."""
    draft = session.draft
    return "" if draft is None else f"{draft.number}:{draft.epoch}"
