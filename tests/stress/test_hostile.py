"""A full disk, a folder that cannot be written, odd names, many files, runs at once."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.engine.files import Done, Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.ledger import verify
from photochrom.engine.making import Failed
from photochrom.engine.manifest import Manifest
from photochrom.engine.runs import Kept, run_jobs
from tests.stress import FULL, many

ROOT = Path(__file__).parents[2]
STEP = photochrom.Step(photochrom.negative)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses what Linux offers")


def fill(folder: Path, count: int, size: int = 40) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(folder / f"{number:05}.png")


def run(place: Path, options: Options | None = None, **more):
    return list(run_jobs(STEP, plan_jobs([place / "in"], place / "out"), options, out=place / "out", **more))


def in_child(code: str, *words: str) -> subprocess.CompletedProcess:
    """Run code in a process of its own, whose limits and user it may change."""
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=300, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})


LIMITED = """
import resource, sys
from pathlib import Path
from tests.stress.test_hostile import run
for limit in sys.argv[2:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    for result in run(Path(sys.argv[1])):
        print(type(result).__name__, getattr(result, "error", ""))
"""


@linux
def test_files_that_cannot_grow_fail_and_are_made_later(tmp_path):
    fill(tmp_path / "in", 3)
    result = in_child(LIMITED, tmp_path, 200, 3000)   # too little for the manifest, for a picture
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 6
    assert all(line.startswith("Failed") and "cannot be written" in line for line in lines), lines
    assert not list((tmp_path / "out").glob("*.png"))
    assert not list((tmp_path / "out" / ".photochrom" / "parts").iterdir())
    assert {type(found) for found in run(tmp_path)} == {Done}
    assert [finding for finding in verify(tmp_path / "out")[1] if finding] == []


@linux
def test_a_full_disk(tmp_path):
    disk = tmp_path / "out"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("may not mount a small disk here")
    try:
        fill(tmp_path / "in", 40, 60)   # 11 KB each
        results = run(tmp_path)
        failures = [found for found in results if isinstance(found, Failed)]
        done = [found for found in results if isinstance(found, Done)]
        assert failures
        assert done
        assert all("disk is full" in str(f.error) or "no space left" in str(f.error).lower() for f in failures)
        for found in done:
            Image.open(found.target).load()
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert {type(found) for found in run(tmp_path)} == {Done, Kept}
        assert [finding for finding in verify(disk)[1] if finding] == []
    finally:
        subprocess.run(["umount", disk], check=True)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from tests.stress.test_hostile import run
from photochrom.core.errors import FileError
(Path(sys.argv[1]) / "out").rename(Path(sys.argv[1]) / "kept")
run(Path(sys.argv[1]))   # all that is needed is loaded while it can be read
(Path(sys.argv[1]) / "out").rename(Path(sys.argv[1]) / "made")
(Path(sys.argv[1]) / "kept").rename(Path(sys.argv[1]) / "out")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    run(Path(sys.argv[1]))
except FileError as error:
    print(error)
"""


@linux
def test_a_folder_that_cannot_be_written(tmp_path):
    fill(tmp_path / "in", 1)
    (tmp_path / "out").mkdir()
    for folder in (*list(tmp_path.parents)[:3], tmp_path, tmp_path / "in"):
        folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "out").chmod(0o555)
    result = in_child(UNPRIVILEGED, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "cannot be written" in result.stdout
    assert result.stdout.count("\n") == 1


@linux
def test_odd_names(tmp_path):
    (tmp_path / "in").mkdir()
    names = [b"with space.png", b"it's \"quoted\".png", b"line\nbreak.png", b"not-utf8-\xff\xfe.png",
             b"-o --dry-run.png", b"[Q=1,strip].png", b"a%d$HOME;`x`.png", "ümläut-字.png".encode(),
             b"x" * 246 + b".png", b"y" * 251 + b".png", b"tab\t.png"]
    data = tmp_path / "data.png"
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(data)
    source = os.fsencode(tmp_path / "in")
    for name in names:
        with open(os.path.join(source, name), "wb") as file:
            file.write(data.read_bytes())
    assert {type(found) for found in run(tmp_path)} == {Done}
    made = set(os.listdir(os.fsencode(tmp_path / "out"))) - {b".photochrom"}
    assert made == set(names)
    assert {type(found) for found in run(tmp_path)} == {Kept}
    assert [finding for finding in verify(tmp_path / "out")[1] if finding] == []
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "negative"\n')
    for flag in (["--json"], [])[:many(2, 1)]:
        words = [sys.executable, "-m", "photochrom.cli.main", "run", "--redo", *flag, "-o", tmp_path / "out2"]
        result = subprocess.run([*words, tmp_path / "r.toml", tmp_path / "in"], capture_output=True, check=False,
                                env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        assert len(lines) == len(names) + (2 if flag else 0)
        if flag:
            outputs = [os.fsencode(json.loads(line)["output"]) for line in lines[1:-1]]
            assert {os.path.basename(output) for output in outputs} == set(names)


def test_many_small_files(tmp_path):
    count = many(50_000, 400)
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "one.png")
    for number in range(count):
        os.link(tmp_path / "one.png", tmp_path / "in" / f"{number}.png")
    results = run(tmp_path)
    assert len(results) == count
    assert {type(found) for found in results} == {Done}
    began = time.monotonic()
    assert {type(found) for found in run(tmp_path)} == {Kept}
    assert time.monotonic() - began < many(25, 5)


SECOND = """
import sys
from pathlib import Path
from tests.stress.test_hostile import run
from photochrom.core.errors import FileError
try:
    print(len(run(Path(sys.argv[1]))))
except FileError as error:
    print(error)
"""


def test_of_two_runs_at_once_the_second_is_refused(tmp_path):
    fill(tmp_path / "in", 3)
    with Manifest.open(tmp_path / "out"):
        result = in_child(SECOND, tmp_path)
        assert result.returncode == 0, result.stderr
        assert "another run is writing into" in result.stdout
        assert f"process {os.getpid()}" in result.stdout
        assert not list((tmp_path / "out").glob("*.png"))
    assert len(run(tmp_path)) == 3


@pytest.mark.skipif(not FULL, reason="a long check, run by `make stress`")
def test_many_runs_at_once_end_in_one_whole_folder(tmp_path):
    fill(tmp_path / "in", 60, 300)
    words = [sys.executable, "-c", SECOND, tmp_path]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(6)]
    said = [process.communicate(timeout=300)[0].strip() for process in started]
    assert all(text == "60" or "another run" in text for text in said)
    assert "60" in said
    assert {type(found) for found in run(tmp_path)} == {Kept}


def test_sources_that_vanish_and_change_while_a_run_goes_on(tmp_path):
    fill(tmp_path / "in", 30, 200)
    jobs = plan_jobs([tmp_path / "in"], tmp_path / "out")
    results = run_jobs(STEP, jobs, out=tmp_path / "out", workers=2)
    found = [next(results)]
    for path in sorted((tmp_path / "in").iterdir())[10:20]:
        path.unlink()
    for path in sorted((tmp_path / "in").iterdir())[10:]:
        Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(path)
    found += list(results)
    assert len(found) == 30
    failures = [str(result.error) for result in found if isinstance(result, Failed)]
    assert 5 < len(failures) <= 14
    assert all("no such file" in sentence or "while it was read" in sentence or "cut short" in sentence
               for sentence in failures), failures
    again = run(tmp_path)   # what was read half old, half new was left out; now all is as the sources are
    assert not any(isinstance(result, Failed) for result in again)
    for path in (tmp_path / "in").iterdir():
        expected = 255 - np.asarray(Image.open(path)).astype(int)
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / path.name)), expected)
