"""`photochrom fit` and `photochrom fit-kernel`."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import pixels

RECIPES = Path(__file__).parents[2] / "recipes" / "fit"
EDIT = ('version = 1\n[[step]]\nop = "exposure"\nstops = [0.4, 0.2, 0.0]\n[[step]]\nop = "saturation"\namount = 1.3\n'
        '[[step]]\nop = "sigmoid_contrast"\namount = 2.0\n')


@pytest.fixture
def edited(cli, photo, tmp_path):
    recipe = tmp_path / "edit.toml"
    recipe.write_text(EDIT)
    assert cli("run", recipe, photo, "-o", tmp_path / "edited.png").code == 0
    return tmp_path / "edited.png"


def test_a_photograph_and_its_edited_copy_give_the_edit(cli, photo, edited, tmp_path):
    learned = tmp_path / "sub" / "learned.toml"
    learned.parent.mkdir()
    done = cli("fit", RECIPES / "adjustments.toml", photo, edited, "-o", learned, "--curve", tmp_path / "loss.png")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == str(learned)
    assert lines[1].startswith("1.exposure.stops")
    assert lines[-2].startswith("unedited: ")
    assert lines[-1].startswith("fitted:   ")
    assert cli("run", learned, photo, "-o", tmp_path / "again.png").code == 0
    off = np.abs(pixels(tmp_path / "again.png") - pixels(edited))
    assert (off > 1).mean() < 0.001   # levels before the S-curve are not the exact inverse of what the edit did not do
    assert pixels(tmp_path / "loss.png").shape[:2] == (460, 760)
    refused = cli("fit", RECIPES / "adjustments.toml", photo, edited, "-o", learned)
    assert refused.code == 1
    assert "exists already" in refused.err


def test_the_figures_as_json_and_controls_by_name(cli, photo, edited, tmp_path):
    done = cli("fit", tmp_path / "edit.toml", photo, edited, photo, edited, "-o", tmp_path / "l.toml", "--json",
               "--controls", "stops,saturation.amount", "--loss", "l2", "--steps", "20", "--seed", "5")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [control["name"] for control in told["controls"]] == ["1.exposure.stops", "2.saturation.amount"]
    np.testing.assert_allclose(told["controls"][0]["value"], [[0.4, 0.2, 0.0]], atol=5e-3)
    assert told["fitted"]["psnr"] > 57
    assert told["loss"] == "l2"


def test_folders_are_paired_by_name(cli, photo, edited, tmp_path):
    for folder, source in (("before", photo), ("after", edited)):
        (tmp_path / folder).mkdir()
        Image.open(source).save(tmp_path / folder / "one.png")
        Image.open(source).save(tmp_path / folder / f"only-{folder}.png")
    done = cli("fit", tmp_path / "edit.toml", tmp_path / "before", tmp_path / "after", "-o", tmp_path / "l.toml",
               "--json", "--controls", "saturation")
    assert done.code == 0, done.err
    Image.open(photo).save(tmp_path / "before" / "x.png")
    (tmp_path / "empty").mkdir()
    lonely = cli("fit", tmp_path / "edit.toml", tmp_path / "before", tmp_path / "empty", "-o", tmp_path / "m.toml")
    assert lonely.code == 1
    assert lonely.err.count("\n") == 1


def test_pictures_of_a_recipe_are_named_from_where_the_result_lies(cli, photo, edited, tmp_path):
    (tmp_path / "look").mkdir()
    Image.open(photo).rotate(90).save(tmp_path / "look" / "palette.png")
    recipe = tmp_path / "look" / "start.toml"
    recipe.write_text('version = 1\n[[step]]\nop = "transfer_statistics"\nreference = "palette.png"\nstrength = 0.5\n'
                      '[[step]]\nop = "exposure"\nstops = 0\n')
    done = cli("fit", recipe, photo, edited, "-o", tmp_path / "learned.toml")
    assert done.code == 0, done.err
    assert 'reference = "look/palette.png"' in (tmp_path / "learned.toml").read_text()
    assert cli("run", tmp_path / "learned.toml", photo, "-o", tmp_path / "x.png").code == 0


def test_what_is_wrong_is_one_sentence_and_a_code(cli, photo, edited, tmp_path):
    start, out = RECIPES / "adjustments.toml", tmp_path / "l.toml"
    plain = tmp_path / "plain.toml"
    plain.write_text('version = 1\n[[step]]\nop = "negative"\n')
    Image.open(photo).crop((0, 0, 30, 20)).save(tmp_path / "small.png")
    (tmp_path / "torn.png").write_bytes(edited.read_bytes()[:500])
    cases = [
        (2, "no control that can be trained", ("fit", plain, photo, edited, "-o", out)),
        (2, "must have one size", ("fit", start, photo, tmp_path / "small.png", "-o", out)),
        (2, "come in pairs", ("fit", start, photo, edited, photo, "-o", out)),
        (2, "a recipe ends in .toml", ("fit", start, photo, edited, "-o", tmp_path / "l.png")),
        (2, "no control 'stpos'", ("fit", start, photo, edited, "-o", out, "--controls", "stpos")),
        (2, "loss must be one of", ("fit", start, photo, edited, "-o", out, "--loss", "l9")),
        (1, "torn.png", ("fit", start, photo, tmp_path / "torn.png", "-o", out)),
        (1, "nowhere.png", ("fit", start, photo, tmp_path / "nowhere.png", "-o", out)),
        (2, "there is no recipe", ("fit", tmp_path / "none.toml", photo, edited, "-o", out)),
        (1, "must end in .png or .svg", ("fit", start, photo, edited, "-o", out, "--curve", tmp_path / "loss.txt")),
        (2, "size must be odd", ("fit-kernel", photo, edited, "--size", "4")),
    ]
    for code, sentence, words in cases:
        done = cli(*words)
        assert (done.code, done.err.count("\n")) == (code, 1), (words, done.err)
        assert sentence in done.err
        assert not out.exists()


def test_a_kernel_from_files(cli, photo, tmp_path):
    picture = Image.open(photo).convert("L")
    picture.save(tmp_path / "grey.png")
    wide = np.pad(np.asarray(picture).astype(float), 1, mode="edge")
    sharp = 5 * wide[1:-1, 1:-1] - wide[:-2, 1:-1] - wide[2:, 1:-1] - wide[1:-1, :-2] - wide[1:-1, 2:]
    Image.fromarray(np.clip(sharp, 0, 255).astype(np.uint8)).save(tmp_path / "sharp.png")
    done = cli("fit-kernel", tmp_path / "grey.png", tmp_path / "sharp.png", "-o", tmp_path / "k.txt")
    assert done.code == 0, done.err
    np.testing.assert_allclose(np.loadtxt(tmp_path / "k.txt"), [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], atol=1e-3)
    told = json.loads(cli("fit-kernel", tmp_path / "grey.png", tmp_path / "sharp.png", "--json").out)
    assert np.shape(told["kernels"]) == (1, 3, 3)
    two = cli("fit-kernel", tmp_path / "grey.png", tmp_path / "sharp.png", "-o", tmp_path / "m.txt", "--kernels", "2",
              "--point", "relu", "--steps", "5", "--quiet")
    assert two.code == 0, two.err
    assert two.out == ""
    assert {path.name for path in tmp_path.glob("m*.txt")} == {"m-1.txt", "m-2.txt"}
