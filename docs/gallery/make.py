"""Make the gallery of the gradient domain anew: `make gallery`. Look at the pictures before committing.

What recipes/gallery needs beside the photographs, masks and a part of the cat, is made here too.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
RECIPES = HERE.parents[1] / "recipes" / "gallery"
SHOWN = {"cat-in-coffee": "coffee.png", "table-of-gravel": "coffee.png", "even-light": "motorcycle_left.png",
         "endless-gravel": "gravel.png", "old-photograph": "camera.png"}
"""The photograph of scikit-image that each recipe is for."""
HEIGHT = 300
SKY, GRASS, COAT, SKIN, WHITE, HAIR = "#9fbde0", "#7d8a46", "#1b1826", "#c8946f", "#dbd8d2", "#241c19"
STROKES = (
    (SKY, (20, 40, 150, 60, 260, 30, 490, 50)), (SKY, (20, 150, 60, 120)), (SKY, (300, 120, 370, 130)),
    (SKY, (440, 150, 500, 160)), (SKY, (10, 60, 12, 160)), (SKY, (250, 20, 500, 120)),
    (GRASS, (255, 300, 230, 480)), (GRASS, (180, 500, 500, 500)), (GRASS, (320, 440, 380, 290)),
    (GRASS, (480, 260, 500, 480)), (GRASS, (380, 260, 500, 270)), (GRASS, (170, 420, 240, 400)),
    (GRASS, (190, 340, 260, 340)), (GRASS, (400, 430, 470, 400)), (GRASS, (2, 240, 12, 240)),
    (COAT, (80, 250, 100, 340, 60, 440)), (COAT, (140, 180, 190, 290)), (COAT, (40, 300, 60, 240, 130, 160)),
    (COAT, (90, 450, 110, 500)), (COAT, (200, 250, 215, 280)), (COAT, (270, 190, 300, 180)),
    (HAIR, (175, 85, 200, 75, 245, 85)), (SKIN, (214, 120, 226, 165)), (SKIN, (224, 128, 238, 150)),
    (WHITE, (179, 165, 185, 178)), (WHITE, (428, 140, 428, 180)), (WHITE, (310, 165, 330, 168)))
"""Colours and the points x, y their lines go through, for the old photograph."""


def photograph(name: str) -> Path:
    """Return a photograph that scikit-image carries."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data" / name


def disc(size: tuple[int, int], middle: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """Return an ellipse, True inside; size (h, w), middle and radii (x, y)."""
    y, x = np.mgrid[:size[0], :size[1]] + 0.5
    return ((x - middle[0]) / radii[0]) ** 2 + ((y - middle[1]) / radii[1]) ** 2 < 1


def make_inputs(folder: Path) -> None:
    """Write the second pictures and masks that the recipes name."""
    cat = Image.open(photograph("chelsea.png")).crop((100, 30, 360, 230)).resize((130, 100), Image.Resampling.LANCZOS)
    cat.save(folder / "cat.png")
    cup = disc((400, 600), (277, 215), (212, 184)) | disc((400, 600), (290, 140), (130, 135))
    cup |= disc((400, 600), (415, 90), (35, 45))   # the spoon
    for name, mask in (("cat-mask", disc((100, 130), (65, 50), (60, 42))),
                       ("table-mask", ~cup)):
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{name}.png", optimize=True)
    layer = Image.new("RGBA", (512, 512))
    pen = ImageDraw.Draw(layer)
    for colour, line in STROKES:
        pen.line(line, colour, 5)
    layer.save(folder / "strokes.png", optimize=True)
    Image.open(photograph("gravel.png")).resize((256, 256), Image.Resampling.LANCZOS).save(folder / "gravel.png")


def make(recipe: Path, target: Path) -> None:
    """Run a recipe over its photograph."""
    from photochrom.engine.files import Options, run_file
    from photochrom.engine.recipes import load_recipe

    run_file(load_recipe(recipe), photograph(SHOWN[recipe.stem]), target, Options(overwrite=True))


def side_by_side(before: Path, after: Path, target: Path) -> None:
    """Write both pictures at one height, at most 200 kB."""
    pair = [Image.open(path).convert("RGB") for path in (before, after)]
    pair = [part.resize((round(part.width * HEIGHT / part.height), HEIGHT), Image.Resampling.LANCZOS) for part in pair]
    sheet = Image.new("RGB", (pair[0].width + pair[1].width + 8, HEIGHT), "white")
    sheet.paste(pair[0], (0, 0))
    sheet.paste(pair[1], (pair[0].width + 8, 0))
    sheet.save(target, quality=85)
    assert target.stat().st_size < 200_000


if __name__ == "__main__":
    import tempfile

    make_inputs(RECIPES)
    with tempfile.TemporaryDirectory() as scratch:
        for stem, name in SHOWN.items():
            result = Path(scratch) / f"{stem}.png"
            make(RECIPES / f"{stem}.toml", result)
            side_by_side(photograph(name), result, HERE / f"{stem}.jpg")
            print(HERE / f"{stem}.jpg")
