"""ESPCN on photographs of four sizes with a memory budget: is the peak bounded, is the time of a megapixel the same?"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import process
from benchmarks.picture import photograph8
from benchmarks.row import Bench, Contestant, Ready, Row, Target, Times

SHAPES = {"1 megapixel": (816, 1224), "3 megapixels": (1500, 2000), "12 megapixels": (3000, 4000),
          "48 megapixels": (6000, 8000)}
MARGIN, SIDE = 64, 200
"""Pixels around a window that is computed apart, more than the network sees, and its side, in the small picture."""
CORNERS = {"top left": (0, 0), "bottom right": (1, 1)}


def _photo(bench: Bench, name: str) -> str:
    """Return the photograph as JPEG, made once."""
    height, width = SHAPES[name]
    path = bench.work / f"mosaic-{height}x{width}.jpg"
    if not path.is_file():
        import pyvips

        piece = photograph8(min(height, 3000), min(width, 4000))
        image = pyvips.Image.new_from_array(piece).copy(interpretation="srgb")
        image = image.replicate(-(-width // image.width), -(-height // image.height)).crop(0, 0, width, height)
        image.jpegsave(str(path), Q=92)
    return str(path)


def _window(path: str, place: str, side: int) -> np.ndarray:
    import pyvips

    image = pyvips.Image.new_from_file(path, revalidate=True)   # not from libvips' cache of an earlier round
    right, down = CORNERS[place]
    return np.asarray(image.crop(right * (image.width - side), down * (image.height - side), side, side).numpy())


def _ours(name: str) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        source, target = _photo(bench, name), bench.scratch / "enlarged.tif"

        def made() -> dict[str, np.ndarray]:
            return {place: _window(str(target), place, 2 * SIDE) for place in CORNERS}

        words = [*bench.command, "upscale", source, "-o", str(target), "--scale", "2", "--model", "espcn-x2",
                 "--memory", "1G", "--quiet"]
        return process(words, made, before=lambda: target.unlink(missing_ok=True))

    return Contestant(name, prepare, against=f"corners of {name}")


def _truth(name: str) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        def made() -> dict[str, np.ndarray]:
            import photochrom

            found = {}
            for place, (right, down) in CORNERS.items():
                corner = photochrom.upscale(_window(_photo(bench, name), place, SIDE + MARGIN), scale=2,
                                            model="espcn-x2")
                across, below = 2 * MARGIN * right, 2 * MARGIN * down
                found[place] = corner[below:below + 2 * SIDE, across:across + 2 * SIDE]
            return found

        return Ready(once=lambda: (_ for _ in ()).throw(AssertionError("a truth is not timed")), result=made)

    return Contestant(f"corners of {name}", prepare, against=None, timed=False)


def _megapixels(name: str) -> float:
    return SHAPES[name][0] * SHAPES[name][1] / 1e6


def _each(name: str) -> Any:
    return lambda times: times[name].median / _megapixels(name) * 1000


def _further(times: Times, less: str, more: str) -> float:
    """Return the time of a further megapixel between two sizes: starting the process does not count."""
    return (times[more].median - times[less].median) / (_megapixels(more) - _megapixels(less)) * 1000


def _growth(times: Times) -> float:
    return _further(times, "12 megapixels", "48 megapixels") / _further(times, "3 megapixels", "12 megapixels")


def _gib(name: str) -> Any:
    return lambda times: times[name].peak / 2**30


ROWS = (Row(
    name="upscale-memory",
    about="`photochrom upscale` x2 by ESPCN of a JPEG into a TIFF with --memory 1G, a whole process",
    contestants=(*(_truth(name) for name in SHAPES), *(_ours(name) for name in SHAPES)),
    targets=(
        Target("peak memory at 12 megapixels ≤ 1 GiB", _gib("12 megapixels"), 1.0, unit="GiB"),
        Target("time of a further megapixel, (12 to 48) / (3 to 12) ≤ 1.2", _growth, 1.2),
        *(Target(f"time per megapixel at {name}", _each(name), unit="ms") for name in SHAPES),
        *(Target(f"peak memory at {name}", _gib(name), unit="GiB") for name in SHAPES),
    ),
    tolerance=1, unit="of 255", rounds=1, warm=0, quick=False,
    notes=("two corners of each result are compared with the plain function run on that part alone.",
           "starting the process, more than a second, weighs on small pictures; the time of a further megapixel is "
           "free of that.")),
)
