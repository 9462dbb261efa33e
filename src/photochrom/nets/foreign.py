"""Checkpoints in the layouts that others have published, recognised by the names and shapes of their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from photochrom.core.errors import FileError
from photochrom.nets.chains import recognise_chain
from photochrom.nets.descriptor import Descriptor
from photochrom.nets.layouts import LAYOUTS

State = Mapping[str, Tensor]
Found = tuple[Descriptor, dict[str, Tensor]]


def recognise(state: State, path: Path) -> Found:
    """Return what a foreign checkpoint is, and its tensors under the names of this library.

    Args:
        state: its tensors.
        path: where they are from, for the name and for messages.

    Raises:
        FileError: it is of no layout known here; the nearest is named.
    """
    nearest, most = "", 0.0
    for layout in LAYOUTS:
        made, understood = layout.renamed(state)
        if understood == len(state):
            try:
                return replace(layout.describe(made), name=path.stem), made
            except (KeyError, ValueError, IndexError):
                understood -= 1
        if understood / len(state) > most:
            nearest, most = f"{layout.name} ({understood} of {len(state)} names)", understood / len(state)
    found = recognise_chain(state)
    if isinstance(found, tuple):
        return replace(found[0], name=path.stem), found[1]
    raise FileError(f"weights: the tensors of '{path}' are of no network known here; the nearest is {nearest or found}")
