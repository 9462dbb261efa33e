"""What the page shows of a session: pictures, histograms, the stack, the recipe."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from photochrom.core.errors import ControlError, PhotochromError
from photochrom.io.photo import Photo, describe
from photochrom.studio import desk, layers
from photochrom.studio.forms import painted_ports
from photochrom.studio.history import recipe_of
from photochrom.studio.previews import coarser, encode, samples, scaled_port, shares
from photochrom.studio.sessions import Session

_ENCODED = 6
_SLOW, _OFTEN = 1.0, 2
"""After so many previews of more seconds than this, what is in hand is shown on a coarser copy."""
NO_PICTURE: dict[str, Any] = {"full": [0, 0], "tool": "look"}


@dataclass(frozen=True)
class Look:
    """One look at a session."""

    easel: dict[str, Any]
    histogram: dict[str, Any]
    trouble: str
    """Why the result cannot be shown, in one sentence; empty if it can."""
    seconds: float


def look(session: Session) -> Look:
    """Run the steps on the scaled copy and return what the page shows.

    The result may be missing because a step lacks a picture or does not suit this one. Then its input is shown, and
    the trouble is said.
    """
    if session.copy is None or session.original is None:
        return Look(NO_PICTURE, {}, "", 0.0)
    began = time.perf_counter()
    copy, folder = session.copy, session.folder
    trouble = ""
    try:
        given = session.chain.run(copy, desk.base(session), folder)
    except PhotochromError as error:   # a step of the stack does not suit this picture
        given, trouble = copy.photo, str(error)
    result, shown = given, copy
    if session.draft is not None and not trouble:
        op = session.draft.entry.op
        if session.slow.get(op, 0) >= _OFTEN:
            shown = session.coarse or coarser(copy)
            session.coarse = shown
        chain = session.chain if shown is copy else session.coarse_chain
        try:
            result = chain.run(shown, session.entries(), folder)
        except PhotochromError as error:
            trouble = str(error)
        if shown is copy:   # the first run may only have compiled a kernel
            session.slow[op] = session.slow.get(op, 0) + 1 if time.perf_counter() - began > _SLOW else 0
    session.turn += 1
    address, bands = _address(session, result)
    own, own_bands = _address(session, copy.photo)
    same = result.image.shape[-2:] in (copy.photo.image.shape[-2:], shown.photo.image.shape[-2:])
    try:
        after = desk.full_size(session, session.entries() if result is not given else desk.base(session))
    except PhotochromError:
        after = (session.original.width, session.original.height)
    value = {"turn": session.turn, "count": session.count, "after": address,
             "before": own if same else None, "full": list(after), "tool": "look",
             "alt": f"{session.original.name} after {len(session.entries())} step(s)",
             "note": "" if shown is copy else "a coarse preview, for this takes long; once added it is fine",
             "detail": session.detail if session.detail.get("of") == detail_key(session) else None}
    if session.draft is not None:
        value |= _work(session, given)
    histogram = {"before": own_bands, "after": bands} if result is not copy.photo else {"before": own_bands}
    return Look(value, histogram, trouble, time.perf_counter() - began)


def detail_key(session: Session) -> str:
    """Tell for which steps full-size pictures were made."""
    return repr([entry.key for entry in session.entries() if entry.on])


def _work(session: Session, given: Photo) -> dict[str, Any]:
    """Return what the easel needs for the tool in hand."""
    draft = desk.need_draft(session)
    try:
        full = desk.full_size(session, desk.base(session))
    except PhotochromError:
        return {}
    known: dict[str, Any] = {"input": _address(session, given)[0], "full_input": list(full)}
    kind, _, name = session.tool.partition(":")
    if kind == "paint":
        coloured = {port: colour for port, _, colour in painted_ports(draft.entry)}
        if name not in coloured:
            return known
        size = int(given.image.shape[-1]), int(given.image.shape[-2])
        file = draft.entry.files.get(name)
        key = f"{draft.number}:{name}:{draft.epoch}:{size}"
        address = None
        if file is not None:
            address = session.layers.get((file, size), "")
            if address.rpartition("/")[2] not in session.shown:
                address = session.show(layers.as_png(layers.to_screen(session.folder / file, size, coloured[name])))
                session.layers[file, size] = address
        layer = {"name": name, "key": key, "size": list(size), "url": address, "coloured": coloured[name],
                 "eager": name in draft.entry.missing() or coloured[name]}
        return known | {"tool": "paint", "layer": layer}
    value = draft.entry.values.get(name)
    if kind == "box":
        return known | {"tool": "box", "box": list(value) if value else [0, 0, *full]}
    if kind == "point":
        return known | {"tool": "point", "points": [list(value)] if value else []}
    if kind == "points":
        return known | {"tool": "points", "points": [list(point) for point in value or ()]}
    if kind == "move" and "source" in draft.entry.files:
        assert session.copy is not None
        facts = describe(session.folder / draft.entry.files["source"])
        tall, wide = given.image.shape[-2:]
        source = scaled_port(draft.entry, "source", session.copy.scale, session.folder, (tall, wide),
                             session.chain.pictures)
        x, y = draft.entry.values["offset"]
        return known | {"tool": "move", "move": {"x": x, "y": y, "w": facts["width"], "h": facts["height"],
                                                 "url": _address(session, source)[0]}}
    return known


def _address(session: Session, photo: Photo) -> tuple[str, dict[str, list[float]]]:
    """Return where the browser finds a picture, and its histogram; encoded once."""
    known = session.encoded.get(id(photo))
    if known is not None and known[0] is photo and known[1].rpartition("/")[2] in session.shown:
        return known[1], known[2]
    stored = samples(photo)
    address, bands = session.show(encode(stored)), shares(stored)
    session.encoded[id(photo)] = (photo, address, bands)   # the photo is kept, so that its id is not given anew
    while len(session.encoded) > _ENCODED:
        del session.encoded[next(iter(session.encoded))]
    return address, bands


def stack(session: Session) -> list[dict[str, Any]]:
    """Return the rows of the stack."""
    at = None if session.draft is None else session.draft.at
    return [{"name": entry.op.replace("_", " "), "told": entry.told(), "on": entry.on, "edited": k == at}
            for k, entry in enumerate(session.history.steps)]


def recipe_text(session: Session) -> str:
    """Return the recipe of the stack as TOML, or why there is none."""
    try:
        name = session.original.name.rpartition(".")[0] if session.original else ""
        return recipe_of(session.history.steps, name=f"{name}, edited" if name else "").dumps()
    except ControlError as error:
        return f"# {error}\n"
