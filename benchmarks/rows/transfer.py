"""`transfer_statistics`: the pixel part in strips and on full frames, and the whole operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import call
from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Contestant, Ready, Row, times_as_fast
from benchmarks.rows.filters import interleaved


def _pictures(bench: Bench) -> tuple[Any, Any]:
    """Return the picture and a reference of another palette: a part of it with its channels in another order."""
    picture = photograph(*bench.size)
    return planes(picture), planes(np.ascontiguousarray(picture[:600, :800, ::-1]) * 0.9)


def _pixel_part(bench: Bench) -> tuple[Any, Any]:
    """Return the picture and the operation's own pixel function, the statistics measured."""
    from photochrom.core.op import operation_of
    from photochrom.ops.transfer.transfer_statistics import transfer_statistics

    image, reference = _pictures(bench)
    measured = operation_of(transfer_statistics).measured
    assert measured is not None
    statistics = {"image": measured.measure(image), "reference": measured.measure(reference)}
    return image, lambda part: measured.apply(part, statistics)


def _strips(bench: Bench) -> Ready:
    import torch

    from photochrom.num.strips import in_strips

    image, apply = _pixel_part(bench)

    def strip(part: Any, alpha: Any, rows: slice) -> tuple[Any, Any]:
        with torch.no_grad():
            return apply(part), alpha

    return call(lambda: in_strips(strip, image)[0], interleaved)


def _frames(bench: Bench) -> Ready:
    """The torch definition of the pixel part on the whole picture at once, neither strips nor kernels."""
    import torch

    from photochrom.color import l_alpha_beta as space
    from photochrom.num.moments import moments

    image, reference = _pictures(bench)
    own, wanted = (moments(space._forwards(picture)) for picture in (image, reference))
    spread = (wanted.std / own.std).to(image)[..., None, None]
    shift = wanted.mean.to(image)[..., None, None] - own.mean.to(image)[..., None, None] * spread

    def whole() -> Any:
        with torch.no_grad():
            return space._backwards(space._forwards(image) * spread + shift)

    return call(whole, interleaved)


def _run(bench: Bench) -> Ready:
    import photochrom

    image, reference = _pictures(bench)
    step = photochrom.Step(photochrom.transfer_statistics, reference=reference)
    return call(lambda: photochrom.run(step, image), interleaved)


def _function(bench: Bench) -> Ready:
    import photochrom

    image, reference = _pictures(bench)
    return call(lambda: photochrom.transfer_statistics(image, reference), interleaved)


ROWS = (
    Row(name="transfer-apply",
        about="transfer_statistics, the pixel part alone, in strips and on full frames, 12 megapixels RGB float32",
        contestants=(Contestant("in strips", _strips), Contestant("full frames", _frames)),
        targets=(times_as_fast("full frames", 3, ours="in strips"),), tolerance=1e-5, rounds=7),
    Row(name="transfer-whole",
        about="transfer_statistics with measuring: photochrom.run and the plain function, 12 megapixels RGB float32",
        contestants=(Contestant("photochrom.run", _run), Contestant("plain function", _function)),
        tolerance=1e-5, rounds=7, notes=("no target; what a user gets. The statistics are summed in another order.",)),
)
