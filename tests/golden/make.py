"""Make the expected pictures anew: `make golden`. Look at them before committing."""

import importlib.util
from pathlib import Path

from photochrom.engine.files import Options, run_file
from photochrom.engine.recipes import load_recipe

HERE = Path(__file__).parent
RECIPES = sorted((HERE.parents[1] / "recipes").glob("*.toml"))


def photograph() -> Path:
    """Return the picture all recipes are tried on: scikit-image's cat, in the public domain (CC0)."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data" / "chelsea.png"


def make(recipe: Path, target: Path) -> None:
    run_file(load_recipe(recipe), photograph(), target, Options(overwrite=True))


if __name__ == "__main__":
    for path in RECIPES:
        make(path, HERE / "expected" / f"{path.stem}.png")
        print(HERE / "expected" / f"{path.stem}.png")
