"""`photochrom run`: folders, failures, exit codes, interrupts."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import pixels

NEGATIVE = 'version = 1\n[[step]]\nop = "negative"\n'


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(NEGATIVE)
    return path


@pytest.fixture
def folder(tmp_path, photo):
    place = tmp_path / "in"
    (place / "sub dir").mkdir(parents=True)
    photo.rename(place / "a.png")
    Image.open(place / "a.png").save(place / "sub dir" / "b's [1].jpg", quality=95)
    return place


def test_a_folder_is_mirrored(cli, recipe, folder, tmp_path):
    result = cli("run", recipe, folder, "-o", tmp_path / "out")
    assert result.code == 0
    assert sorted(result.out.split("\n")[:-1]) == sorted(map(str, [tmp_path / "out" / "a.png",
                                                                   tmp_path / "out" / "sub dir" / "b's [1].jpg"]))
    assert np.array_equal(pixels(tmp_path / "out" / "a.png"), 255 - pixels(folder / "a.png"))


def test_one_bad_file_is_reported_and_the_rest_is_done(cli, recipe, folder, tmp_path):
    (folder / "c.jpg").write_text("this is text")
    result = cli("run", recipe, folder, "-o", tmp_path / "out", "--json")
    assert result.code == 1
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] for event in events[::len(events) - 1]] == ["begin", "summary"]
    assert sorted(event["event"] for event in events[1:-1]) == ["done", "done", "failed"]
    assert events[-1]["failures"][0]["input"] == str(folder / "c.jpg")
    assert events[-1]["failures"][0]["error"] in result.err
    assert "c.jpg" in result.err
    assert "1 of 3 pictures failed" in result.err
    assert (tmp_path / "out" / "a.png").exists()
    assert not (tmp_path / "out" / "c.jpg").exists()


@pytest.mark.parametrize(("text", "code", "words"), [
    ("version = 2\n[[step]]\nop = 'negative'\n", 2, "reads recipes up to version 1"),
    ("version = 1\n[[step]]\nop = 'power'\ngamma = 'high'\n", 2, "step 1: power: gamma must be a finite number"),
    ("version = 1\n[[step]]\nop = 'power'\ngamma = 1000\n", 2, "step 1: power: gamma must lie between 0.01 and 100"),
    ("version = 1\n[[step]]\nop = 'powr'\n", 2, "did you mean 'power'?"),
    ("version = 1\n[[step]]\nop = 'power'\ngama = 2\n", 2, "did you mean 'gamma'?"),
    ("version = 1\n[[step]]\nop = 'transfer_statistics'\n", 2, "needs the picture 'reference'"),
    ("version = 1\n[[step]]\nop = 'transfer_statistics'\nreference = 'gone.png'\n", 1, "gone.png"),
    ("version = 1\n[[step]\nop = 'negative'\n", 2, "line 2"),
    ("", 2, "version = 1"),
])
def test_a_bad_recipe_is_one_sentence(cli, folder, tmp_path, text, code, words):
    (tmp_path / "bad.toml").write_text(text)
    result = cli("run", tmp_path / "bad.toml", folder, "-o", tmp_path / "out")
    assert result.code == code
    assert words in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_recipe_and_a_missing_input_are_said(cli, recipe, folder, tmp_path):
    missing = cli("run", tmp_path / "none.toml", folder, "-o", tmp_path / "out")
    assert (missing.code, "there is no recipe" in missing.err) == (2, True)
    gone = cli("run", recipe, tmp_path / "gone.png", "-o", tmp_path / "out")
    assert (gone.code, "gone.png" in gone.err) == (1, True)


def test_a_folder_where_a_file_is_meant_points_to_run(cli, folder, tmp_path):
    result = cli("negative", folder, "-o", tmp_path / "o.png")
    assert result.code == 1
    assert "is a folder" in result.err
    assert "photochrom run" in result.err


@pytest.mark.parametrize("target", ["same", "unwritable", "unknown"])
def test_outputs_that_cannot_be(cli, folder, tmp_path, target):
    source = folder / "a.png"
    before = source.read_bytes()
    (tmp_path / "file").write_text("a file where a folder is meant")
    output = {"same": source, "unwritable": tmp_path / "file" / "o.png", "unknown": tmp_path / "o.xyz"}[target]
    result = cli("negative", source, "-o", output, "--overwrite")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert source.read_bytes() == before


def test_results_are_replaced_only_when_asked(cli, recipe, folder, tmp_path):
    arguments = ("run", recipe, folder, "-o", tmp_path / "out", "--quiet")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"someone's own")
    assert cli(*arguments).code == 1
    assert (tmp_path / "out" / "a.png").read_bytes() == b"someone's own"
    assert cli(*arguments, "--overwrite").code == 0
    assert np.array_equal(pixels(tmp_path / "out" / "a.png"), 255 - pixels(folder / "a.png"))


def test_info_and_version(cli, folder):
    facts = json.loads(cli("info", folder / "a.png", "--json").out)
    assert (facts["width"], facts["height"], facts["depth"]) == (80, 60, "uint8")
    assert "width: 80" in cli("info", folder / "a.png").out
    assert cli("--version").out.strip()[0].isdigit()


def test_demo_on_ones_own_pictures(cli, folder, tmp_path):
    result = cli("demo", folder / "a.png", "-o", tmp_path / "demo")
    assert result.code == 0, result.err
    sheets = list((tmp_path / "demo").glob("*.png"))
    assert len(sheets) >= 4
    for sheet in sheets:
        assert Image.open(sheet).size[0] > 600
        assert list((tmp_path / "demo" / sheet.stem).glob("*.png"))


def test_a_command_ends_without_a_word_of_the_libraries_it_loaded(tmp_path):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    for before, after in (("a.png", "b.exr"), ("b.exr", "c.exr")):
        words = [sys.executable, "-m", "photochrom.cli.main", "negative", tmp_path / before, "-o", tmp_path / after]
        result = subprocess.run([*words, "--quiet"], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_an_interrupt_ends_cleanly_with_130(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    noise = Image.fromarray(rng.integers(0, 256, (1500, 2000, 3), dtype=np.uint8))
    for number in range(40):
        noise.save(tmp_path / "in" / f"{number:02}.png", compress_level=0)
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "gaussian"\nsigma = 30.0\n')
    # A test run in the background inherits an ignored SIGINT; a user's terminal does not.
    code = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from photochrom.cli.main import main; main()")
    command = [sys.executable, "-c", code, "run", tmp_path / "r.toml", tmp_path / "in", "-o", tmp_path / "out"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()   # the first picture is done, the others are not
    os.kill(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    finished = [path for path in (tmp_path / "out").iterdir() if path.name != ".photochrom"]
    assert 1 <= len(finished) < 40
    for path in finished:
        assert path.suffix == ".png"
        Image.open(path).load()


def test_help_is_light():
    code = ("import sys; sys.argv = ['photochrom', '--help']\n"
            "from photochrom.cli.main import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "heavy = {'torch', 'numpy', 'numba', 'pyvips', 'PIL'}\n"
            "print(sorted(heavy & set(sys.modules)), file=sys.stderr)")
    for wanted in ("--help", "gaussian --help"):
        words = str(["photochrom", *wanted.split()])
        result = subprocess.run([sys.executable, "-c", code.replace("['photochrom', '--help']", words)],
                                capture_output=True, text=True, check=True)
        assert result.stderr.strip() == "[]"
        assert "gaussian" in result.stdout


def test_completion_knows_operations_without_torch(process):
    env = os.environ | {"_PHOTOCHROM_COMPLETE": "complete_bash", "COMP_WORDS": "photochrom gau", "COMP_CWORD": "1"}
    result = subprocess.run([sys.executable, "-X", "importtime", "-c",
                             "import sys; sys.argv=['photochrom']; from photochrom.cli.main import main; main()"],
                            capture_output=True, text=True, env=env, check=False)
    assert "gaussian" in result.stdout
    assert "torch" not in result.stderr


def test_an_operation_into_a_folder_keeps_no_manifest_and_replaces_nothing(cli, folder, tmp_path):
    (tmp_path / "out").mkdir()
    assert cli("negative", folder / "a.png", "-o", tmp_path / "out").code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    assert cli("power", folder / "a.png", "-o", tmp_path / "out").code == 1


def test_a_run_tells_its_plan_goes_on_and_is_verified(cli, recipe, folder, tmp_path):
    called = ("--format", "png", "--name", "{parent}/{stem}-{recipe}.{ext}")
    words = ("run", recipe, folder, "-o", tmp_path / "out", *called)
    planned = cli(*words, "--dry-run")
    assert planned.code == 0
    assert f"-> {tmp_path / 'out' / 'sub dir' / ('b' + chr(39) + 's [1]-recipe.png')}" in planned.out
    assert not (tmp_path / "out").exists()
    made = cli(*words)
    assert (made.code, len(made.out.splitlines()), "2 pictures made" in made.err) == (0, 2, True)
    again = cli(*words, "--json")
    assert [json.loads(line)["event"] for line in again.out.splitlines()] == ["begin", "kept", "kept", "summary"]
    assert "2 of 2 pictures are as they were made" in cli("verify", tmp_path / "out").out
    (tmp_path / "out" / "a-recipe.png").write_bytes(b"other")
    wrong = cli("verify", tmp_path / "out", "--json")
    assert (wrong.code, [json.loads(line)["event"] for line in wrong.out.splitlines()]) == (1, ["wrong", "summary"])


def test_masks_from_a_folder_and_wrong_options(cli, recipe, folder, tmp_path):
    (tmp_path / "masks").mkdir()
    for name in ("a", "b's [1]"):
        Image.new("L", (80, 60), 0).save(tmp_path / "masks" / f"{name}.png")
    words = ("run", recipe, folder, "-o", tmp_path / "out", "--format", "png")
    result = cli(*words, "--picture", f"mask={tmp_path / 'masks'}")
    assert result.code == 0, result.err
    assert np.array_equal(pixels(tmp_path / "out" / "a.png"), pixels(folder / "a.png"))
    for wrong in (("--picture", "reference=x.png"), ("--picture", "mask"), ("--tiff", "round"), ("--engine", "boat"),
                  ("--gpus", "1"), ("--name", "{x}"), ("--format", "gif")):
        result = cli(*words, *wrong)
        assert (result.code, result.err.count("\n")) == (2, 1), wrong
