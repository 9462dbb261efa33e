"""photochrom changes the colour of pictures: every method from a curve to a network, in one place, in one shape.

Importing this package is light: operations and engines are loaded when they are first used.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

# Torch's threads would spin for a millisecond after each operation, on cores that kernels need; read when it is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from photochrom import ops as _ops  # noqa: F401  its list fills the registry
from photochrom.core.registry import registry as _registry
from photochrom.core.version import VERSION as _VERSION

__version__ = _VERSION

_EXPORTS = {
    "Step": "photochrom.core.step",
    "Recipe": "photochrom.core.recipe",
    "load_recipe": "photochrom.engine.recipes",
    "operations": "photochrom.engine.recipes",
    "run": "photochrom.engine.pictures",
    "read": "photochrom.io",
    "write": "photochrom.io",
    "Photo": "photochrom.io",
    "fit": "photochrom.learn.fit",
    "fit_kernel": "photochrom.learn.kernels",
    "PhotochromError": "photochrom.core.errors",
}

__all__ = sorted([*_EXPORTS, *_registry.names(), "__version__"])


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(importlib.import_module(_EXPORTS[name]), name)
    elif name in _registry.names():
        operation = _registry.get(name)
        value = getattr(importlib.import_module(operation.function.__module__), name)
    else:
        raise AttributeError(f"module 'photochrom' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
