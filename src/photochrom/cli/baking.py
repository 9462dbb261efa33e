"""The command `bake`."""

from __future__ import annotations

from pathlib import Path

from photochrom.cli.report import emit


def bake_recipe(recipe: Path, output: Path, size: int, measure: Path | None, overwrite: bool, as_json: bool,
                quiet: bool) -> None:
    """Bake a recipe file into a `.cube` file and tell its errors."""
    from photochrom.engine.bake import bake
    from photochrom.engine.recipes import load_recipe
    from photochrom.io import read, write_lut

    baked = bake(load_recipe(recipe), size, None if measure is None else read(measure))
    comments = (f"baked by photochrom from the recipe {recipe.name}",
                *(f"error on {_words(name)}: {error}" for name, error in baked.errors.items()))
    write_lut(baked.lut, output, comments=comments, overwrite=overwrite,
              protect=(recipe,) if measure is None else (recipe, measure))
    if as_json:
        emit({"output": str(output), "size": size,
              "errors": {name: {"max": error.largest, "mean": error.mean} for name, error in baked.errors.items()}})
    elif not quiet:
        print(output)
        for name, error in baked.errors.items():
            print(f"error on {_words(name)}: {error}")


def _words(name: str) -> str:
    return {"random": "random colours", "midpoints": "colours midway between entries", "picture": "the picture"}[name]
