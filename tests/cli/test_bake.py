"""`photochrom bake`, and the table it makes applied."""

import json

import numpy as np

from tests.cli.conftest import pixels

RECIPE = 'version = 1\n[[step]]\nop = "white_balance"\n[[step]]\nop = "sigmoid_contrast"\namount = 2.0\n'


def test_there_and_back(cli, photo, tmp_path):
    recipe = tmp_path / "look.toml"
    recipe.write_text(RECIPE)
    needs = cli("bake", recipe, "-o", tmp_path / "look.cube")
    assert needs.code == 2
    assert "--measure" in needs.err
    told = cli("bake", recipe, "-o", tmp_path / "look.cube", "--measure", photo, "--size", "65", "--json")
    assert told.code == 0, told.err
    errors = json.loads(told.out)["errors"]
    assert set(errors) == {"random", "midpoints", "picture"}
    assert cli("apply-lut", photo, "--lut", tmp_path / "look.cube", "-o", tmp_path / "lut.png").code == 0
    assert cli("run", recipe, photo, "-o", tmp_path / "run.png").code == 0
    apart = np.abs(pixels(tmp_path / "lut.png") - pixels(tmp_path / "run.png"))
    assert apart.max() <= errors["picture"]["max"] * 255 + 1
    again = cli("bake", recipe, "-o", tmp_path / "look.cube", "--measure", photo)
    assert again.code == 1
    assert "exists already" in again.err


def test_it_refuses_in_one_sentence(cli, photo, tmp_path):
    recipe = tmp_path / "blur.toml"
    recipe.write_text('version = 1\n[[step]]\nop = "gaussian"\n')
    result = cli("bake", recipe, "-o", tmp_path / "look.cube")
    assert result.code == 2
    assert "step 1 (gaussian) looks beyond the pixel" in result.err
    assert result.err.count("\n") == 1
    recipe.write_text('version = 1\n[[step]]\nop = "negative"\n')
    assert "ends in .cube" in cli("bake", recipe, "-o", tmp_path / "look.png").err
    wrong = cli("apply-lut", photo, "--lut", photo, "-o", tmp_path / "x.png")
    assert "lut must be a colour table, such as a .cube file, got Photo" in wrong.err
