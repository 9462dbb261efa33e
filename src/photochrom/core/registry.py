"""The explicit list of operations: names first, modules only when they are asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from photochrom.core.errors import ControlError, DeclarationError, nearest

if TYPE_CHECKING:
    from photochrom.core.op import Operation


class Registry:
    """Operation names by chapter. Nothing is imported until an operation is looked up."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}

    def declare(self, package: str, chapters: dict[str, tuple[str, ...]]) -> None:
        """Add operations: the function `name` lives in `package.chapter.name`. A name may be given once only."""
        for chapter, names in chapters.items():
            for name in names:
                if name in self._modules:
                    raise DeclarationError(f"two operations are called {name}")
                self._modules[name] = f"{package}.{chapter}.{name}"

    def names(self) -> list[str]:
        """Return all operation names, chapter by chapter."""
        return list(self._modules)

    def get(self, name: str) -> Operation:
        """Return the operation called `name` (dashes count as underscores)."""
        plain = name.replace("-", "_")
        if plain not in self._modules:
            raise ControlError(f"there is no operation '{name}'{nearest(plain, self.names())}")
        from photochrom.core.op import operation_of

        return operation_of(getattr(importlib.import_module(self._modules[plain]), plain))


registry = Registry()
