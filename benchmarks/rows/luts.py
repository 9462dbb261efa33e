"""A colour table of 65^3 entries on an 8-bit picture, beside Pillow; and reading such a table from a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph8
from benchmarks.row import Bench, Contestant, Ready, Row, Target, times_as_fast

SIDE = 65


def _table() -> Any:
    """Return a look that bends and mixes the channels, (3, S, S, S)."""
    import torch

    grid = torch.linspace(0, 1, SIDE)
    blue, green, red = torch.meshgrid(grid, grid, grid, indexing="ij")
    return torch.stack([red ** 1.3, 0.8 * green + 0.2 * red * blue, (0.9 * blue + 0.1 * red).sqrt()])


def _ours(interpolation: str, way: str) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        import photochrom

        picture, table = photograph8(*bench.size), _table()
        if way == "run":
            step = photochrom.Step(photochrom.apply_lut, lut=table, interpolation=interpolation)
            return call(lambda: photochrom.run(step, picture))
        return call(lambda: photochrom.apply_lut(picture, table, interpolation=interpolation))

    # Between four entries the result is another than between eight, by up to a few levels where the table bends.
    return Contestant(f"photochrom {interpolation}" + (", the function" if way == "call" else ""), prepare,
                      against="Pillow Color3DLUT", tolerance=1 if interpolation == "trilinear" else 2)


def _pillow(bench: Bench) -> Ready:
    from PIL import Image, ImageFilter

    picture = Image.fromarray(photograph8(*bench.size))
    lut = ImageFilter.Color3DLUT(SIDE, _table().movedim(0, -1).reshape(-1).tolist())
    return call(lambda: picture.filter(lut), np.asarray)


def _read(bench: Bench) -> Ready:
    from photochrom.io import Lut, read_lut, write_lut

    path = bench.scratch / "look.cube"
    write_lut(Lut(_table()), path, overwrite=True)
    return call(lambda: read_lut(path))


ROWS = (
    Row(name="apply-lut",
        about="a table of 65^3 colours on an 8-bit picture, 12 megapixels RGB",
        contestants=(_ours("trilinear", "run"), _ours("tetrahedral", "run"), _ours("tetrahedral", "call"),
                     Contestant("Pillow Color3DLUT", _pillow, against=None)),
        targets=(times_as_fast("Pillow Color3DLUT", 1, ours="photochrom trilinear"),
                 times_as_fast("Pillow Color3DLUT", 1, ours="photochrom tetrahedral")),
        tolerance=1, unit="of 255", rounds=9,
        notes=("Pillow interpolates between eight entries, in 16-bit integers.",)),
    Row(name="read-cube", about="reading a .cube file of 65^3 colours",
        contestants=(Contestant("photochrom", _read, against=None),),
        targets=(Target("seconds ≤ 0.5", lambda times: times["photochrom"].median, 0.5, "<=", unit=" s"),), rounds=5),
)
