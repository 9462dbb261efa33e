"""`photochrom train`."""

import json

import numpy as np
import pytest
from PIL import Image

from photochrom.nets.weights import load
from tests.learn.test_training import TINY

pytest.importorskip("lightning_fabric")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    chance = np.random.default_rng(0)
    for number in range(8):
        Image.fromarray(np.kron(chance.integers(0, 256, (10, 12), np.uint8), np.ones((5, 5), np.uint8))).save(
            folder / f"{number}.png")
    return folder


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_it_trains_tells_and_goes_on(cli, config, data, tmp_path):
    out = tmp_path / "out"
    done = cli("train", config, "--data", data, "-o", out, "--steps", 20)
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == str(out / "best.safetensors")
    assert "step 20 of 20" in done.err
    assert load(out / "best.safetensors").descriptor.scales == (2,)
    before = (out / "last.ckpt").read_bytes()
    again = cli("train", config, "--data", data, "-o", out, "--steps", 20)
    assert (again.code, (out / "last.ckpt").read_bytes()) == (1, before)
    assert f"{out} holds a training already; go on with --resume {out}" in again.err
    more = cli("train", config, "--data", data, "-o", out, "--resume", out, "--json")
    assert more.code == 0, more.err
    lines = [json.loads(line) for line in more.out.splitlines()]
    assert [line["step"] for line in lines[:-1]] == [30]
    assert lines[-1]["steps"] == 30
    assert 0 < lines[-1]["loading"] < 1


def test_begun_with_other_weights_it_is_as_good_at_once(cli, config, data, tmp_path):
    assert cli("train", config, "--data", data, "-o", tmp_path / "one", "--steps", 200, "--quiet").code == 0
    first = load(tmp_path / "one" / "best.safetensors").descriptor.figures
    done = cli("train", config, "--data", data, "-o", tmp_path / "two", "--steps", 1, "--quiet", "--start",
               tmp_path / "one" / "best.safetensors")
    assert (done.code, done.out, done.err) == (0, "", "")
    again = load(tmp_path / "two" / "best.safetensors").descriptor.figures
    assert again["held out x2 PSNR"] == pytest.approx(first["held out x2 PSNR"], abs=0.5)


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--steps", "0"], 2, "steps must be at least 1"), (["--devices", "0"], 2, "devices must be at least 1"),
    (["--resume", "nowhere.ckpt"], 1, "no such file"), (["--start", "nothing-known"], 1, "there are none called"),
    (["--validation", "nowhere"], 1, "no such folder"), (["--device", "toaster"], 2, "toaster"),
])
def test_bad_usage_is_one_sentence(cli, config, data, tmp_path, arguments, code, words):
    done = cli("train", config, "--data", data, "-o", tmp_path / "out", *arguments)
    assert done.code == code
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_without_lightning_it_says_what_to_install(cli, config, data, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    done = cli("train", config, "--data", data, "-o", tmp_path / "out")
    assert done.code == 2
    assert "pip install 'photochrom[train]'" in done.err


def test_a_configuration_that_is_none_is_named(cli, data, tmp_path):
    for text in ("not toml at all [", "version = 7"):
        path = tmp_path / "bad.toml"
        path.write_text(text)
        done = cli("train", path, "--data", data)
        assert done.code == 2
        assert "bad.toml" in done.err
    assert cli("train", tmp_path / "missing.toml", "--data", data).code == 2
