"""`kill -9` at any moment: whole pictures only, the run goes on, and ends in the bytes of one that was not killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from photochrom.engine.files import Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.recipes import load_recipe
from photochrom.engine.runs import run_jobs
from tests.stress import many

ROOT = Path(__file__).parents[2]
RECIPES = {"a": '[[step]]\nop = "power"\ngamma = 0.8\n[[step]]\nop = "unsharp_mask"\nsigma = 2.0\n',
           "b": '[[step]]\nop = "negative"\n'}


def test_killed_runs_go_on(tmp_path):
    rng = np.random.default_rng(1)
    for number in range(many(60, 12)):
        path = tmp_path / "in" / f"{number % 4}" / f"{number}.{'jpg' if number % 3 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(path)
    for name, text in RECIPES.items():
        (tmp_path / f"{name}.toml").write_text("version = 1\n" + text)
        jobs = plan_jobs([tmp_path / "in"], tmp_path / name)
        list(run_jobs(load_recipe(tmp_path / f"{name}.toml"), jobs, Options()))
    kills = many(200, 6)
    words = [sys.executable, "-m", "tests.stress.killer", str(tmp_path), str(kills), "0"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=many(1200, 120), cwd=ROOT, check=False,
                            env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["kills"] == kills
    assert found["finished"] > 0
