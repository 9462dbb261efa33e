"""Steps as modules: controls, parameters, buffers, pictures, names that clash."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import photochrom
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.step import Step
from photochrom.core.types import Image, Range, Reference

Any01 = Annotated[float | Tensor, Range(0, 10, neutral=0)]


@op(reach="pixel")
def awkward(image: Image, forward: Reference, *, training: Any01 = 0.0, type: Any01 = 0.0, run: Any01 = 0.0,
            tensors: Any01 = 0.0, operation: Any01 = 0.0, self: Any01 = 0.0) -> Tensor:
    """Add all controls, whose names are those of module attributes.

    Nothing in a step may be shadowed by them.

    Args:
        image: (B, C, H, W).
        forward: another picture, whose mean is added.
        training: is added.
        type: is added.
        run: is added.
        tensors: is added.
        operation: is added.
        self: is added.

    Returns:
        (B, C, H, W).

    Raises:
        ControlError: never.

    Reference:
        None, 2024.

    Example:
        >>> 1
        1
    """
    return image + (forward.mean() + training + type + run + tensors + operation + self)


NAMES = ["training", "type", "run", "tensors", "operation", "self"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["number", "buffer", "parameter"])
def test_no_control_shadows_an_attribute(name: str, kind: str) -> None:
    value: Any = {"number": 2.0, "buffer": torch.tensor(2.0), "parameter": nn.Parameter(torch.tensor(2.0))}[kind]
    step = Step(awkward, forward=torch.ones(1, 1, 2, 2), **{name: value})
    assert step(torch.zeros(1, 1, 2, 2)).unique().item() == 3.0
    assert step.training is True
    assert step.eval().training is False
    assert step.double()(torch.zeros(1, 1, 2, 2, dtype=torch.float64)).unique().item() == 3.0
    assert name in repr(step) or kind != "number"
    assert len(list(step.parameters())) == (kind == "parameter")
    other = Step(awkward, forward=torch.zeros(1, 1, 2, 2, dtype=torch.float64), **{name: value})
    for assign in (False, True):
        other.load_state_dict(step.state_dict(), assign=assign)
        assert other(torch.zeros(1, 1, 2, 2, dtype=torch.float64)).unique().item() == 3.0
        assert len(list(other.parameters())) == (kind == "parameter")


def test_numbers_buffers_and_parameters() -> None:
    plain = Step(photochrom.contrast, amount=2.0)
    assert not list(plain.parameters())
    assert not list(plain.buffers())
    assert not plain.state_dict()
    buffer = Step(photochrom.contrast, amount=torch.tensor(2.0))
    assert list(dict(buffer.named_buffers())) == ["tensors.amount"]
    assert not list(buffer.parameters())
    learnt = Step(photochrom.contrast, amount=nn.Parameter(torch.tensor(2.0)), strength=nn.Parameter(torch.tensor(0.5)))
    assert list(dict(learnt.named_parameters())) == ["tensors.strength", "tensors.amount"]
    assert set(learnt.state_dict()) == {"tensors.strength", "tensors.amount"}
    image = torch.full((1, 1, 1, 1), 0.75)
    assert plain(image) == buffer(image) == 1.0
    assert learnt(image).item() == 0.875
    assert learnt.values() == {"amount": learnt.tensors.items()["amount"], "centre": 0.5}


def test_a_control_may_change_its_kind() -> None:
    image = torch.zeros(1, 1, 1, 1)
    step = Step(photochrom.brightness, amount=0.5)
    for value, learnt, kept in ((torch.tensor(0.25), 0, 1), (nn.Parameter(torch.tensor(0.5)), 1, 0), (0.75, 0, 0),
                                (nn.Parameter(torch.tensor(2.0)), 1, 0), (torch.tensor(3.0), 0, 1)):
        step.set("amount", value)
        assert step(image).item() == torch.as_tensor(value).item()
        assert (len(list(step.parameters())), len(list(step.buffers()))) == (learnt, kept)
    step.set("strength", torch.tensor(0.5))
    step.set("strength", 0.0)
    assert step(image) is image


def test_a_refused_value_leaves_the_step_as_it_was() -> None:
    step = Step(photochrom.brightness, amount=torch.tensor(0.5))
    with pytest.raises(ControlError):
        step.set("amount", "much")
    assert step(torch.zeros(1, 1, 1, 1)).item() == 0.5


def test_an_amount_is_learnt() -> None:
    image = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    target = photochrom.unsharp_mask(image, amount=1.5, sigma=1.0)
    step = Step(photochrom.unsharp_mask, amount=nn.Parameter(torch.tensor(0.2)), sigma=1.0)
    optimiser = torch.optim.Adam(step.parameters(), lr=0.1)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (step(image) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[5] < losses[0]
    assert losses[-1] < losses[0] / 100
    assert abs(step.tensors.items()["amount"].item() - 1.5) < 0.1


def test_strength_is_learnt_too() -> None:
    step = Step(photochrom.negative, strength=nn.Parameter(torch.tensor(0.5)))
    step(torch.zeros(1, 1, 2, 2)).sum().backward()
    assert step.tensors.items()["strength"].grad.item() == 4.0


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ControlError, match=r"^gaussian has no control 'sigmma'; did you mean 'sigma'\?$"):
        Step(photochrom.gaussian, sigmma=2.0)
    with pytest.raises(ControlError, match=r"^gaussian has no control 'strenght'; did you mean 'strength'\?$"):
        Step(photochrom.gaussian, strenght=0.5)
    with pytest.raises(ControlError, match=r"'referense'; did you mean 'reference'"):
        Step(photochrom.transfer_statistics, referense="a.png")
    with pytest.raises(ControlError, match="gaussian has no control 'image'"):
        Step(photochrom.gaussian, image=torch.zeros(1, 1, 2, 2))
    with pytest.raises(ControlError, match="gaussian has no control 'operation'"):
        Step(photochrom.gaussian, operation=1)
    with pytest.raises(ControlError, match="is not an operation of photochrom"):
        Step(len)


def test_pictures_are_buffers_and_move_with_the_step() -> None:
    step = Step(photochrom.transfer_statistics, reference=torch.rand(1, 3, 4, 5), mask=np.ones((6, 7), np.uint8) * 255)
    assert set(dict(step.named_buffers())) == {"pictures.reference", "pictures.mask"}
    assert step.pictures.items()["mask"].shape == (1, 1, 6, 7)
    assert step.double().pictures.items()["reference"].dtype == torch.float64
    assert step(torch.rand(1, 3, 6, 7)).dtype == torch.float32
    mask = Step(photochrom.negative, mask=torch.rand(1, 3, 6, 7)).pictures.items()["mask"]
    assert mask.shape == (1, 1, 6, 7)


def test_files_are_kept_by_name_until_they_are_bound() -> None:
    step = Step(photochrom.transfer_statistics, reference="sunset.png", mask="sky.png")
    assert step.files == {"reference": "sunset.png", "mask": "sky.png"}
    step.bind("reference", torch.rand(1, 3, 2, 2))
    with pytest.raises(ControlError, match=r"the mask file 'sky.png' is not read yet"):
        step(torch.rand(1, 3, 4, 4))
    step.bind("mask", torch.zeros(1, 1, 4, 4))
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(step(image), image)


def test_a_bad_picture_is_named_by_its_port() -> None:
    with pytest.raises(ControlError, match=r"^transfer_statistics: reference must be a floating tensor"):
        Step(photochrom.transfer_statistics, reference=torch.zeros(1, 3, 2, 2, dtype=torch.uint8))
    with pytest.raises(ControlError, match=r"^negative: mask must be a tensor, .* got int$"):
        Step(photochrom.negative, mask=3)


def test_a_step_shows_what_one_would_type() -> None:
    shown = repr(Step(photochrom.gaussian, sigma=1.5))
    for word in ("gaussian", "strength=1.0", "sigma=1.5", "border='reflect'"):
        assert word in shown
