"""Reading and writing files of tensors, without ever running what is in them."""

from __future__ import annotations

import json
import os
import pickle
import re
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from photochrom.core.errors import FileError

_KEY = "photochrom"
_INSIDE = ("state_dict", "params_ema", "params", "model_state_dict", "model", "net", "network")
"""Under which names programs put the tensors among other things."""


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """Read a `.safetensors` or `.pth` file, told apart by its content.

    Args:
        path: the file. Of a pickle only tensors and plain containers are read; one that would run code is refused.

    Returns:
        The tensors by name, on the processor, and the description that `write_tensors` put beside them, if any.

    Raises:
        FileError: missing, damaged, refused, or no tensors inside.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError as error:
        raise FileError(f"weights: '{path}' cannot be read: {error.strerror}") from error
    if len(start) == 9 and start[8:] == b"{":
        described = read_description(path)
        try:
            return load_file(path), described
        except (SafetensorError, OSError, ValueError) as error:
            raise FileError(f"weights: '{path}' is damaged: {error}") from error
    if start[:2] == b"PK" or start[:1] == b"\x80":   # an archive, or a plain pickle of old
        return _named_tensors(_unpickled(path), path), None
    raise FileError(f"weights: '{path}' is neither a safetensors file nor one of torch.save")


def _unpickled(path: Path) -> Any:
    try:
        with open(path, "rb") as file, warnings.catch_warnings():   # by its name torch would go by its ending
            warnings.simplefilter("ignore")   # of other pickle protocols: what cannot be read raises
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)|nsupported (?:global|operand|class|instruction)[^.]*", str(error))
        raise FileError(f"weights: '{path}' is refused, because it holds more than tensors and reading it could run "
                        f"code{f' ({found.group(1)})' if found and found.group(1) else ''}") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FileError(f"weights: '{path}' is damaged: it cannot be read to its end") from error


def _named_tensors(found: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, without the prefix that parallel training leaves."""
    if isinstance(found, Mapping) and not any(isinstance(value, Tensor) for value in found.values()):
        found = next((found[name] for name in _INSIDE if isinstance(found.get(name), Mapping)), found)
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)} \
        if isinstance(found, Mapping) else {}
    if not tensors:
        raise FileError(f"weights: '{path}' holds no tensors with names")
    while all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


def read_description(path: Path) -> str | None:
    """Return the description in the head of a safetensors file, reading nothing else; None if there is none.

    Raises:
        FileError: the head is damaged.
    """
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(100_000_000, os.path.getsize(path)):
                raise ValueError("the head is longer than the file")
            found = json.loads(file.read(length)).get("__metadata__", {}).get(_KEY)
    except (OSError, ValueError, AttributeError) as error:
        raise FileError(f"weights: '{path}' is damaged: {error}") from error
    return found if isinstance(found, str) else None


def write_tensors(state: Mapping[str, Tensor], description: str, path: Path) -> None:
    """Write a safetensors file; it appears whole or not at all.

    Raises:
        FileError: it cannot be written.
    """
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    handle = None
    try:
        handle, made = tempfile.mkstemp(suffix=".part", dir=path.parent)
        os.close(handle)
        try:
            save_file(plain, made, metadata={_KEY: description})
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(made, 0o666 & ~mask)
            os.replace(made, path)
        except BaseException:
            os.unlink(made)
            raise
    except OSError as error:
        raise FileError(f"weights: '{path}' cannot be written: {error.strerror}") from error
