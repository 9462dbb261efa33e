"""From file to file: what is stored comes out as from the plain module, and what must survive does."""

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.engine.files import Options, run_file


def sixteen(path, array):
    import pyvips

    bands = 1 if array.ndim == 2 else array.shape[2]
    height, width = array.shape[:2]
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(array).data, width, height, bands, "ushort")
    image.copy(interpretation="grey16" if bands == 1 else "rgb16").write_to_file(str(path))


def stored(path):
    import pyvips

    return pyvips.Image.new_from_file(str(path)).numpy()


IDENTITY = photochrom.Recipe([photochrom.Step(photochrom.brightness, amount=0.0)])
NEARLY = photochrom.Recipe([photochrom.Step(photochrom.gaussian, strength=0.0)])


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("recipe", [IDENTITY, NEARLY], ids=["table", "tiles"])
def test_a_16_bit_gradient_keeps_all_its_levels(tmp_path, kind, recipe):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    sixteen(tmp_path / f"in.{kind}", ramp)
    run_file(recipe, tmp_path / f"in.{kind}", tmp_path / f"out.{kind}")
    assert np.array_equal(stored(tmp_path / f"out.{kind}").squeeze(), ramp)


def test_small_memory_streams_to_the_same_bytes(tmp_path):
    array = np.random.default_rng(0).integers(0, 65536, (3000, 400, 3)).astype(np.uint16)
    sixteen(tmp_path / "in.tif", array)
    recipe = photochrom.Recipe([photochrom.Step(photochrom.power), photochrom.Step(photochrom.gaussian),
                                photochrom.Step(photochrom.contrast)])
    run_file(recipe, tmp_path / "in.tif", tmp_path / "whole.tif", Options(memory=10**9))
    run_file(recipe, tmp_path / "in.tif", tmp_path / "tiles.tif", Options(memory=30_000_000))
    whole, tiles = stored(tmp_path / "whole.tif").astype(int), stored(tmp_path / "tiles.tif").astype(int)
    assert np.abs(whole - tiles).max() <= 1
    expected = recipe(array).astype(int)
    assert np.abs(whole - expected).max() <= 1


def test_statistics_of_a_file_are_measured_in_a_pass_of_their_own(tmp_path):
    array = np.random.default_rng(0).integers(40, 200, (900, 300, 3)).astype(np.uint8)
    Image.fromarray(array).save(tmp_path / "in.png")
    reference = torch.rand(1, 3, 20, 20)
    recipe = photochrom.Recipe([photochrom.Step(photochrom.transfer_statistics, reference=reference)])
    run_file(recipe, tmp_path / "in.png", tmp_path / "out.png", Options(memory=5_000_000))
    assert np.abs(np.asarray(Image.open(tmp_path / "out.png")).astype(int) - recipe(array).astype(int)).max() <= 1


def test_a_grey_file_becomes_colour_when_a_palette_needs_it(tmp_path):
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(tmp_path / "in.png")
    warm = torch.rand(1, 3, 9, 9) * torch.tensor([1, 0.6, 0.3])[:, None, None]
    run_file(photochrom.Step(photochrom.transfer_statistics, reference=warm), tmp_path / "in.png", tmp_path / "out.png")
    assert Image.open(tmp_path / "out.png").mode == "RGB"


def test_a_failure_half_way_leaves_nothing(tmp_path):
    Image.fromarray(np.zeros((2000, 100, 3), np.uint8)).save(tmp_path / "in.png")
    calls = []

    def fail(pixels):
        calls.append(pixels)
        if len(calls) > 1:
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        run_file(photochrom.Step(photochrom.gaussian), tmp_path / "in.png", tmp_path / "out.png",
                 Options(memory=4_000_000), progress=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_notes_come_with_the_result(tmp_path):
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    sixteen(tmp_path / "in.png", array)
    done = run_file(IDENTITY, tmp_path / "in.png", tmp_path / "out.jpg")
    assert any("8" in note for note in done.notes)


def test_a_photo_runs_in_memory_and_keeps_what_it_came_with(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    Image.fromarray(rgba).save(tmp_path / "in.png")
    photo = photochrom.read(tmp_path / "in.png")
    result = photochrom.run(photochrom.Step(photochrom.negative), photo)
    assert torch.equal(result.image, 1 - photo.image)
    assert torch.equal(result.alpha, photo.alpha)
    assert result.about == photo.about
