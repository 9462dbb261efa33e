"""Affinities: the kernel gives what the definition in torch gives."""

from __future__ import annotations

import pytest
import torch

from photochrom.num.affinity import affinities


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("correlation", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (3, 2), (37, 53)])
def test_the_kernel_is_the_definition(size: tuple[int, int], correlation: bool, cross: bool) -> None:
    plane = torch.rand(size, generator=torch.Generator().manual_seed(2))
    if not correlation:   # equal neighbours too; there a correlation is 0 or not by rounding
        plane = plane.round(decimals=1)
    found = affinities(plane, correlation=correlation, cross=cross)
    expected = affinities(plane.double(), correlation=correlation, cross=cross)
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() < 2e-5


def test_the_weights_of_a_pixel_sum_to_one() -> None:
    plane = torch.rand(20, 30, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(affinities(plane).sum(0), torch.ones(20, 30), atol=1e-6)
