"""Evaluation of models on folders: the figures of papers, the protocol beside them, what cannot be evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from photochrom.core.errors import ControlError, FileError
from photochrom.learn.evaluation import evaluate

SHARED = Path(__file__).parents[2] / ".." / "shared"
needs_data = pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="the shared pictures are not here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "originals"
    place.mkdir()
    for name, picture in (("coffee", skimage.data.coffee()), ("cat", skimage.data.chelsea())):
        Image.fromarray(np.ascontiguousarray(picture[100:161, 100:170])).save(place / f"{name}.png")
    return place


def test_untouched_pictures(folder: Path) -> None:
    found = evaluate(folder, "upscale", ["bicubic"], scale=3)
    assert found.pictures == ["cat", "coffee"]
    scores = found.scores["bicubic"]["psnr"]
    assert all(20 < score.value < 50 for score in scores)
    assert found.means["bicubic"]["psnr"].value == pytest.approx(np.mean([score.value for score in scores]))
    assert dict(scores[0].protocol.settings) == {"channel": "y", "border": 3, "rounding": "8-bit",
                                                 "degradation": "bicubic", "scale": 3}
    noisy = evaluate(folder, "denoise", ["none"], sigma=25, metrics=["psnr"])
    assert noisy.means["none"]["psnr"].value == pytest.approx(20.2, abs=0.3)   # 20 log10(255 / 25), values cut off
    again = evaluate(folder, "denoise", ["none"], sigma=25, metrics=["psnr"])
    assert [s.value for s in noisy.scores["none"]["psnr"]] == [s.value for s in again.scores["none"]["psnr"]]
    other = evaluate(folder, "denoise", ["none"], sigma=25, seed=7, metrics=["psnr"])
    assert [s.value for s in noisy.scores["none"]["psnr"]] != [s.value for s in other.scores["none"]["psnr"]]
    hard, soft = (evaluate(folder, "deblock", ["none"], quality=quality, metrics=["psnr"]).means["none"]["psnr"].value
                  for quality in (10, 60))
    assert hard < soft


def test_tables_and_json(folder: Path) -> None:
    found = evaluate(folder, "upscale", ["bicubic"], scale=2)
    table = found.markdown()
    assert "psnr: channel y, border 2, rounding 8-bit, degradation bicubic, scale 2" in table
    assert "| **mean** |" in table
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["models"]["bicubic"]["psnr"]["by_picture"].keys() == {"cat", "coffee"}


@pytest.mark.parametrize(("options", "words"), [
    ({"task": "sharpen"}, "not known"),
    ({"models": []}, "at least one model"),
    ({"models": ["nosuch"]}, "nosuch"),
    ({"degradation": "noise"}, "not one of upscale's"),
    ({"degradation": "files"}, "needs pairs"),
    ({"metrics": ["beauty"]}, "not known"),
])
def test_what_cannot_be_evaluated_gets_a_sentence(folder: Path, options: dict[str, Any], words: str) -> None:
    asked = {"task": "upscale", "models": ["bicubic"], **options}
    with pytest.raises((ControlError, FileError), match=words):
        evaluate(folder, **asked)


def test_folders_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no folder"):
        evaluate(tmp_path / "nowhere", "upscale", ["bicubic"])
    with pytest.raises(FileError, match="no picture files"):
        evaluate(tmp_path, "upscale", ["bicubic"])
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "one_HR.png")
    with pytest.raises(FileError, match="no companion one_LR"):
        evaluate(tmp_path, "upscale", ["bicubic"])


@needs_data
@pytest.mark.parametrize(("scale", "figures"), [
    (2, {"bicubic": 33.66}), (4, {"bicubic": 28.42}), (3, {"bicubic": 30.39, "srcnn_x3_fuyongxu.pth": 32.66}),
    pytest.param(2, {"vdsr_twtygqyy.pth": 37.57}, marks=pytest.mark.slow),
    pytest.param(3, {"vdsr_twtygqyy.pth": 33.74}, marks=pytest.mark.slow),
    pytest.param(4, {"vdsr_twtygqyy.pth": 31.44}, marks=pytest.mark.slow),
])
def test_published_weights_give_the_published_figures(scale: int, figures: dict[str, float]) -> None:
    """VDSR (twtygqyy/pytorch-vdsr), SRCNN 9-5-5 (fuyongXu/SRCNN_Pytorch_1.0) on Set5, and MATLAB's bicubic."""
    models = [str(SHARED / "weights" / name) if name.endswith(".pth") else name for name in figures]
    found = evaluate(SHARED / "data" / "sr" / "Set5" / f"x{scale}", "upscale", models, scale=scale,
                     degradation="bicubic-y", metrics=["psnr"])
    assert [found.means[model]["psnr"].value for model in models] == pytest.approx(list(figures.values()), abs=0.03)
