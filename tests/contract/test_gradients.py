"""Operations are differentiable: in the picture, in the other pictures, in the controls that may be tensors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import photochrom
from photochrom.core.controls import Control
from photochrom.core.op import Operation
from tests.contract.cases import (
    STRAIGHT_THROUGH,
    call,
    every_choice_of_ports,
    every_control,
    every_setting,
    inside,
    near,
    others,
    picture,
    pictures_of,
    portion,
    rounding,
)


def small(operation: Operation, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """A picture away from the kinks of transfer curves, and the other pictures, all wanting a gradient."""
    image = picture(4, 5, dtype=torch.float64, low=0.3, high=0.7, seed=seed)
    given = others(operation, image)
    given |= {name: (0.3 + 0.4 * given[name])[..., :3, :4] for name in pictures_of(operation)
              if not operation.ports[name].aligned}
    return image.requires_grad_(), {name: other.detach().requires_grad_() for name, other in given.items()}


@every_setting(learns=True)
def test_the_slope_in_every_picture_is_right(operation: Operation, values: dict) -> None:
    image, given = small(operation)
    if operation.name in STRAIGHT_THROUGH:
        call(operation, image, given, **values).sum().backward()
        assert image.grad is not None
        assert torch.equal(image.grad, torch.ones_like(image))
        return

    def function(image: Tensor, *pictures: Tensor) -> Tensor:
        return call(operation, image, dict(zip(given, pictures, strict=True)), **values)

    assert torch.autograd.gradcheck(function, (image, *given.values()))


@every_choice_of_ports()
def test_the_slope_in_every_port_is_right(operation: Operation, optional: bool) -> None:
    if optional:
        image = small(operation)[0].detach()
        given = others(operation, image, optional=True)
        assert torch.autograd.gradcheck(
            lambda *pictures: call(operation, image, dict(zip(given, pictures, strict=True))),
            tuple(other.requires_grad_() for other in given.values()))
        return
    image, given = small(operation)
    region = {"mask": given.pop("mask").detach()} if "mask" in given else {}   # has an edge and no slope
    ways = (lambda *pictures: call(operation, pictures[0], dict(zip(given, pictures[1:], strict=True)) | region),
            lambda *pictures: photochrom.Step(operation, **dict(zip(given, pictures[1:], strict=True)),
                                              **region)(pictures[0]))
    slopes = [torch.autograd.grad(way(image, *given.values()).square().sum(), [image, *given.values()]) for way in ways]
    for one, other in zip(*slopes, strict=True):
        assert torch.allclose(one, other)


@every_control(tensor=True, ranged=True)
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)], ids=["one", "per picture", "per channel"])
def test_the_slope_in_a_tensor_control_is_right(operation: Operation, control: Control, shape: tuple[int, ...]) -> None:
    image = torch.cat([small(operation, seed)[0].detach() for seed in (0, 1)])
    given = others(operation, image)
    value = torch.full(shape, float(inside(control)), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: call(operation, image, given, **{control.name: value}), (value,))


@every_control(tensor=True, ranged=True)
def test_a_tensor_control_gives_what_the_number_gives(operation: Operation, control: Control) -> None:
    image = picture(batch=2)
    given = others(operation, image)
    value = float(inside(control))
    expected = call(operation, image, given, **{control.name: value})
    for shape in ((), (1,), (2,), (1, 3), (2, 3)):
        tensor = torch.full(shape, value)
        assert torch.allclose(call(operation, image, given, **{control.name: tensor}), expected, atol=1e-6)


@every_control(tensor=True, ranged=True)
def test_a_tensor_control_may_differ_from_picture_to_picture(operation: Operation, control: Control) -> None:
    image = picture(batch=2)
    given = others(operation, image)
    value = torch.tensor([float(inside(control)), float(control.default)])
    together = call(operation, image, given, **{control.name: value})
    for i in range(2):
        alone = call(operation, image[i:i + 1], portion(operation, given, lambda other, i=i: other[i:i + 1]),
                     **{control.name: value[i].item()})
        assert torch.allclose(together[i:i + 1], alone, atol=1e-6)


@every_setting(learns=True)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_slopes_are_finite_on_black_and_white(operation: Operation, values: dict, level: float) -> None:
    image = torch.full((1, 3, 4, 5), level, requires_grad=True)
    call(operation, image, **values).sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()


@every_setting(learns=True)
def test_wanting_a_gradient_changes_no_value(operation: Operation, values: dict) -> None:
    image = picture(low=-0.2, high=1.2)
    image[..., 0, :] = 0
    given = others(operation, image)
    # A kernel rounds otherwise than the definition that gives the gradient.
    near(call(operation, image.clone().requires_grad_(), given, **values).detach(),
         call(operation, image, given, **values), rounding(operation, values))


@every_control(kinds=("float", "int"), ranged=True)
def test_wanting_a_gradient_changes_no_value_at_the_ends(operation: Operation, control: Control) -> None:
    from tests.contract.cases import COMPANIONS

    image = torch.linspace(0, 1, 15).reshape(1, 1, 3, 5).repeat(1, 3, 1, 1)
    given = others(operation, image)
    assert control.range is not None
    for end in (control.range.low, control.range.high):
        values = {control.name: end, **COMPANIONS.get((operation.name, control.name, end), {})}
        wanted = call(operation, image.clone().requires_grad_(), given, **values)
        near(wanted.detach(), call(operation, image, given, **values))


@every_setting(learns=True)
def test_steps_recipes_and_the_engine_keep_the_graph(operation: Operation, values: dict) -> None:
    image, given = small(operation)
    step = photochrom.Step(operation, **{name: other.detach() for name, other in given.items()}, **values)
    direct = torch.autograd.grad(call(operation, image, given, **values).square().sum(), image)[0]
    for way in (step, photochrom.Recipe([step]), lambda picture: photochrom.run(step, picture)):
        result = way(image)
        assert result.requires_grad
        assert torch.allclose(torch.autograd.grad(result.square().sum(), image)[0], direct)
