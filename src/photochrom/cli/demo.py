"""The main job: shipped recipes over real photographs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from photochrom.core.errors import FileError

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "camera.png")


def shipped_recipes() -> list[Path]:
    """Return the recipe files that came with photochrom: beside the sources, or installed under share/."""
    for folder in (Path(__file__).parents[3] / "recipes", Path(sys.prefix) / "share" / "photochrom" / "recipes"):
        found = sorted(folder.glob("*.toml"))
        if found:
            return found
    raise FileError("the shipped recipes are not installed; use `photochrom run` with a recipe of your own")


def sample_photographs() -> list[Path]:
    """Return the free photographs that scikit-image carries."""
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        raise FileError("the demo uses scikit-image's photographs: `pip install scikit-image`, or name pictures")
    folder = Path(found.submodule_search_locations[0]) / "data"
    return [folder / name for name in PHOTOGRAPHS if (folder / name).is_file()]


def run_demo(inputs: list[Path], output: Path, quiet: bool) -> None:
    """Run every shipped recipe over photographs, write the results and a contact sheet each, say where they are."""
    from photochrom.cli.report import complain, progress_bar
    from photochrom.engine.files import Done, Options
    from photochrom.engine.folders import plan_jobs
    from photochrom.engine.making import Failed
    from photochrom.engine.recipes import load_recipe
    from photochrom.engine.runs import run_jobs
    from photochrom.views.sheet import contact_sheet

    photographs = inputs or sample_photographs()
    for path in shipped_recipes():
        recipe = load_recipe(path)
        jobs = plan_jobs(photographs, output / path.stem)
        pairs: dict[Path, Path] = {}
        with progress_bar(quiet, len(jobs)) as bar:
            bar.expect(len(jobs))
            for result in run_jobs(recipe, jobs, Options(overwrite=True), progress=bar.pixels):
                bar.done(1)
                if isinstance(result, Done):
                    pairs[result.source] = result.target
                elif isinstance(result, Failed):
                    complain(str(result.error))
        sheet = output / f"{path.stem}.png"
        contact_sheet([(job.source, pairs[job.source]) for job in jobs if job.source in pairs], sheet,
                      title=recipe.name, about=recipe.about)
        if not quiet:
            print(f"{recipe.name}: {len(pairs)} pictures in {output / path.stem}, before and after in {sheet}")
