"""The commands score and evaluate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "photochrom.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_score_tells_the_protocol(tmp_path: Path) -> None:
    picture = np.ascontiguousarray(skimage.data.coffee()[:64, :80])
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(picture // 2 * 2).save(tmp_path / "b.png")
    done = run("score", "psnr", tmp_path / "b.png", tmp_path / "a.png", "--protocol", "sr", "--scale", "2")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == "psnr: channel y, border 2, rounding 8-bit"
    told = json.loads(run("score", "ssim", tmp_path / "b.png", tmp_path / "a.png", "--json").stdout)
    assert 0.99 < told["value"] < 1
    assert told["protocol"]["window"].startswith("gaussian")
    same = run("score", "psnr", tmp_path / "a.png", tmp_path / "a.png")
    assert same.stdout.startswith("infinite, the pictures are equal")


def test_what_is_wrong_is_a_sentence_and_no_trace(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((20, 21, 3), np.uint8)).save(tmp_path / "b.png")
    for words, code in ((("score", "psnr", tmp_path / "a.png", tmp_path / "b.png"), 2),
                        (("score", "psnr", tmp_path / "a.png", tmp_path / "none.png"), 1),
                        (("score", "ssim", tmp_path / "a.png", tmp_path / "a.png", "--protocol", "no"), 2),
                        (("evaluate", "--data", tmp_path / "none", "--models", "bicubic"), 1)):
        done = run(*words)
        assert done.returncode == code
        assert len(done.stderr.strip().splitlines()) == 1
        assert done.stdout == ""


def test_evaluate_writes_a_table(tmp_path: Path) -> None:
    Image.fromarray(np.ascontiguousarray(skimage.data.coffee()[:48, :60])).save(tmp_path / "one.png")
    done = run("evaluate", "--data", tmp_path, "--models", "bicubic", "--scale", "2", "--markdown",
               tmp_path / "table.md", "--quiet")
    assert done.returncode == 0
    assert (tmp_path / "table.md").read_text() == done.stdout.removesuffix("\n")
    again = run("evaluate", "--data", tmp_path, "--models", "bicubic", "--markdown", tmp_path / "table.md")
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
