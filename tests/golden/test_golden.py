"""Every shipped recipe gives its expected picture, within the tolerance of docs/decisions/0005."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.golden.make import HERE, RECIPES, make, photograph

LEVELS, SHARE = 1, 0.001


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_recipe_gives_its_expected_picture(recipe: Path, tmp_path: Path) -> None:
    target = tmp_path / "result.png"
    make(recipe, target)
    result = np.asarray(Image.open(target)).astype(int)
    expected = np.asarray(Image.open(HERE / "expected" / f"{recipe.stem}.png")).astype(int)
    assert result.shape == expected.shape
    apart = np.abs(result - expected)
    assert apart.max() <= LEVELS
    assert (apart > 0).mean() <= SHARE
    assert np.abs(result - np.asarray(Image.open(photograph())).astype(int)).mean() > 1, "the recipe changed nothing"


def test_there_are_expected_pictures_for_shipped_recipes_only() -> None:
    assert len(RECIPES) >= 4
    assert {path.stem for path in (HERE / "expected").glob("*.png")} == {path.stem for path in RECIPES}
