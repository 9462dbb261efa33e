"""Peers that import torchvision, beside a torch that its compiled part was not built for."""

from __future__ import annotations

import importlib
import sys
import types

_KEPT: list[object] = []


def import_peer(name: str) -> types.ModuleType:
    """Import a peer; if torchvision's compiled operations do not load, they are declared without being there.

    Raises:
        ImportError: the peer is not installed.
    """
    try:
        return importlib.import_module(name)
    except RuntimeError:
        import torch

        for key in [key for key in sys.modules if key.split(".")[0] in (name, "torchvision")]:
            del sys.modules[key]
        library = torch.library.Library("torchvision", "DEF")
        for operation in ("nms", "qnms"):
            library.define(f"{operation}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)   # what it declares goes with it
        return importlib.import_module(name)
