"""The sample picture: a free photograph that scikit-image carries, or else one that is made up here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

_WANTED = ("coffee.png", "astronaut.png")
HEIGHT, WIDTH = 400, 600


def sample_picture(folder: Path) -> Path:
    """Return a picture to try things on: a photograph that is free of copyright, or a made-up one written to `folder`.

    scikit-image's `coffee` is by Rachel Michetti (CC0), its `astronaut` by NASA (public domain).
    """
    found = importlib.util.find_spec("skimage")
    for place in (found.submodule_search_locations or []) if found is not None else []:
        for name in _WANTED:
            path = Path(place) / "data" / name
            if path.is_file():
                return path
    path = folder / "sample.png"
    if not path.exists():
        from PIL import Image

        Image.fromarray(landscape()).save(path)
    return path


def landscape() -> np.ndarray:
    """Return a made-up evening over hills and a lake, (400, 600, 3) uint8; the same every time, CC0."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT
    low = np.array([0.98, 0.72, 0.42])
    picture = low + (np.array([0.22, 0.38, 0.66]) - low) * np.clip(1 - y / 0.62, 0, 1)[..., None] ** 0.8
    sun = np.exp(-((x - 1.02) ** 2 + (y - 0.47) ** 2) / 0.0035)[..., None]
    picture = picture + sun * np.array([0.4, 0.35, 0.25])
    lake = y > 0.68
    picture[lake] = picture[np.clip(2 * int(0.68 * HEIGHT) - np.nonzero(lake)[0], 0, None), np.nonzero(lake)[1]] * 0.72
    for depth, (height, colour) in enumerate(((0.5, (0.45, 0.42, 0.52)), (0.57, (0.28, 0.33, 0.36)),
                                              (0.64, (0.12, 0.2, 0.17)))):
        ridge = height + sum(0.06 / (k + 1) * np.sin((3 + depth) * (k + 1) * x[0] + 1.7 * k + 2.1 * depth)
                             for k in range(5)) * 0.6
        picture[(y > ridge) & ~lake] = colour
    waves = 0.04 * np.sin(260 * np.clip(y - 0.68, 0, 1) ** 0.8 + 6 * np.sin(9 * x))
    return np.rint(255 * np.clip(picture + np.where(lake, waves, 0.0)[..., None], 0, 1)).astype(np.uint8)
