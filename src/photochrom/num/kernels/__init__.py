"""Small Numba kernels, compiled on first use and cached, never at import.

Each runs in one thread and lets go of the interpreter lock; `num.parallel` spreads rows over threads.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType


@functools.cache
def load(name: str) -> ModuleType:
    """Import a module of kernels when it is first needed."""
    return importlib.import_module(f"photochrom.num.kernels.{name}")
