"""The pictures of docs/gallery are what its recipes make."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery" / "make.py")
assert _spec is not None
assert _spec.loader is not None
gallery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gallery)


@pytest.mark.parametrize("stem", gallery.SHOWN)
def test_a_recipe_makes_its_picture(stem: str, tmp_path: Path) -> None:
    gallery.make(gallery.RECIPES / f"{stem}.toml", tmp_path / "result.png")
    gallery.side_by_side(gallery.photograph(gallery.SHOWN[stem]), tmp_path / "result.png", tmp_path / "pair.jpg")
    made, shown = (np.asarray(Image.open(path)).astype(int) for path in (tmp_path / "pair.jpg",
                                                                         gallery.HERE / f"{stem}.jpg"))
    assert made.shape == shown.shape
    assert np.abs(made - shown).mean() < 0.5   # JPEG libraries differ a little


def test_what_the_recipes_name_is_what_is_made(tmp_path: Path) -> None:
    gallery.make_inputs(tmp_path)
    made = sorted(tmp_path.iterdir())
    assert [path.name for path in made] == sorted(path.name for path in gallery.RECIPES.glob("*.png"))
    for path in made:
        one, other = (np.asarray(Image.open(where)).astype(int) for where in (path, gallery.RECIPES / path.name))
        assert np.abs(one - other).max() <= 1


def test_every_recipe_is_shown_and_every_picture_small() -> None:
    assert {path.stem for path in gallery.RECIPES.glob("*.toml")} == set(gallery.SHOWN)
    for path in gallery.HERE.glob("*.jpg"):
        assert path.stem in gallery.SHOWN
        assert path.stat().st_size < 200_000
        assert f"({path.name})" in (gallery.HERE / "README.md").read_text(encoding="utf-8")
