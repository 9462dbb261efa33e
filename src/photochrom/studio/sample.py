"""The sample picture: a free photograph that scikit-image carries, or else the one that is shipped."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SHIPPED = Path(__file__).parent / "web" / "sample.png"
_WANTED = ("coffee.png", "astronaut.png")


def sample_picture() -> Path:
    """Return a picture to try things on.

    scikit-image's `coffee` is in the public domain, by Rachel Michetti; the shipped one was generated for photochrom
    and is CC0.
    """
    found = importlib.util.find_spec("skimage")
    for folder in found.submodule_search_locations or [] if found is not None else []:
        for name in _WANTED:
            path = Path(folder) / "data" / name
            if path.is_file():
                return path
    return SHIPPED
