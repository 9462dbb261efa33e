"""Checkpoints, from which a training goes on. A file appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from photochrom.core.errors import FileError
from photochrom.io.guard import whole_file

_VERSION = 1
_HELD = {"version", "config", "step", "network", "optimizer", "chance"}


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write all that a training needs to go on, in place of what was there.

    Args:
        path: the file.
        state: plain values and tensors.
    """
    with whole_file(path, overwrite=True) as temporary, open(temporary, "wb") as file:
        torch.save({"version": _VERSION, **state}, file)
        file.flush()
        os.fsync(file.fileno())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; nothing in it is run.

    Args:
        path: the file.

    Returns:
        What `write_checkpoint` was given.

    Raises:
        FileError: it is missing, damaged or something else.
    """
    if not path.is_file():
        raise FileError(f"{path}: expected a checkpoint to resume from, there is no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:   # whatever a damaged archive or a foreign pickle makes of it
        raise FileError(f"{path}: expected a checkpoint of a training, got something else or a damaged file "
                        f"({type(error).__name__})") from None
    if not isinstance(state, dict) or not set(state) >= _HELD or state["version"] != _VERSION:
        raise FileError(f"{path}: expected a checkpoint of a training of this version, got other contents")
    return state
