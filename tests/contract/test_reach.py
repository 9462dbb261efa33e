"""An operation looks no further than it says."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from photochrom.core.op import Operation
from tests.contract.cases import (
    OPERATIONS,
    ROUNDS_WHEN_NEUTRAL,
    UNMOVED,
    call,
    channels_of,
    every,
    every_choice_of_ports,
    every_setting,
    inside,
    near,
    others,
    picture,
    rounding,
)

PIXEL = [operation for operation in OPERATIONS if operation.reach == "pixel"]
WINDOW = [operation for operation in OPERATIONS if operation.reach == "window"]
MEASURED = [operation for operation in OPERATIONS if operation.measured is not None]
NEUTRAL = [operation for operation in OPERATIONS if operation.neutral()]


@every_setting(PIXEL)
@pytest.mark.parametrize("size", [(32, 32), (23, 29)], ids=str)
def test_pixel_operations_commute_with_moving_pixels(operation: Operation, values: dict, size: tuple[int, int]) -> None:
    if operation.reaches(operation.check(values)) is None:
        return   # with these controls a pattern is laid over the frame
    image = picture(*size)
    order = torch.randperm(size[0] * size[1], generator=torch.Generator().manual_seed(1))

    def moved(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.flatten(2)[..., order].reshape(tensor.shape)

    given = others(operation, image)
    shuffled = {name: moved(other) if operation.ports[name].aligned else other for name, other in given.items()}
    before, after = moved(call(operation, image, given, **values)), call(operation, moved(image), shuffled, **values)
    if size == (32, 32):
        assert torch.equal(after, before)
    else:   # torch's pow rounds the values that do not fill a vector register otherwise than the rest
        near(after, before, 3e-7)


@every_setting(WINDOW)
def test_window_operations_commute_with_cropping_beyond_the_halo(operation: Operation, values: dict) -> None:
    halo = operation.reaches(operation.check(values))
    if halo is None:
        whole = values.get("border") == "circular" or values.get("unknown") == "estimate" or values.get("keep_mean")
        assert whole, "only a picture that wraps round or is measured first is needed whole"
        return
    image = picture(4 * halo + 30, 4 * halo + 26)
    given = others(operation, image)
    whole = call(operation, image, given, **values)
    tall, wide = image.shape[-2:]
    for (top, bottom), (left, right) in itertools.product([(0, 9), (halo + 3, halo + 12), (tall - 9, tall)],
                                                          [(0, 8), (halo + 5, halo + 13), (wide - 8, wide)]):
        y0, y1 = max(0, top - halo), min(tall, bottom + halo)
        x0, x1 = max(0, left - halo), min(wide, right + halo)
        cut = {name: other[..., y0:y1, x0:x1] if operation.ports[name].aligned else other
               for name, other in given.items()}
        part = call(operation, image[..., y0:y1, x0:x1], cut, **values)
        near(part[..., top - y0:bottom - y0, left - x0:right - x0], whole[..., top:bottom, left:right],
             rounding(operation, values))


@every([operation for operation in WINDOW if operation.name not in UNMOVED])
def test_the_halo_is_needed_whole(operation: Operation) -> None:
    halo = operation.reaches(operation.check({}))
    assert halo is not None
    assert halo > 0
    image = torch.zeros(1, channels_of(operation, 1), 1, 2 * halo + 21, dtype=torch.float64)
    before = call(operation, image, {})
    image[..., halo + 10] = 1
    moved = (call(operation, image, {}) != before)[0, 0, 0].nonzero().flatten()
    own = operation.spreads   # of the halo, what is for the colour of what is transparent
    assert moved.min() == 10 + own
    assert moved.max() == 10 + 2 * halo - own


def of_part(operation: Operation, image: Tensor, weights: Tensor | None, given: dict[str, Tensor], y: slice,
            x: slice = slice(None)) -> Any:
    """Return the statistics of a part of the image."""
    cut = {name: other[..., y, x] if operation.ports[name].aligned else other for name, other in given.items()}
    part = None if weights is None else weights[..., y, x]
    return operation.statistics(image[..., y, x], part, cut, operation.check({}))["image"]


@every_choice_of_ports(MEASURED)
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_measured_and_merged_are_the_whole(operation: Operation, optional: bool, weighted: bool) -> None:
    image = picture(41, 37)
    given, controls = others(operation, image, optional=optional), operation.check({})
    weights = picture(41, 37, 1, seed=9) if weighted else None
    known = operation.statistics(image, weights, given, controls)
    total = None
    for a, b in ((0, 1), (1, 20), (20, 41)):
        for c, d in ((0, 30), (30, 37)):
            found = of_part(operation, image, weights, given, slice(a, b), slice(c, d))
            total = found if total is None else total.merge(found)
    assert operation.measured is not None
    whole = operation.measured.apply(image, known, **controls)
    near(operation.measured.apply(image, {**known, "image": total}, **controls), whole)
    if not weighted:
        near(call(operation, image, given), whole)


@every(MEASURED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_parts_of_one_colour_and_uneven_weight_are_the_whole(operation: Operation, dtype: torch.dtype) -> None:
    """Rounding makes a trace of spread here, which must not be taken for structure."""
    controls = operation.check({})
    assert operation.measured is not None
    for seed in range(20):
        image = picture(1, 1, dtype=dtype, seed=seed, low=0.1, high=0.9).expand(-1, -1, 5, 4)
        weights = picture(5, 4, 1, dtype=dtype, seed=seed + 50)
        given = others(operation, image)
        known = operation.statistics(image, weights, given, controls)
        total = of_part(operation, image, weights, given, slice(3)).merge(
            of_part(operation, image, weights, given, slice(3, None)))
        by_parts = operation.measured.apply(image, {**known, "image": total}, **controls)
        near(by_parts, call(operation, image, given), 1e-5)


@every(MEASURED)
def test_an_empty_part_changes_no_measure(operation: Operation) -> None:
    image = picture()
    given, controls = others(operation, image), operation.check({})
    assert operation.measured is not None
    known = operation.statistics(image, None, given, controls)
    nothing = of_part(operation, picture(seed=8), torch.zeros(1, 1, 13, 17), given, slice(None))
    for total in (known["image"].merge(nothing), nothing.merge(known["image"])):
        near(operation.measured.apply(image, {**known, "image": total}, **controls), call(operation, image, given))


@every_setting(NEUTRAL)
def test_neutral_values_change_nothing(operation: Operation, values: dict) -> None:
    image = picture(batch=2, low=-0.5, high=1.5)
    result = call(operation, image, **{**values, **operation.neutral()})
    near(result, image)
    if not values and operation.name not in ROUNDS_WHEN_NEUTRAL:
        assert torch.equal(result, image)


@every(OPERATIONS)
def test_every_neutral_value_is_needed(operation: Operation) -> None:
    """A value is called neutral only where another one does change something."""
    image = picture(low=0.2, high=0.9)
    for name in operation.neutral():
        moved = {**operation.neutral(), name: inside(operation.controls[name])}
        assert not torch.allclose(call(operation, image, **moved), image, atol=1e-3), name


@every([operation for operation in OPERATIONS if operation.channelwise])
def test_channelwise_operations_treat_channels_apart_and_alike(operation: Operation) -> None:
    image = picture(16, 16)
    whole = call(operation, image)
    for channel in range(3):
        assert torch.equal(call(operation, image[:, channel:channel + 1]), whole[:, channel:channel + 1])


@every([operation for operation in OPERATIONS if operation.channels is None])
@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_operations_without_a_number_of_channels_take_any(operation: Operation, channels: int) -> None:
    image = picture(channels=channels)
    assert call(operation, image).shape == image.shape
