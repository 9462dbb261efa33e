"""What an operation must leave as it is: shape, kind of number, device, its input, its own answer."""

from __future__ import annotations

import pytest
import torch

from photochrom.core.op import Operation
from tests.contract.cases import (
    DEVICES,
    OPERATIONS,
    call,
    channels_of,
    every,
    every_choice_of_ports,
    every_setting,
    near,
    others,
    picture,
    portion,
    settings,
    shape_after,
)

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@every_setting()
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("device", DEVICES)
def test_shape_dtype_and_device_are_kept(operation: Operation, values: dict, dtype: torch.dtype, device: str) -> None:
    image = picture(batch=2, dtype=dtype).to(device)
    result = call(operation, image, **values)
    assert result.shape == shape_after(operation, image)
    assert result.dtype == dtype
    assert result.device.type == device
    assert result.isfinite().all()


@every_setting()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_short_numbers_are_near_the_long_ones(operation: Operation, values: dict, dtype: torch.dtype) -> None:
    image = picture(dtype=dtype, low=0.2, high=0.8)
    given = others(operation, image)
    wide = call(operation, image.float(), {name: other.float() for name, other in given.items()}, **values)
    # A value near 1 has steps of 2^-11 and 2^-8; a dozen roundings one after the other are allowed.
    near(call(operation, image, given, **values).float(), wide, 12 * torch.finfo(dtype).eps)


@every_choice_of_ports()
def test_inputs_are_untouched(operation: Operation, optional: bool) -> None:
    for values in settings(operation):
        image = picture(batch=2)
        given = others(operation, image, optional=optional)
        before = {"image": image.clone(), **{name: other.clone() for name, other in given.items()}}
        call(operation, image, given, **values)
        for name, now in {"image": image, **given}.items():
            assert torch.equal(now, before[name])


@every_setting()
def test_the_answer_is_always_the_same(operation: Operation, values: dict) -> None:
    image = picture(40, 60)
    assert torch.equal(call(operation, image, **values), call(operation, image.clone(), **values))


@every_choice_of_ports()
def test_a_batch_is_its_pictures_one_by_one(operation: Operation, optional: bool) -> None:
    image = torch.cat([picture(seed=1, high=0.6), picture(seed=2, low=0.3)])
    given = others(operation, image, optional=optional)
    for values in settings(operation):
        together = call(operation, image, given, **values)
        for i in range(2):
            one = portion(operation, given, lambda other, i=i: other[i:i + 1])
            alone = call(operation, image[i:i + 1], one, **values)
            near(together[i:i + 1], alone)


@every_choice_of_ports([operation for operation in OPERATIONS if len(operation.ports) > 1])
def test_one_reference_serves_a_batch(operation: Operation, optional: bool) -> None:
    image = picture(batch=2)
    given = others(operation, image, batch=1, optional=optional)
    doubled = portion(operation, given, lambda other: other.expand(2, -1, -1, -1))
    near(call(operation, image, given), call(operation, image, doubled))


@every_setting()
@pytest.mark.parametrize("kind", ["random", "black", "white", "one colour", "beyond"])
def test_results_are_finite(operation: Operation, values: dict, kind: str) -> None:
    image = {"random": picture(), "black": torch.zeros(1, 3, 13, 17), "white": torch.ones(1, 3, 13, 17),
             "one colour": torch.tensor([0.9, 0.3, 0.1]).reshape(1, 3, 1, 1).expand(1, 3, 13, 17),
             "beyond": picture(low=-0.5, high=1.5)}[kind]
    assert call(operation, image, **values).isfinite().all()


@every_setting()
@pytest.mark.parametrize("kind", ["black", "white", "one colour"])
def test_references_without_structure_give_finite_results(operation: Operation, values: dict, kind: str) -> None:
    image = picture()
    level = {"black": 0.0, "white": 1.0, "one colour": 0.3}[kind]
    given = {name: torch.full_like(other, level) for name, other in others(operation, image).items()}
    assert call(operation, image, given, **values).isfinite().all()


@every_setting()
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 5), (3, 500), (500, 3)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_is_taken(operation: Operation, values: dict, size: tuple[int, int], channels: int) -> None:
    image = picture(*size, channels=channels_of(operation, channels))
    result = call(operation, image, **values)
    assert result.shape == shape_after(operation, image)
    assert result.isfinite().all()


@every_setting()
def test_memory_layout_does_not_matter(operation: Operation, values: dict) -> None:
    plain = picture(14, 18, batch=2)
    given = others(operation, plain)
    layouts = {
        "permuted": plain.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        "turned": plain.transpose(2, 3).contiguous().transpose(2, 3),
        "strided": torch.stack([plain, plain + 1], -1).flatten(3)[..., ::2],
        "cut out": torch.nn.functional.pad(plain, (3, 2, 1, 4), value=7.0)[..., 1:-4, 3:-2],
    }
    expected = call(operation, plain, given, **values)
    for layout, image in layouts.items():
        assert torch.equal(image, plain), layout
        assert not image.is_contiguous(), layout
        near(call(operation, image, given, **values), expected)


@every()
def test_repeated_memory_is_taken(operation: Operation) -> None:
    one = picture(6, 1)
    near(call(operation, one.expand(-1, -1, -1, 9)), call(operation, one.expand(-1, -1, -1, 9).contiguous()))
