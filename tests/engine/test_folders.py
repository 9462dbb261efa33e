"""Folders: the tree is mirrored, a bad file is reported, the rest is done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.core.errors import ControlError, FileError
from photochrom.engine.files import Done, Options, run_file
from photochrom.engine.folders import Job, Selection, plan_jobs
from photochrom.engine.making import Failed
from photochrom.engine.pool import spread
from photochrom.engine.runs import run_jobs

STEP = photochrom.Step(photochrom.negative)


def picture(path: Path, seed: int = 0, size=(30, 40, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)).save(path)
    return path


def test_the_tree_is_mirrored_and_the_output_left_out(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "sub" / "deep" / "b.JPG")
    picture(tmp_path / ".hidden" / "c.png")
    picture(tmp_path / "out" / "old.png")
    (tmp_path / "notes.txt").write_text("no picture")
    jobs = plan_jobs([tmp_path], tmp_path / "out")
    assert [job.target.relative_to(tmp_path / "out") for job in jobs] == [Path("a.png"), Path("sub/deep/b.JPG")]


def test_an_output_around_the_input_is_fine(tmp_path):
    picture(tmp_path / "photos" / "a.png")
    assert [job.target for job in plan_jobs([tmp_path / "photos"], tmp_path)] == [tmp_path / "a.png"]


def test_a_format_that_is_only_read_becomes_png(tmp_path):
    picture(tmp_path / "in" / "a.gif")
    assert plan_jobs([tmp_path / "in"], tmp_path / "out")[0].target == tmp_path / "out" / "a.png"


def test_one_file_goes_to_one_file(tmp_path):
    source = picture(tmp_path / "a.png")
    assert plan_jobs([source], tmp_path / "b.jpg") == [Job(source, tmp_path / "b.jpg")]
    assert plan_jobs([source], tmp_path / "folder") == [Job(source, tmp_path / "folder" / "a.png")]


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(FileError, match="holds no picture files"):
        plan_jobs([tmp_path], tmp_path / "out")


@pytest.mark.parametrize("workers", [1, 3])
def test_a_bad_file_is_reported_and_the_rest_is_done(tmp_path, workers):
    for number in range(5):
        picture(tmp_path / "in" / f"{number}.png", number)
    (tmp_path / "in" / "2.png").write_bytes(b"no picture at all")
    jobs = plan_jobs([tmp_path / "in"], tmp_path / "out")
    results = list(run_jobs(STEP, jobs, workers=workers))
    assert [result.source.name for result in results if isinstance(result, Failed)] == ["2.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png", "3.png", "4.png"]
    for result in results:
        if isinstance(result, Done):
            expected = 255 - np.asarray(Image.open(result.source)).astype(int)
            assert np.array_equal(np.asarray(Image.open(result.target)), expected)


def test_the_sources_are_never_written(tmp_path):
    source = picture(tmp_path / "in" / "a.png")
    before = source.read_bytes()
    results = list(run_jobs(STEP, plan_jobs([tmp_path / "in"], tmp_path / "in"), Options(overwrite=True)))
    assert isinstance(results[0], Failed)
    assert "never overwritten" in str(results[0].error)
    assert source.read_bytes() == before
    with pytest.raises(FileError):
        run_file(STEP, source, source, Options(overwrite=True))
    assert source.read_bytes() == before


def test_a_finished_picture_is_not_replaced_unless_asked(tmp_path):
    jobs = plan_jobs([picture(tmp_path / "a.png")], tmp_path / "b.png")
    assert isinstance(next(run_jobs(STEP, jobs)), Done)
    assert isinstance(next(run_jobs(STEP, jobs)), Failed)
    assert isinstance(next(run_jobs(STEP, jobs, Options(overwrite=True))), Done)


def test_giving_up_stops_the_workers_and_leaves_whole_files_only(tmp_path):
    for number in range(8):
        picture(tmp_path / "in" / f"{number}.png", number)
    results = run_jobs(STEP, plan_jobs([tmp_path / "in"], tmp_path / "out"), workers=2)
    next(results)
    results.close()
    done = list((tmp_path / "out").iterdir())
    assert 1 <= len(done) < 8
    for path in done:
        Image.open(path).load()


def test_memory_is_shared_by_the_workers(tmp_path):
    for number in range(2):
        picture(tmp_path / "in" / f"{number}.png", number, (2000, 1000, 3))
    jobs = plan_jobs([tmp_path / "in"], tmp_path / "out")
    blur = photochrom.Step(photochrom.gaussian, border="circular")
    needed = 2000 * 1000 * 3 * 4 * photochrom.gaussian.operation.copies
    assert all(isinstance(r, Done) for r in run_jobs(blur, jobs, Options(memory=4 * needed), workers=2))
    assert all(isinstance(r, Failed) for r in
               run_jobs(blur, jobs, Options(memory=needed, overwrite=True), workers=2))


def test_what_does_not_fit_into_a_share_of_the_memory_comes_last(tmp_path):
    for number, height in enumerate((2000, 100, 2000, 100)):
        picture(tmp_path / "in" / f"{number}.png", number, (height, 1000, 3))
    blur = photochrom.Step(photochrom.gaussian, border="circular")
    needed = 2000 * 1000 * 3 * 4 * photochrom.gaussian.operation.copies
    for out in (None, tmp_path / "kept"):
        jobs = plan_jobs([tmp_path / "in"], out or tmp_path / "out")
        done = list(run_jobs(blur, jobs, Options(memory=2 * needed), workers=2, out=out))
        assert all(isinstance(result, Done) for result in done)
        assert {result.source.stem for result in done[:2]} == {"1", "3"}
        assert {result.source.stem for result in done[2:]} == {"0", "2"}

    def elsewhere(task, items, workers, progress=lambda pixels: None):
        """Stands for the machines of a cluster, whose memory is not known here."""
        return spread(task, items, workers, progress)

    jobs = plan_jobs([tmp_path / "in"], tmp_path / "far")
    done = list(run_jobs(blur, jobs, Options(memory=2 * needed), workers=2, engine=elsewhere))
    assert {result.source.stem for result in done if isinstance(result, Failed)} == {"0", "2"}


def test_patterns_choose_files_and_leave_folders_out(tmp_path):
    for name in ("a.JPG", "b.png", "raw/c.jpg", "2024/raw/d.jpg", "2024/e.jpg"):
        picture(tmp_path / "in" / name)

    def chosen(**selection):
        jobs = plan_jobs([tmp_path / "in"], tmp_path / "out", Selection(**selection))
        return [job.source.relative_to(tmp_path / "in").as_posix() for job in jobs]

    assert chosen(include=("*.jpg",)) == ["2024/e.jpg", "2024/raw/d.jpg", "a.JPG", "raw/c.jpg"]
    assert chosen(exclude=("raw", "*.png")) == ["2024/e.jpg", "a.JPG"]
    assert chosen(include=("2024/*",)) == ["2024/e.jpg", "2024/raw/d.jpg"]
    with pytest.raises(FileError, match="--include and --exclude leave"):
        chosen(include=("nothing",))


def test_results_are_called_as_wanted(tmp_path):
    for name in ("a.jpg", "sub/deep/b.png"):
        picture(tmp_path / "in" / name)

    def called(**selection):
        jobs = plan_jobs([tmp_path / "in"], tmp_path / "out", Selection(**selection))
        return [job.target.relative_to(tmp_path / "out").as_posix() for job in jobs]

    assert called(format="tif") == ["a.tif", "sub/deep/b.tif"]
    assert called(name="{recipe}/{parent}-{stem}.{ext}", recipe="warm") == ["warm/-a.jpg", "warm/deep-b.png"]
    for selection in ({"name": "{year}"}, {"format": "gif"}):
        with pytest.raises(ControlError):
            Selection(**selection)
    for name in ("../{stem}.{ext}", "/{stem}.{ext}"):
        with pytest.raises(ControlError, match="inside the output folder"):
            called(name=name)
    with pytest.raises(FileError, match="would both be written"):
        called(name="one.{ext}", format="png")


def test_links_to_files_are_followed_and_circles_are_not_entered(tmp_path):
    picture(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    results = list(run_jobs(STEP, plan_jobs([tmp_path / "in"], tmp_path / "out"), out=tmp_path / "out"))
    found = sorted((type(result).__name__, result.source.name) for result in results)
    assert found == [("Done", "linked.png"), ("Failed", "gone.png")]
