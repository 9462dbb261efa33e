"""Damaged files of every format: no crash, no hang, no leak, and one sentence each."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

import photochrom
from photochrom.engine.files import run_file
from tests.stress import many

ROOT = Path(__file__).parents[2]
BATCH = 50
MOST_SECONDS = 120   # of a batch; a file takes milliseconds


def samples(folder: Path) -> dict[str, bytes]:
    """Write a small picture in every format that can be made here."""
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (6, 8, 4), dtype=np.uint8)).resize((64, 48), Image.Resampling.BICUBIC)
    colour, made = photo.convert("RGB"), {}
    photo.save(folder / "a.png")
    photo.save(folder / "a.webp")
    colour.save(folder / "a.gif")
    colour.save(folder / "a.ppm")
    colour.save(folder / "a.jpg")
    colour.save(folder / "lzw.tif", compression="tiff_lzw")
    colour.save(folder / "progressive.jpg", progressive=True, icc_profile=b"\0" * 200)
    colour.convert("L").save(folder / "grey.jpg")
    colour.convert("CMYK").save(folder / "cmyk.jpg")
    deep, real = np.asarray(colour).astype(np.uint16) * 257, np.asarray(photo).astype(np.float32) / 255
    pyvips.Image.new_from_array(deep).copy(interpretation="rgb16").tiffsave(str(folder / "deep.tif"), tile=True)
    pyvips.Image.new_from_array(deep).copy(interpretation="rgb16").pngsave(str(folder / "deep.png"))
    pyvips.Image.new_from_array(real).tiffsave(str(folder / "float.tif"), bigtiff=True)
    for source, name in (("float.tif", "a.exr"), ("float.tif", "a.hdr"), ("a.png", "a.avif"), ("deep.png", "deep.ppm")):
        run_file(photochrom.Step(photochrom.negative), folder / source, folder / name)
    for path in sorted(folder.iterdir()):
        made[path.name] = path.read_bytes()
        path.unlink()
    return made


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Damage a file: flip bytes, cut it, forge a length, take out or double a piece."""
    found = bytearray(data)
    kind = draw.choice(("flip", "flip", "head", "cut", "length", "out", "double", "zero"))
    if kind == "flip":
        for _ in range(draw.choice((1, 3, 30))):
            found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    elif kind == "head":
        for _ in range(3):
            found[draw.randrange(min(100, len(found)))] = draw.randrange(256)
    elif kind == "cut":
        del found[draw.randrange(len(found)):]
    elif kind == "length":   # lengths stand in the first bytes of most formats, and all over a TIFF
        at = draw.randrange(max(1, min(len(found) - 8, 400)))
        value = draw.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 65535, len(found)))
        found[at:at + 4] = value.to_bytes(4, draw.choice(("big", "little")))
    elif kind == "out":
        at = draw.randrange(len(found))
        del found[at:at + draw.randrange(1, 64)]
    elif kind == "double":
        at = draw.randrange(len(found))
        found[at:at] = found[at:at + draw.randrange(1, 64)]
    else:
        at = draw.randrange(len(found))
        found[at:at + 32] = bytes(min(32, len(found) - at))
    return bytes(found)


CHILD = """
import gc, json, os, resource, sys
from pathlib import Path
import photochrom, pyvips
from photochrom.engine.files import Done, Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.runs import run_jobs

place = Path(sys.argv[1])
step = photochrom.Step(photochrom.negative)
def handles():
    gc.collect()
    pyvips.cache_set_max(0)   # libvips keeps some files open for later
    pyvips.cache_set_max(100)
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
facts = []
for folder in sorted(place.glob("batch*")):
    out = folder.parent / ("out-" + folder.name)
    jobs = plan_jobs([folder], out)
    print("BATCH", folder.name, flush=True)
    for result in run_jobs(step, jobs, Options(memory=256 << 20), out=out, workers=2):
        print(json.dumps([result.source.name, str(getattr(result, "error", ""))]), flush=True)
    left = [path.name for path in (out / ".photochrom" / "parts").iterdir()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("END", json.dumps({"handles": handles(), "left": left, "peak": peak, "jobs": len(jobs)}), flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts open files in /proc")
def test_damaged_files_are_one_sentence_each(tmp_path):
    originals, draw = samples(tmp_path), random.Random(2)
    count = many(2000, 96)
    names = sorted(originals)
    for number in range(count):
        name = names[number % len(names)]
        folder = tmp_path / f"batch{number // BATCH:03}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:04}-{name}").write_bytes(mutate(originals[name], draw))
    words = [sys.executable, "-c", CHILD, str(tmp_path)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=MOST_SECONDS * (1 + count // BATCH / 4),
                            check=False, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    lines = result.stdout.splitlines()
    assert result.returncode == 0, f"crashed with {result.returncode} after {lines[-1:]}: {result.stderr[-2000:]}"
    results = [json.loads(line) for line in lines if line.startswith("[")]
    ends = [json.loads(line[4:]) for line in lines if line.startswith("END")]
    assert len(results) == count == sum(end["jobs"] for end in ends)
    for name, sentence in results:
        assert "\n" not in sentence, name
        assert "unexpected fault" not in sentence, (name, sentence)
    failed = sum(bool(sentence) for _, sentence in results)
    assert count / 3 < failed < count, f"{failed} of {count} failed"
    assert all(end["left"] == [] for end in ends)
    # The first batch warms caches up; after it nothing may grow.
    assert ends[-1]["handles"] <= ends[0]["handles"] + 2
    assert ends[-1]["peak"] - ends[0]["peak"] < 256 << 10
