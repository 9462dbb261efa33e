"""Runs from and into stores with addresses give the bytes of local ones, go on, and notice what changes."""

import http.server
import json
import subprocess
import sys
import threading
from functools import partial

import fsspec
import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.core.errors import FileError
from photochrom.engine.files import Done, Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.ledger import read_manifest, verify
from photochrom.engine.making import Failed
from photochrom.engine.runs import Kept, run_jobs
from photochrom.io.stores import Address, locate

STEP = photochrom.Step(photochrom.negative)
OTHER = photochrom.Step(photochrom.power, gamma=2.0)
OPTIONS = Options(memory=1 << 30)


@pytest.fixture
def place(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("in/a.png", "in/b [1]*.jpg", "in/sub/c.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def bucket(place):
    """Put the pictures into a store in memory: objects, no renaming, no appending."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    for path in (place / "in").rglob("*.*"):
        store.pipe_file(f"/bucket/in/{path.relative_to(place / 'in').as_posix()}", path.read_bytes())
    store.pipe_file("/bucket/in/.hidden.png", b"left out")
    store.pipe_file("/bucket/in/bad.png", b"no picture")
    yield store
    store.store.clear()


def run(source, out, step=STEP, **more):
    source, out = locate(source), locate(out)
    return list(run_jobs(step, plan_jobs([source], out), more.pop("options", OPTIONS), out=out, **more))


def local(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".photochrom" not in path.parts}


def stored(store, folder):
    return {name.removeprefix(f"{folder}/"): store.cat_file(name) for name in store.find(folder)
            if ".photochrom" not in name}


def kinds(results):
    return sorted((type(result).__name__, result.source.name) for result in results)


def test_a_store_gives_the_bytes_of_local_folders_and_is_not_worked_on_twice(place, bucket):
    run(place / "in", place / "out")
    results = run("memory://bucket/in", "memory://bucket/out")
    assert kinds(results) == [("Done", "a.png"), ("Done", "b [1]*.jpg"), ("Done", "c.tif"), ("Failed", "bad.png")]
    failure = next(result for result in results if isinstance(result, Failed))
    assert str(failure.error).startswith("memory://bucket/in/bad.png: expected")
    assert stored(bucket, "/bucket/out") == local(place / "out")
    assert not bucket.find("/bucket/out/.photochrom/parts")
    again = run("memory://bucket/in", "memory://bucket/out")
    assert kinds(again)[:1] == [("Failed", "bad.png")]
    assert {type(result) for result in again} == {Kept, Failed}
    bucket.rm("/bucket/in/bad.png")
    count, findings = verify("memory://bucket/out")
    assert (count, sum(finding is not None for finding in findings)) == (4, 1)   # the failure of before
    run("memory://bucket/in", place / "mixed")
    assert local(place / "mixed") == local(place / "out")
    run(place / "in", "memory://bucket/mixed")
    assert stored(bucket, "/bucket/mixed") == local(place / "out")


def test_changes_in_a_store_are_noticed(bucket):
    bucket.rm("/bucket/in/bad.png")
    run("memory://bucket/in", "memory://bucket/out")
    bucket.pipe_file("/bucket/in/a.png", bucket.cat_file("/bucket/in/sub/c.tif"))   # read by its content
    bucket.rm("/bucket/out/sub/c.tif")
    bucket.pipe_file("/bucket/out/b [1]*.jpg", b"edited by hand")
    results = run("memory://bucket/in", "memory://bucket/out")
    assert kinds(results) == [("Done", "a.png"), ("Done", "c.tif"), ("Failed", "b [1]*.jpg")]
    assert "was changed since it was made" in str(next(r.error for r in results if isinstance(r, Failed)))
    assert [f.output.name for f in verify("memory://bucket/out")[1] if f] == ["b [1]*.jpg"]
    redone = run("memory://bucket/in", "memory://bucket/out", OTHER, options=Options(memory=1 << 30, overwrite=True))
    assert {type(result) for result in redone} == {Done}
    assert [finding for finding in verify("memory://bucket/out")[1] if finding] == []


def test_a_run_into_a_store_that_was_cut_off_goes_on(bucket, monkeypatch):
    from photochrom.engine import runs

    bucket.rm("/bucket/in/bad.png")
    run("memory://bucket/in", "memory://bucket/whole")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "move", killed)
        with pytest.raises(KeyboardInterrupt):
            run("memory://bucket/in", "memory://bucket/out", workers=1)
    assert bucket.find("/bucket/out/.photochrom/parts")
    assert not stored(bucket, "/bucket/out")
    assert {type(result) for result in run("memory://bucket/in", "memory://bucket/out")} == {Done}
    assert stored(bucket, "/bucket/out") == stored(bucket, "/bucket/whole")


def test_pictures_are_read_from_a_web_server(place):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(place / "in"))
    handler.log_message = lambda *_: None
    (place / "in" / "b [1]*.jpg").unlink()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            pytest.importorskip("aiohttp")
            results = run(f"{address}/a.png", place / "one")
            missing = run(f"{address}/none.png", place / "none")
        finally:
            server.shutdown()
    run(place / "in" / "a.png", place / "local")
    assert kinds(results) == [("Done", "a.png")]
    assert local(place / "one") == local(place / "local")
    assert kinds(missing) == [("Failed", "none.png")]


def test_addresses_are_told_from_paths(tmp_path):
    address = locate("S3://bucket/2024") / "sub" / "a b.jpg"
    assert isinstance(address, Address)
    assert (str(address), address.suffix) == ("s3://bucket/2024/sub/a b.jpg", ".jpg")
    assert address.relative_to(locate("s3://bucket/2024")).as_posix() == "sub/a b.jpg"
    assert not isinstance(locate("a:b/c"), Address)
    assert locate(f"file://{tmp_path}") == tmp_path
    assert not isinstance(locate(f"file://{tmp_path}"), Address)
    with pytest.raises(FileError, match="inside another"):
        locate("zip://a.png::s3://bucket/all.zip")
    with pytest.raises(FileError, match="cannot be read"):
        plan_jobs([locate("nosuch://bucket/photos")], tmp_path)
    assert read_manifest("memory://nothing/here").records == {}


@pytest.mark.slow
def test_a_cluster_works_from_one_store_into_another(place):
    pytest.importorskip("ray")
    (place / "r.toml").write_text('version = 1\n[[step]]\nop = "negative"\n')
    words = [sys.executable, "-m", "photochrom.cli.main", "run", str(place / "r.toml")]
    subprocess.run([*words, str(place / "in"), "-o", str(place / "out")], check=True, capture_output=True)
    ray = subprocess.run([*words, f"local://{place}/in", "-o", f"local://{place}/stored", "--engine", "ray", "--json"],
                         check=True, capture_output=True, text=True, timeout=200)
    events = [json.loads(line) for line in ray.stdout.splitlines()]
    assert (events[-1]["made"], events[-1]["failed"]) == (3, 0)
    assert local(place / "stored") == local(place / "out")
    again = subprocess.run([*words, f"local://{place}/in", "-o", f"local://{place}/stored", "--json"], check=True,
                           capture_output=True, text=True, timeout=200)
    assert json.loads(again.stdout.splitlines()[-1])["kept"] == 3
