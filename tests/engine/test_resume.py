"""What a manifest is for: finished work is not repeated, a change is noticed, nothing foreign is lost."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.core.errors import FileError
from photochrom.engine import runs
from photochrom.engine.files import Done, Options
from photochrom.engine.folders import plan_jobs
from photochrom.engine.ledger import verify
from photochrom.engine.making import Failed
from photochrom.engine.manifest import Manifest
from photochrom.engine.matched import Matched
from photochrom.engine.runs import Kept, run_jobs

STEP = photochrom.Step(photochrom.negative)
OTHER = photochrom.Step(photochrom.power, gamma=2.0)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "sub/c.png", "sub/d.jpg")):
        picture(tmp_path / "in" / name, number)
    return tmp_path


def picture(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)


def run(place, step=STEP, options=None, **more):
    jobs = plan_jobs([place / "in"], place / "out")
    return list(run_jobs(step, jobs, options, out=place / "out", **more))


def kinds(results):
    return sorted((type(result).__name__, result.source.name) for result in results)


def contents(place):
    out = place / "out"
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*")
            if path.is_file() and ".photochrom" not in path.parts}


def test_finished_work_is_not_repeated(place):
    assert {type(result) for result in run(place)} == {Done}
    before = {path: os.stat(place / "out" / path).st_mtime_ns for path in contents(place)}
    assert {type(result) for result in run(place)} == {Kept}
    assert before == {path: os.stat(place / "out" / path).st_mtime_ns for path in contents(place)}
    assert {type(result) for result in run(place, redo=True)} == {Done}


def test_a_changed_source_and_a_changed_recipe_are_made_anew(place):
    run(place)
    first = contents(place)
    picture(place / "in" / "b.png", 99)
    assert kinds(run(place)) == [("Done", "b.png"), ("Kept", "a.png"), ("Kept", "c.png"), ("Kept", "d.jpg")]
    assert np.array_equal(np.asarray(Image.open(place / "out" / "b.png")),
                          255 - np.asarray(Image.open(place / "in" / "b.png")))
    assert {type(result) for result in run(place, OTHER)} == {Done}
    assert {type(result) for result in run(place, OTHER, Options(quality=50))} == {Done}
    picture(place / "in" / "b.png", 1)
    assert {type(result) for result in run(place)} == {Done}
    assert contents(place) == first


def test_a_new_time_of_the_same_bytes_is_no_change(place):
    run(place)
    later = time.time() + 100
    os.utime(place / "in" / "a.png", (later, later))
    os.utime(place / "out" / "b.png", (later, later))
    assert {type(result) for result in run(place)} == {Kept}
    records = Manifest.read(place / "out").records
    assert records["a.png"].source_print.mtime_ns == os.stat(place / "in" / "a.png").st_mtime_ns
    assert records["b.png"].output_print.mtime_ns == os.stat(place / "out" / "b.png").st_mtime_ns


def test_a_missing_result_is_made_again_and_a_foreign_or_edited_one_kept(place):
    run(place)
    first = contents(place)
    (place / "out" / "a.png").unlink()
    (place / "out" / "b.png").write_bytes(b"edited by hand")
    results = run(place)
    assert kinds(results)[:2] == [("Done", "a.png"), ("Failed", "b.png")]
    assert "was changed since it was made" in str(next(r.error for r in results if isinstance(r, Failed)))
    assert (place / "out" / "b.png").read_bytes() == b"edited by hand"
    assert {type(result) for result in run(place, options=Options(overwrite=True))} == {Done, Kept}
    assert contents(place) == first


@pytest.mark.parametrize("moment", ["before the record", "after the record", "in the record"])
@pytest.mark.parametrize("again", [False, True], ids=["first run", "changed recipe"])
def test_a_run_cut_off_around_the_record_goes_on(place, monkeypatch, moment, again):
    run(place, OTHER)
    expected, other = contents(place), place / "other"
    if again:
        shutil.rmtree(place / "out")
        run(place)
    else:
        shutil.rmtree(place / "out")
    path = place / "out" / ".photochrom" / "manifest.jsonl"

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((Manifest, "add") if moment == "before the record" else (runs, "put_in_place")), killed)
        with pytest.raises(KeyboardInterrupt):
            run(place, OTHER, workers=1)
    if moment == "in the record":
        path.write_bytes(path.read_bytes()[:-20])
    (place / "out" / ".photochrom" / "parts" / "left.png").write_bytes(b"half a pic")
    run(place, OTHER)
    assert contents(place) == expected
    assert not list((place / "out" / ".photochrom" / "parts").iterdir())
    assert not other.exists()
    count, findings = verify(place / "out")
    assert (count, [finding for finding in findings if finding]) == (4, [])


def test_a_failure_is_recorded_and_tried_again(place):
    (place / "in" / "b.png").write_bytes(b"no picture")
    assert [r.source.name for r in run(place) if isinstance(r, Failed)] == ["b.png"]
    assert "b.png" in Manifest.read(place / "out").records["b.png"].error
    run(place)
    lines = (place / "out" / ".photochrom" / "manifest.jsonl").read_text().count("b.png: ")
    assert lines == 1   # the same failure is not written again
    picture(place / "in" / "b.png", 1)
    assert kinds(run(place))[0] == ("Done", "b.png")


def test_verify_finds_what_is_missing_changed_or_damaged(place):
    run(place)
    (place / "out" / "a.png").unlink()
    (place / "out" / "b.png").write_bytes((place / "in" / "b.png").read_bytes())
    count, findings = verify(place / "out")
    assert count == 4
    assert {(f.output.name, f.trouble) for f in findings if f} == {("a.png", "is missing"),
                                                                   ("b.png", "is not what was made")}
    path = place / "out" / ".photochrom" / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{dam\n", *lines[2:]]))
    assert any(f and f.trouble == "line 2 is damaged" for f in verify(place / "out")[1])
    path.write_text('{"photochrom": "manifest", "format": 2}\n')
    with pytest.raises(FileError, match="newer photochrom"):
        run(place)
    with pytest.raises(FileError, match="holds no manifest"):
        verify(place / "in")


def test_a_second_run_into_the_same_folder_is_refused(place):
    with Manifest.open(place / "out"), pytest.raises(FileError, match=r"another run is writing into .*process"):
        run(place)
    run(place)


def test_a_source_that_changes_while_it_is_read_fails(place, monkeypatch):
    from photochrom.engine import making

    real = making.run_file

    def meddled(recipe, source, *rest, **more):
        done = real(recipe, source, *rest, **more)
        if source.name == "a.png":
            picture(source, 7)
        if source.name == "b.png":
            source.unlink()
        return done

    monkeypatch.setattr(making, "run_file", meddled)
    results = run(place)
    assert kinds(results) == [("Done", "c.png"), ("Done", "d.jpg"), ("Failed", "a.png"), ("Failed", "b.png")]
    assert sum("while it was read" in str(r.error) for r in results if isinstance(r, Failed)) == 2
    assert not (place / "out" / "a.png").exists()


def test_masks_are_matched_by_name(place):
    for name in ("a.png", "b.png", "sub/c.png", "sub/d.png"):
        mask = np.zeros((20, 30), np.uint8)
        mask[:, :ord(name[-5]) - ord("a") + 1] = 255
        (place / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(place / "masks" / name)
    matched = Matched({"1.mask": place / "masks"}, (place / "in",))
    recipe = photochrom.Recipe([STEP])
    assert {type(r) for r in run(place, recipe, matched=matched)} == {Done}
    for name, columns in (("a.png", 1), ("b.png", 2), ("sub/c.png", 3)):
        before, after = (np.asarray(Image.open(place / base / name)).astype(int) for base in ("in", "out"))
        assert np.array_equal(after[:, :columns], 255 - before[:, :columns])
        assert np.array_equal(after[:, columns:], before[:, columns:])
    Image.fromarray(np.full((20, 30), 255, np.uint8)).save(place / "masks" / "b.png")
    (place / "masks" / "sub" / "c.png").unlink()
    results = run(place, recipe, matched=matched)
    assert kinds(results) == [("Done", "b.png"), ("Failed", "c.png"), ("Kept", "a.png"), ("Kept", "d.jpg")]
    assert "holds no picture named c" in str(next(r.error for r in results if isinstance(r, Failed)))
