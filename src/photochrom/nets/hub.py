"""Weights from a model hub. Nothing here is called unless weights of a hub are asked for by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from photochrom.core.errors import FileError

FILES = ("model.safetensors", "pytorch_model.bin")
"""What a repository's weights are called."""


def fetch(name: str, **options: Any) -> Path:
    """Return a file of weights of a repository, from the cache on this machine or from the hub.

    The variables of huggingface_hub hold: HF_HUB_OFFLINE forbids the network, HF_HOME moves the cache.

    Args:
        name: owner/repository, owner/repository/file, either followed by @revision.
        **options: of `huggingface_hub.hf_hub_download`.

    Returns:
        The path of the file in the cache.

    Raises:
        FileError: there is no such thing, or it cannot be reached.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    place, _, revision = name.partition("@")
    parts = place.split("/")
    if len(parts) < 2 or not all(parts):
        raise FileError(f"weights: expected owner/repository of a hub, got '{name}'")
    if revision:
        options["revision"] = revision
    wanted = ("/".join(parts[2:]),) if len(parts) > 2 else FILES
    for file in wanted:
        try:
            with _without_chatter():
                return Path(hf_hub_download("/".join(parts[:2]), file, library_name="photochrom", **options))
        except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
            raise FileError(f"weights: '{name}' is not in the cache of this machine and the hub cannot be asked, "
                            "because it is switched off (HF_HUB_OFFLINE) or out of reach") from error
        except EntryNotFoundError:
            continue
        except RepositoryNotFoundError as error:
            raise FileError(f"weights: the hub has no repository '{name}', or it is not open to you") from error
        except (HFValidationError, HfHubHTTPError, OSError) as error:
            raise FileError(f"weights: '{name}' cannot be fetched: {str(error).splitlines()[0]}") from error
    raise FileError(f"weights: '{name}' has no file {' or '.join(wanted)}")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Let the hub's client try again without a line for each attempt; what comes of it is told once."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
