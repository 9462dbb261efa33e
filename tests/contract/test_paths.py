"""All ways to an operation give the same picture: function, step, recipe file, planned run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe, loads
from photochrom.core.step import Step
from tests.contract.cases import (
    OPERATIONS,
    array,
    call,
    channels_of,
    every,
    every_choice_of_ports,
    every_setting,
    little_memory,
    near,
    others,
    picture,
    pictures_of,
    rounding,
    settings,
)

HEIGHT, WIDTH = 150, 21


def by_recipe_file(operation: Operation, given: dict[str, torch.Tensor], values: dict[str, Any]) -> Recipe:
    """Write a one-step recipe with its pictures named, read it back and bind them."""
    step = Step(operation, **{name: f"{name}.png" for name in given}, **values)
    text = Recipe([step], name="one", about="a \"quoted\" test\nof two lines").dumps()
    recipe = loads(text)
    assert recipe.dumps() == text
    assert (recipe.name, recipe.about) == ("one", "a \"quoted\" test\nof two lines")
    return recipe.bind_files(lambda path: given[path.stem])


@every_choice_of_ports()
def test_on_tensors(operation: Operation, optional: bool) -> None:
    image = picture(HEIGHT, WIDTH, low=-0.1, high=1.1)
    given = others(operation, image, optional=optional)
    for values in settings(operation):
        expected = call(operation, image, given, **values)
        assert torch.equal(Step(operation, **given, **values)(image), expected)
        assert torch.equal(by_recipe_file(operation, given, values)(image), expected)


@every_setting()
@pytest.mark.parametrize("extra", ["plain", "strength", "mask", "batch", "double", "all ports"])
def test_planned_in_tiles(operation: Operation, values: dict, extra: str) -> None:
    image = picture(HEIGHT, WIDTH, batch=2 if extra == "batch" else 1,
                    dtype=torch.float64 if extra == "double" else torch.float32)
    step = Step(operation, **others(operation, image, optional=extra == "all ports"), **values)
    if extra == "strength":
        step.set("strength", 0.3)
    if extra == "mask" and "mask" not in operation.ports:
        step.bind("mask", picture(HEIGHT, WIDTH, 1, seed=4))
    done: list[int] = []
    larger = 2 if extra in ("batch", "double") else 1   # two pictures, or samples of twice the bytes
    memory = larger * little_memory(operation, values, WIDTH, 3)
    result = photochrom.run(step, image, memory=memory, progress=done.append)
    near(result, step(image), rounding(operation, values))
    if operation.reaches(operation.check(values)) is not None:
        assert len(done) > 3
        # A measured operation goes over the tiles twice, and tells half of their pixels each time.
        assert 0.98 * HEIGHT * WIDTH <= sum(done) <= HEIGHT * WIDTH
    near(photochrom.run(Recipe([step]), image), step(image), rounding(operation, values))


@every_setting()
def test_planned_in_strips(operation: Operation, values: dict) -> None:
    """Tall enough that pixel operations are cut into strips inside a tile, and tiles are cut too."""
    height, width = 14000, 7
    image = picture(height, width)
    step = Step(operation, **others(operation, image), **values)
    expected = step(image)
    near(photochrom.run(step, image), expected, rounding(operation, values))
    if operation.reaches(operation.check(values)) is not None:
        near(photochrom.run(step, image, memory=4 * 10**6), expected, rounding(operation, values))


@every_setting()
def test_planned_between_other_steps(operation: Operation, values: dict) -> None:
    image = picture(HEIGHT, WIDTH)
    steps = [Step(photochrom.brightness, amount=0.05), Step(photochrom.gaussian, sigma=0.8),
             Step(operation, **others(operation, image), **values), Step(photochrom.box, radius=3, border="replicate"),
             Step(photochrom.contrast, amount=1.1)]
    memory = 4 * little_memory(operation, values, WIDTH, 3)   # the others look further
    near(photochrom.run(Recipe(steps), image, memory=memory), Recipe(steps)(image),
         max(1e-6, rounding(operation, values) if "backend" in operation.controls else 0))


LEVELS = {"uint8": 255, "uint16": 65535}


def same_samples(operation: Operation, values: dict, found: np.ndarray, expected: np.ndarray) -> None:
    """Assert equal samples. Where sums are taken in another order a value midway between levels may fall either way."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if found.dtype.kind == "u":
        apart = np.abs(found.astype(np.int64) - expected.astype(np.int64))
        if values.get("precision") == "bf16":
            assert apart.max() <= rounding(operation, values) * np.iinfo(found.dtype).max
            return
        assert apart.max() <= (0 if operation.reach == "pixel" else 1)
        assert np.mean(apart > 0) < 0.02
        return
    if found.ndim == 3 and found.shape[-1] in (2, 4):   # colour counts as much as it covers, and so does its precision
        found, expected = (np.dstack([a[..., :-1] * a[..., -1:], a[..., -1:]]) for a in (found, expected))
    assert np.abs(found - expected).max() <= rounding(operation, values) * max(1.0, np.abs(expected).max())


@every_setting()
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("bands", [None, 1, 2, 3, 4])
def test_on_arrays(operation: Operation, values: dict, dtype: str, bands: int | None) -> None:
    colours = {None: 1, 1: 1, 2: 1, 3: 3, 4: 3}[bands]
    if operation.channels not in (None, colours):
        return
    pixels = array(HEIGHT, WIDTH, bands, dtype)
    before = pixels.copy()
    given = others(operation, picture(HEIGHT, WIDTH, colours))
    expected = call(operation, pixels, given, **values)
    assert expected.shape == pixels.shape
    assert expected.dtype == pixels.dtype
    step = Step(operation, **given, **values)
    same_samples(operation, values, step(pixels), expected)
    same_samples(operation, values, by_recipe_file(operation, given, values)(pixels), expected)
    memory = little_memory(operation, values, WIDTH, bands or 1)
    same_samples(operation, values, photochrom.run(step, pixels, memory=memory), expected)
    assert np.array_equal(pixels, before)
    if bands in (None, 1, 3):   # the array is the tensor, written otherwise
        scaled = torch.from_numpy(pixels.astype(np.float32) / np.float32(LEVELS.get(dtype, 1)))
        image = scaled.reshape(HEIGHT, WIDTH, colours).movedim(-1, 0)[None]
        tensor = call(operation, image, given, **values)[0].movedim(0, -1).reshape(pixels.shape)
        near(torch.from_numpy(expected.astype(np.float32)) / LEVELS.get(dtype, 1),
             tensor.clamp(0, 1) if dtype in LEVELS else tensor,
             0.51 / LEVELS[dtype] if dtype in LEVELS else rounding(operation, values))


PICTURES = {"L": (None, "uint8"), "LA": (2, "uint8"), "RGB": (3, "uint8"), "RGBA": (4, "uint8"),
            "I;16": (None, "uint16"), "F": (None, "float32")}


@every()
@pytest.mark.parametrize("mode", PICTURES)
def test_on_pil_pictures(operation: Operation, mode: str) -> None:
    bands, dtype = PICTURES[mode]
    colours = 3 if mode.startswith("RGB") else 1
    if operation.channels not in (None, colours):
        return
    pixels = array(HEIGHT, WIDTH, bands, dtype)
    given = others(operation, picture(HEIGHT, WIDTH, colours))
    expected = call(operation, pixels, given)
    opened = Image.fromarray(pixels)
    assert opened.mode == mode
    step = Step(operation, **given)
    memory = little_memory(operation, {}, WIDTH, bands or 1)
    for way in (lambda image: call(operation, image, given), step, Recipe([step]),
                lambda image: photochrom.run(step, image, memory=memory)):
        result = way(opened)
        assert isinstance(result, Image.Image)
        assert result.mode == mode
        same_samples(operation, {}, np.asarray(result), expected)


@every()
def test_ports_take_every_kind_of_picture(operation: Operation) -> None:
    image = picture(channels=channels_of(operation, 3))
    for name in pictures_of(operation):
        size = (13, 17) if operation.ports[name].aligned else (11, 7)
        pixels = array(*size, 3, "uint8")
        tensor = (torch.from_numpy(pixels).float() / 255).movedim(-1, 0)[None]
        given = others(operation, image)
        expected = call(operation, image, {**given, name: tensor})
        for other in (pixels, Image.fromarray(pixels)):
            near(call(operation, image, {**given, name: other}), expected)
            near(Step(operation, **{**given, name: other})(image), expected)


@every([operation for operation in OPERATIONS if operation.channelwise])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_the_table_gives_what_the_operation_gives_at_every_level(operation: Operation, dtype: str) -> None:
    levels = np.arange(LEVELS[dtype] + 1).astype(dtype).reshape(-1, 16)
    steps = [Step(operation), Step(photochrom.contrast, amount=0.8), Step(operation, strength=0.4)]
    for recipe in (Recipe(steps[:1]), Recipe(steps)):
        assert np.array_equal(photochrom.run(recipe, levels), recipe(levels))
        assert np.array_equal(photochrom.run(recipe, levels, memory=50_000), recipe(levels))


@every()
def test_progress_tells_every_pixel_of_a_single_tile(operation: Operation) -> None:
    image = picture(HEIGHT, WIDTH)
    done: list[int] = []
    photochrom.run(Step(operation, **others(operation, image)), image, progress=done.append)
    assert sum(done) == pytest.approx(HEIGHT * WIDTH, rel=0.02)
