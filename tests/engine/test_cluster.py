"""The cluster engine gives the bytes of the local one; what it sends can be sent."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.engine.cluster import Actor, absolute
from photochrom.engine.files import Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.making import Failed, Made, Maker, Task
from photochrom.engine.runs import run_jobs

RECIPE = '[[step]]\nop = "power"\ngamma = 0.8\n[[step]]\nop = "transfer_statistics"\nreference = "like.png"\n'


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("like.png", "in/a.png", "in/b.jpg", "in/sub/c.tif", "in/d.jpg"):
        Image.fromarray(rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "in" / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "r.toml").write_text("version = 1\n" + RECIPE)
    return tmp_path


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".photochrom" not in path.parts}


def test_what_is_sent_to_an_actor_makes_the_same_bytes(place):
    recipe = photochrom.load_recipe(place / "r.toml")
    jobs = plan_jobs([place / "in"], place / "out")
    list(run_jobs(recipe, jobs, out=place / "out"))
    (place / "parts").mkdir()
    maker = Maker(recipe, Options(memory=1 << 30), frozenset(), place / "parts", "some recipe")
    actor = Actor(pickle.loads(pickle.dumps(maker)))
    tasks = [Task(job) for job in plan_jobs([place / "in"], place / "elsewhere")]
    batch = {"number": np.arange(len(tasks)), "known": np.array([pickle.dumps(task) for task in tasks], object)}
    for _ in range(2):   # done twice, a task ends in one file
        answer = actor(batch)
        results = [pickle.loads(result) for result in answer["result"]]
        assert [type(result).__name__ for result in results] == ["Made", "Made", "Failed", "Made", "Made"]
        made = {result.done.target.relative_to(place / "elsewhere"): result.part.read_bytes()
                for result in results if isinstance(result, Made)}
        assert made == contents(place / "out")
        assert len(list((place / "parts").iterdir())) == 4
    assert "bad.jpg" in str(next(result.error for result in results if isinstance(result, Failed)))
    assert not contents(place / "elsewhere")


def test_paths_are_made_absolute_and_addresses_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert absolute(["a/b"]) == [tmp_path / "a" / "b"]
    assert str(absolute(["s3://bucket/photos"])[0]) == "s3://bucket/photos"


@pytest.mark.slow
def test_ray_gives_the_bytes_of_the_local_engine(cli_process, place):
    pytest.importorskip("ray")
    local = cli_process("run", place / "r.toml", place / "in", "-o", place / "out", "--json")
    remote = cli_process("run", place / "r.toml", place / "in", "-o", place / "out2", "--json", "--engine", "ray",
                         "--jobs", "2")
    assert (local.returncode, remote.returncode) == (1, 1), remote.stderr
    assert contents(place / "out2") == contents(place / "out")
    assert len(contents(place / "out")) == 4
    events = [json.loads(line) for line in remote.stdout.splitlines()]
    assert [events[0]["event"], events[-1]["made"], events[-1]["failed"]] == ["begin", 4, 1]
    again = cli_process("run", place / "r.toml", place / "in", "-o", place / "out2", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["kept"] == 4   # one manifest for both engines


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["the process", "its group"])
def test_an_interrupt_ends_a_cluster_of_our_own_within_two_seconds(tmp_path, whom):
    pytest.importorskip("ray")
    (tmp_path / "in").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    for number in range(200):
        Image.fromarray(np.roll(picture, number, 0)).save(tmp_path / "in" / f"{number:03}.jpg")
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "gaussian"\nsigma = 3.0\n')
    # What runs in the background inherits an ignored SIGINT; a user's terminal does not.
    code = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from photochrom.cli.main import main; main()")
    words = ["run", str(tmp_path / "r.toml"), str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json"]
    process = subprocess.Popen([sys.executable, "-c", code, *words, "--engine", "ray"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    while '"done"' not in process.stdout.readline():   # the next is on its way
        assert process.poll() is None
    began = time.monotonic()
    (os.kill if whom == "the process" else os.killpg)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert "interrupted; finished pictures are kept" in err
    assert json.loads(out.splitlines()[-1])["interrupted"]
    made = contents(tmp_path / "out")
    assert 0 < len(made) < 200
    last = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(last.stdout.splitlines()[-1])["kept"] == len(made)
    assert len(contents(tmp_path / "out")) == 200
    assert not list((tmp_path / "out" / ".photochrom" / "parts").iterdir())


@pytest.mark.slow
def test_a_machine_that_goes_down_costs_no_picture(tmp_path):
    utils = pytest.importorskip("ray.cluster_utils")
    (tmp_path / "in").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    for number in range(60):
        Image.fromarray(np.roll(picture, number, 0)).save(tmp_path / "in" / f"{number:03}.jpg")
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "gaussian"\nsigma = 3.0\n')
    words = [sys.executable, "-m", "photochrom.cli.main", "run", str(tmp_path / "r.toml"), str(tmp_path / "in"),
             "--json"]
    small = {"object_store_memory": 100 << 20}
    cluster = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
    try:   # three nodes with raylets and ports of their own, as three machines would be
        nodes = [cluster.add_node(num_cpus=1, **small) for _ in range(2)]
        cluster.wait_for_nodes()
        process = subprocess.Popen([*words, "-o", str(tmp_path / "out"), "--engine", "ray", "--address",
                                    cluster.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        events = []
        for line in process.stdout:
            events.append(json.loads(line))   # and nothing but JSON on standard output
            if len(nodes) == 2 and len(events) == 9:
                cluster.remove_node(nodes.pop(), allow_graceful=False)
        assert process.wait(timeout=300) == 0, process.stderr.read()
    finally:
        cluster.shutdown()
    assert (events[-1]["made"], events[-1]["failed"], len(nodes)) == (60, 0, 1)
    subprocess.run([*words, "-o", str(tmp_path / "local")], stdout=subprocess.DEVNULL, timeout=300, check=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "local")
    subprocess.run([*words, "-o", str(tmp_path / "out")], stdout=subprocess.DEVNULL, timeout=300, check=True)
    assert not list((tmp_path / "out" / ".photochrom" / "parts").iterdir())   # what the killed actor left is cleared


@pytest.fixture
def cli_process():
    def run(*arguments):
        command = [sys.executable, "-m", "photochrom.cli.main", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    return run
