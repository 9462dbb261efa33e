"""What a page does to its session: choose an operation, set it, paint, pick, and keep it as a step."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from photochrom.core.controls import parse
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.engine.pictures import run
from photochrom.io.photo import describe
from photochrom.studio import layers
from photochrom.studio.forms import PICKED, lies_over, painted_ports
from photochrom.studio.history import Entry, checked, show
from photochrom.studio.previews import PREVIEW_PIXELS
from photochrom.studio.sessions import Draft, Named, Session

_count = itertools.count(1)


def choose(session: Session, name: str) -> None:
    """Begin a step with the operation's defaults."""
    operation = registry.get(name)
    if not operation.chains:
        raise ControlError(f"{name} does not turn one picture into one; it has a bench of its own")
    session.draft = Draft(Entry(name, operation.check({})), None, next(_count))
    session.tool = first_tool(session.draft.entry)


def edit(session: Session, at: int) -> None:
    """Take a step of the stack up again."""
    if 0 <= at < len(session.history.steps):
        session.draft = Draft(session.history.steps[at], at, next(_count))
        session.tool = first_tool(session.draft.entry)


def keep(session: Session) -> None:
    """Put what is being worked on into the stack."""
    draft = need_draft(session)
    draft.entry.step()   # complains of what is missing
    session.history.put(draft.entry, draft.at)
    session.draft = None


def need_draft(session: Session) -> Draft:
    """Return what is being worked on, or raise."""
    if session.draft is None:
        raise ControlError("no operation is chosen; choose one first")
    return session.draft


def put(session: Session, values: dict[str, Any], strength: float | None = None) -> None:
    """Set controls of what is being worked on."""
    draft = need_draft(session)
    whole = checked(draft.entry.operation, {**draft.entry.values, **values})
    draft.become(replace(draft.entry, values=whole, strength=draft.entry.strength if strength is None else strength))


def undo(session: Session) -> None:
    """Take back the last change of the step in hand, then its choice, then what was done to the stack."""
    draft = session.draft
    if draft is None:
        session.history.undo()
    elif draft.past:
        _step_to(draft, draft.past, draft.future)
    else:
        session.draft = None


def redo(session: Session) -> None:
    """Do again what was taken back last."""
    draft = session.draft
    if draft is None:
        session.history.redo()
    elif draft.future:
        _step_to(draft, draft.future, draft.past)


def _step_to(draft: Draft, taken: list[Entry], kept: list[Entry]) -> None:
    """Put the last of the states taken in the place of the present one, which is kept."""
    kept.append(draft.entry)
    draft.entry, draft.epoch, draft.last = taken.pop(), next(_count), ((), 0.0)


def tools_of(entry: Entry) -> list[tuple[str, str]]:
    """Return what can be done on the picture for a step: (words, tool), a tool being `kind:name`."""
    found = [(f"{_WORDS[control.kind]} {name.replace('_', ' ')}", f"{control.kind}:{name}")
             for name, control in entry.operation.controls.items() if _on_picture(entry, name)]
    if "offset" in entry.operation.controls and "source" in entry.operation.ports:
        found.append(("drag the source", "move:offset"))
    return found + [(f"paint {name.replace('_', ' ')}", f"paint:{name}") for name, _, _ in painted_ports(entry)]


def _on_picture(entry: Entry, name: str) -> bool:
    control = entry.operation.controls[name]
    return control.kind in PICKED and "unit" not in entry.operation.controls and name != "offset"


_WORDS = {"point": "pick", "points": "pick", "box": "draw"}


def first_tool(entry: Entry) -> str:
    """Return the tool a step begins with: what it cannot do without comes first."""
    tools = [tool for _, tool in tools_of(entry)]
    needed = [f"paint:{name}" for name in entry.missing()]
    needed += [f"paint:{name}" for name, _, coloured in painted_ports(entry) if coloured]
    boxes = [tool for tool in tools if tool.startswith(("box:", "move:"))]
    return next((tool for tool in [*needed, *boxes, *reversed(tools)] if tool in tools), "")


def bind(session: Session, port: str, path: str | None, name: str = "") -> None:
    """Take an uploaded picture or table for a port of what is being worked on; None takes it away."""
    draft = need_draft(session)
    files = {key: value for key, value in draft.entry.files.items() if key != port}
    if path is not None:
        source = Path(path)
        if source.parent != session.folder:
            source = session.adopt(source, name or source.name)
        with Named(source, name or source.name):
            if source.suffix == ".cube":
                from photochrom.io.luts import read_lut

                read_lut(source)
            else:
                facts = describe(source)
                if facts["width"] * facts["height"] > session.limits.pixels:
                    raise ControlError(f"{name}: the picture has {facts['width']} x {facts['height']} pixels, more "
                                       f"than the {session.limits.pixels / 1e6:.0f} megapixels the studio takes")
        files[port] = source.name
    draft.become(replace(draft.entry, files=files))
    draft.epoch = next(_count)


def base(session: Session) -> tuple[Entry, ...]:
    """Return the steps before the one that is being worked on."""
    return session.entries()[:-1] if session.draft is not None else session.entries()


def full_size(session: Session, entries: tuple[Entry, ...]) -> tuple[int, int]:
    """Return width and height of the picture at its full size after some steps."""
    original, _ = session.need()
    width, height = original.width, original.height
    on = [entry for entry in entries if entry.on]
    for count, entry in enumerate(on, 1):
        if not entry.operation.changes_size(checked(entry.operation, entry.values)):
            continue
        key = (original.width, original.height, *(step.key for step in on[:count]))
        if key not in session.sizes:   # an empty picture, that takes no memory, tells the size of the result
            blank = torch.zeros(1, 1, 1, 1).expand(1, entry.operation.channels or 1, height, width)
            result = run(entry.step(), blank)
            session.sizes[key] = int(result.shape[-1]), int(result.shape[-2])
        width, height = session.sizes[key]
    return width, height


def sizes_for(session: Session, port: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (width, height) of the layer that is painted for a port, and of the picture it lies over."""
    _, copy = session.need()
    entry = need_draft(session).entry
    beside = lies_over(entry.operation, port)
    if beside is not None:
        if beside not in entry.files:
            raise ControlError(f"{entry.op} needs the picture '{beside}' before a mask can be painted on it")
        facts = describe(session.folder / entry.files[beside])
        width, height = facts["width"], facts["height"]
        scale = min(1.0, math.sqrt(PREVIEW_PIXELS / (width * height)))
        return (max(1, round(width * scale)), max(1, round(height * scale))), (width, height)
    photo = session.chain.run(copy, base(session), session.folder)
    return (int(photo.image.shape[-1]), int(photo.image.shape[-2])), full_size(session, base(session))


def paint(session: Session, port: str, data: str) -> None:
    """Keep what was painted, at the size of the picture."""
    draft = need_draft(session)
    coloured = {name: colour for name, _, colour in painted_ports(draft.entry)}
    coloured |= {name: False for name in draft.entry.operation.ports if name.endswith("mask")
                 and lies_over(draft.entry.operation, name) is not None}
    if port not in coloured:
        raise ControlError(f"{draft.entry.op} has nothing called {port!r} to paint")
    size, whole = sizes_for(session, port)
    layer = layers.decode(data, size)
    files = {key: value for key, value in draft.entry.files.items() if key != port}
    if layer[..., 3].any() or port in draft.entry.missing() or port in draft.entry.operation.ports:
        kept = draft.entry.files.get(port)
        found = layers.grown(layer, whole, session.folder / kept if kept else None, coloured[port])
        if found.any() or not coloured[port]:
            files[port] = session.keep(layers.as_png(found), port)
    draft.become(replace(draft.entry, files=files))


def pick(session: Session, points: Any) -> str:
    """Set the control whose points were picked; return it as text."""
    kind, _, name = session.tool.partition(":")
    if kind not in ("point", "points"):
        raise ControlError("there is no point to pick now")
    found = tuple((float(x), float(y)) for x, y in points)
    put(session, {name: (found[-1] if kind == "point" else found) or None}
        | dict.fromkeys(chosen_by(need_draft(session).entry.operation, name), name))
    return value_text(session, name)


def chosen_by(operation: Operation, name: str) -> list[str]:
    """Return the choices that must be set to a control's name for it to count, such as `estimate` for `point`."""
    return [control.name for control in operation.controls.values() if name in control.choices]


def draw_box(session: Session, box: Any) -> str:
    """Set the control whose box was drawn; return it as text."""
    kind, _, name = session.tool.partition(":")
    if kind != "box":
        raise ControlError("there is no box to draw now")
    width, height = full_size(session, base(session))
    x0, y0, x1, y1 = (float(edge) for edge in box)
    put(session, {name: (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))})
    return value_text(session, name)


def move(session: Session, x: float, y: float) -> str:
    """Set the offset that was dragged; return it as text."""
    put(session, {"offset": (float(round(x)), float(round(y)))})
    return value_text(session, "offset")


def value_text(session: Session, name: str) -> str:
    """Return a control of what is being worked on as it is typed."""
    entry = need_draft(session).entry
    return show(entry.operation.controls[name].kind, entry.values.get(name))


def act(session: Session, what: str, at: int, to: int) -> None:
    """Do what a button of the stack asks."""
    if what == "edit":
        edit(session, at)
        return
    session.history.act(what, at, to)
    if session.draft is not None and session.draft.at is not None:
        session.draft = None   # its place is no longer what it was


def parse_numbers(text: str) -> list[float]:
    """Read numbers such as exposure times, separated by commas or blanks; fractions are understood."""
    found = []
    for word in text.replace(",", " ").replace(";", " ").split():
        value = parse("float", word)
        if not isinstance(value, float):
            raise ControlError(f"expected numbers such as 1/60, 0.5, 2, got {word!r}")
        found.append(value)
    return found
