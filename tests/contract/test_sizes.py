"""What every operation that changes the size keeps: kinds, depth, alpha, gradients, recipes, steps after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation
from photochrom.core.recipe import Recipe, loads
from photochrom.core.step import Step
from photochrom.engine.files import run_file
from tests.contract.cases import ALL, array, near, one_sentence, others, picture, settings

SIZED = [operation for operation in ALL if operation.chains and operation.resizes is True and operation.gives is None]
COMMON: dict[str, dict[str, Any]] = {
    "resize": {"scale": 0.6}, "crop": {"box": (1.5, 2.25, 14.0, 11.5)}, "downsample": {"factor": 2},
    "upsample": {"factor": 2}, "upscale": {"model": "bicubic"},   # networks are neither linear nor whole in alpha
}
"""Controls that do change the size; an operation that is not listed runs with its defaults."""
ROUNDED = {("resize", "matlab-bicubic")}
"""Settings whose results are whole levels: nothing lies outside 0..1, and slopes are those without rounding."""
CASES = [pytest.param(operation, {**COMMON.get(operation.name, {}), **values},
                      id="-".join([operation.name, *map(str, values.values())]))
         for operation in SIZED for values in settings(operation)]
everything = pytest.mark.parametrize(("operation", "values"), CASES)
every_one = pytest.mark.parametrize(("operation", "values"), [
    pytest.param(operation, COMMON.get(operation.name, {}), id=operation.name) for operation in SIZED])


LEARNT = {"upscale"}
"""Operations by networks, which are not linear, and keep a flat colour only nearly."""


def rounded(operation: Operation, values: dict) -> bool:
    return any((operation.name, value) in ROUNDED for value in values.values())


def call(operation: Operation, image: Any, **values: Any) -> Any:
    like = picture(*image.shape[-2:], dtype=image.dtype) if isinstance(image, torch.Tensor) else picture()
    given = others(operation, like)   # of three channels and one for all pictures of a batch
    return getattr(photochrom, operation.name)(image, **given, **values)


def step_of(operation: Operation, values: dict, image: torch.Tensor | None = None) -> Step:
    return Step(operation, **others(operation, picture() if image is None else image), **values)


@everything
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_dtype_is_kept_and_the_input_untouched(operation: Operation, values: dict, dtype: torch.dtype) -> None:
    image = picture(batch=2, dtype=dtype)
    before = image.clone()
    result = call(operation, image, **values)
    assert result.dtype == dtype
    assert result.shape[:2] == image.shape[:2]
    assert torch.equal(image, before)
    assert result.data_ptr() != image.data_ptr()
    wide = call(operation, image.float(), **values)
    limit = 1 / 255 if rounded(operation, values) else 0
    near(result.float(), wide.float(), max(limit, 12 * torch.finfo(dtype).eps, 1e-6) + limit)


@pytest.mark.parametrize(("operation", "values"), [case for case in CASES if not rounded(*case.values)
                                                   and case.values[1].get("space") != "linear"])
def test_nothing_is_clamped(operation: Operation, values: dict) -> None:
    image = picture(dtype=torch.float64)
    if operation.name in LEARNT:
        assert call(operation, 5 * image - 2, **values).max() > 2
        assert call(operation, 5 * image - 2, **values).min() < -1
        return
    near(call(operation, 5 * image - 2, **values), 5 * call(operation, image, **values)
         - 2 * call(operation, torch.ones_like(image), **values), 1e-12)


@everything
def test_a_batch_is_its_pictures_one_by_one(operation: Operation, values: dict) -> None:
    image = picture(batch=2)
    together = call(operation, image, **values)
    for i in range(2):
        assert torch.equal(together[i:i + 1], call(operation, image[i:i + 1], **values))


@pytest.mark.parametrize(("operation", "values"), [case for case in CASES if not rounded(*case.values)])
def test_the_slope_is_right(operation: Operation, values: dict) -> None:
    image = picture(6, 7, 1, dtype=torch.float64, low=0.3, high=0.7).requires_grad_()
    values = {**values, "box": (0.5, 0.75, 5.5, 5.0)} if "box" in values else values
    assert torch.autograd.gradcheck(lambda image: call(operation, image, **values), (image,))


@everything
def test_call_step_recipe_and_engine_agree(operation: Operation, values: dict) -> None:
    image = picture()
    expected = call(operation, image, **values)
    step = step_of(operation, values)
    ways = [step, lambda image: photochrom.run(step, image), lambda image: photochrom.run(step, image, memory=10**6)]
    if not others(operation, image):   # a picture without a file cannot be written into a recipe
        text = Recipe([step]).dumps()
        again = loads(text)
        assert again.dumps() == text
        ways += [again, lambda image: photochrom.run(again, image, memory=10**6)]
    for way in ways:
        near(way(image), expected)


@pytest.mark.parametrize("operation", [operation for operation in SIZED if not others(operation, picture())],
                         ids=lambda operation: operation.name)
def test_optional_controls_left_out_come_back_left_out(operation: Operation) -> None:
    step = Step(operation)
    again = loads(Recipe([step]).dumps())
    assert next(iter(again)).values() == step.values()


@every_one
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("bands", [None, 1, 2, 3, 4])
def test_on_arrays(operation: Operation, values: dict, dtype: str, bands: int | None) -> None:
    pixels = array(13, 17, bands, dtype)
    before = pixels.copy()
    result = call(operation, pixels, **values)
    assert result.dtype == pixels.dtype
    assert result.shape[2:] == pixels.shape[2:]
    assert np.array_equal(pixels, before)
    assert np.array_equal(photochrom.run(step_of(operation, values), pixels), result)
    if bands in (None, 1, 3):
        top = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
        image = torch.from_numpy(pixels.astype(np.float32) / np.float32(top)).reshape(13, 17, -1).movedim(-1, 0)[None]
        tensor = call(operation, image, **values)[0].movedim(0, -1).numpy().reshape(result.shape)
        # 16 bits keep their levels: nothing goes through 8
        expected = np.rint(tensor.clip(0, 1) * top) if top > 1 else tensor
        assert np.abs(result.astype(float) - expected).max() <= (1 if top > 1 else 1e-6)


@every_one
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "F"])
def test_on_pil_pictures(operation: Operation, values: dict, mode: str) -> None:
    bands, dtype = {"L": (None, "uint8"), "LA": (2, "uint8"), "RGB": (3, "uint8"), "RGBA": (4, "uint8"),
                    "I;16": (None, "uint16"), "F": (None, "float32")}[mode]
    pixels = array(13, 17, bands, dtype)
    result = call(operation, Image.fromarray(pixels), **values)
    assert result.mode == mode
    assert np.array_equal(np.asarray(result), call(operation, pixels, **values))


@everything
def test_what_is_transparent_lends_no_colour(operation: Operation, values: dict) -> None:
    pixels = np.zeros((13, 17, 4), np.float32)
    pixels[...] = (0.8, 0.4, 0.2, 1.0)
    pixels[:, 9:] = (0.0, 1.0, 0.0, 0.0)
    result = call(operation, pixels, **values)
    seen = result[..., 3] > (0.1 if rounded(operation, values) else 1e-3)
    assert seen.any()
    assert np.abs(result[seen][:, :3] - (0.8, 0.4, 0.2)).max() < (
        0.05 if rounded(operation, values) else 0.1 if operation.name in LEARNT else 1e-3)
    assert result[..., 3].min() >= 0
    assert result[..., 3].max() <= 1


@pytest.mark.parametrize("name", ["in.tif", "in.png"])
def test_a_crop_of_a_turned_file_is_cut_as_seen(tmp_path: Path, name: str) -> None:
    """Orientation 6 is turned on reading; 16 bits and their profile come back sample for sample."""
    import pyvips

    pixels = array(40, 60, 3, "uint16" if name == "in.tif" else "uint8")
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="rgb16" if name == "in.tif" else "srgb")
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    if name == "in.tif":
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", pyvips.Image.profile_load("p3"))
    image.write_to_file(str(tmp_path / name))
    run_file(Step(photochrom.crop, box=(5, 10, 25, 50)), tmp_path / name, tmp_path / f"out-{name}")
    found = pyvips.Image.new_from_file(str(tmp_path / f"out-{name}"))
    assert np.array_equal(found.numpy(), np.rot90(pixels, -1)[10:50, 5:25])
    assert found.numpy().dtype == pixels.dtype
    assert (found.get_typeof("icc-profile-data") != 0) == (name == "in.tif")


def test_hidden_colours_keep_their_places() -> None:
    pixels = array(13, 17, 4, "float32")
    pixels[..., 3] = 0
    for box in ((4, 2, 21, 15), (4, 2, 12, 9)):   # the size of the picture, and smaller
        found = photochrom.crop(pixels, box=box, resample="nearest")
        expected = photochrom.crop(np.ascontiguousarray(pixels[..., :3]), box=box, resample="nearest")
        assert np.array_equal(found[..., :3], expected)


@every_one
@pytest.mark.parametrize("extra", [{"strength": 0.5}, {"strength": torch.tensor(0.5)},
                                   {"mask": torch.ones(1, 1, 13, 17)}, {"mask": "mask.png"}],
                         ids=["strength", "tensor strength", "mask", "mask file"])
def test_strength_and_mask_are_refused(operation: Operation, values: dict, extra: dict) -> None:
    with pytest.raises(ControlError) as error:
        Step(operation, **others(operation, picture()), **values, **extra)
    one_sentence(error, operation.name, "size")
    step = step_of(operation, values)
    name, value = next(iter(extra.items()))
    with pytest.raises(ControlError) as error:
        step.set(name, value) if name == "strength" else step.bind(name, value)
    one_sentence(error, operation.name, "size")


@every_one
@pytest.mark.parametrize("memory", [2 * 10**6, 10**9])
def test_steps_after_it_see_the_new_size(operation: Operation, values: dict, memory: int) -> None:
    image = picture(80, 70)
    middle = photochrom.brightness(image, amount=0.05)
    sized = call(operation, middle, **values)
    mask = picture(*sized.shape[-2:], 1, seed=9)
    steps = [Step(photochrom.brightness, amount=0.05), step_of(operation, values, image),
             Step(photochrom.gaussian, sigma=0.8, mask=mask), Step(photochrom.contrast, amount=1.1)]
    result = photochrom.run(Recipe(steps), image, memory=memory)
    near(result, Recipe(steps)(image), 2e-6)
    assert result.shape == sized.shape
    if sized.shape != image.shape:
        wrong = [*steps[:2], Step(photochrom.gaussian, sigma=0.8, mask=picture(80, 70, 1))]
        with pytest.raises(ControlError) as error:
            photochrom.run(Recipe(wrong), image, memory=memory)
        one_sentence(error, "mask")
