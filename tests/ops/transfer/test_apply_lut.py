"""Applying colour tables, beside Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

import photochrom
from photochrom.core.errors import ControlError
from photochrom.core.recipe import Recipe
from photochrom.engine.recipes import load_recipe
from photochrom.io import Lut, read_lut, write_lut


def look(side: int = 17) -> torch.Tensor:
    grid = torch.linspace(0, 1, side)
    blue, green, red = torch.meshgrid(grid, grid, grid, indexing="ij")
    return torch.stack([red ** 1.3, 0.8 * green + 0.2 * red * blue, blue.sqrt()])


@pytest.mark.parametrize("way", ["function", "run"])
def test_trilinear_is_pillows(coffee: np.ndarray, way: str) -> None:
    table = look()
    theirs = ImageFilter.Color3DLUT(17, table.movedim(0, -1).reshape(-1).tolist())
    expected = np.asarray(Image.fromarray(coffee).filter(theirs)).astype(int)
    step = photochrom.Step(photochrom.apply_lut, lut=table, interpolation="trilinear")
    found = (photochrom.apply_lut(coffee, table, interpolation="trilinear") if way == "function"
             else photochrom.run(step, coffee)).astype(int)
    assert np.abs(found - expected).max() <= 1   # Pillow counts in 16 bits


def test_what_lies_beyond_is_carried_or_clipped() -> None:
    image = torch.tensor([-0.5, 0.5, 3.0]).reshape(1, 3, 1, 1)
    same = torch.tensor([0.0, 1.0]).expand(3, 2)
    assert photochrom.apply_lut(image, same).flatten().tolist() == [-0.5, 0.5, 3.0]
    assert photochrom.apply_lut(image, same, beyond="clip").flatten().tolist() == [0, 0.5, 1]
    domain = torch.tensor([-1.0, -1.0, -1.0, 2.0, 2.0, 2.0])
    found = photochrom.apply_lut(image, same, domain).flatten().tolist()
    assert found == pytest.approx([0.5 / 3, 0.5, 1 + 1.0])


def test_a_file_brings_its_domain(tmp_path: Path, coffee: np.ndarray) -> None:
    lut = Lut(look(5), torch.tensor([[0.1, 0.0, 0.0], [0.9, 1.0, 2.0]]))
    write_lut(lut, tmp_path / "look.cube")
    given = read_lut(tmp_path / "look.cube")
    expected = photochrom.apply_lut(coffee, lut.values, [0.1, 0, 0, 0.9, 1, 2])
    assert np.array_equal(photochrom.apply_lut(coffee, given), expected)
    assert np.array_equal(photochrom.Step(photochrom.apply_lut, lut=given)(coffee), expected)
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "apply_lut"\nlut = "look.cube"\n')
    recipe = load_recipe(tmp_path / "r.toml")
    assert np.array_equal(photochrom.run(recipe, coffee), expected)
    assert 'lut = "look.cube"' in recipe.dumps()
    photochrom.apply_lut(coffee, look(5).numpy())   # an array is a table too


def test_a_table_can_be_learnt() -> None:
    wanted = look(3)
    table = torch.nn.Parameter(torch.stack(torch.meshgrid(*[torch.linspace(0, 1, 3)] * 3, indexing="ij")[::-1]))
    step = photochrom.Step(photochrom.apply_lut, lut=table)
    assert [name for name, _ in step.named_parameters()] == ["pictures.lut"]
    image = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    target = photochrom.apply_lut(image, wanted)
    optimiser = torch.optim.Adam(step.parameters(), lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        loss = (step(image) - target).square().mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-4


@pytest.mark.parametrize(("table", "words"), [
    (torch.zeros(3, 4, 4, 5), r"\(3, S, S, S\) or \(3, S\)"), (torch.zeros(4, 4, 4, 4), "got"),
    (torch.zeros(3, 1), "at least 2"),
    (torch.zeros(3, 4, dtype=torch.uint8), "floating"), ("look.jpg", "got str"), (Recipe([]), "got Recipe"),
], ids=["uneven", "four", "one", "bytes", "name", "other"])
def test_what_is_no_table_is_refused(table: object, words: str) -> None:
    with pytest.raises(ControlError, match=rf"^apply_lut: lut must be a .*{words}"):
        photochrom.apply_lut(torch.zeros(1, 3, 2, 2), table)


def test_a_domain_must_rise() -> None:
    with pytest.raises(ControlError, match=r"^apply_lut: lut_domain must be six numbers"):
        photochrom.apply_lut(torch.zeros(1, 3, 2, 2), look(3), [0, 0, 0, 1, 0, 1])
