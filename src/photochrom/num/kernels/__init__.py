"""Small Numba kernels, compiled on first use and cached, never at import.

Each runs in one thread and lets go of the interpreter lock; `num.parallel` spreads rows over threads.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from types import ModuleType

_IMPORT = re.compile(r"^from photochrom\.num\.kernels\.(\w+) import", re.MULTILINE)


@functools.cache
def load(name: str) -> ModuleType:
    """Import a module of kernels when it is first needed."""
    return importlib.import_module(f"photochrom.num.kernels.{name}")


def drop_stale(folder: Path) -> None:
    """Remove cached kernels that were compiled from other sources than lie beside them now.

    Numba asks only whether the file of a kernel has changed, but compiles what that file imports into it: after an
    update of a checkout such kernels would go on as they were.

    Args:
        folder: of the sources. Where nothing can be written nothing is cached either.
    """
    with suppress(OSError):
        sources = {}
        for file in folder.glob("*.py"):
            about = file.stat()
            sources[file.stem] = f"{about.st_mtime_ns} {about.st_size}"
        cache = folder / "__pycache__"
        try:
            before = json.loads((cache / "sources.json").read_text())
        except (OSError, ValueError):
            before = {}
        if before == sources:
            return
        uses = {name: set(_IMPORT.findall((folder / f"{name}.py").read_text())) for name in sources}
        stale = {name for name in sources if before.get(name) != sources[name]}
        while more := {name for name in uses if uses[name] & stale} - stale:
            stale |= more
        cache.mkdir(exist_ok=True)
        for name in stale:
            for file in cache.glob(f"{name}.*.nb[ci]"):
                file.unlink(missing_ok=True)
        written = cache / f"sources.{os.getpid()}"
        written.write_text(json.dumps(sources))
        written.replace(cache / "sources.json")


drop_stale(Path(__file__).parent)
