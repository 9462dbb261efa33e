"""Commands over exposure stacks: where their times come from, what is written."""

import json
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from photochrom.cli.series import exposure_times, read_numbers
from photochrom.core.errors import ControlError
from photochrom.io import read
from photochrom.io.exposure import exposure_time


@pytest.fixture
def stack(photo, tmp_path):
    """Three exposures of the photograph, telling their times in EXIF."""
    light = (np.asarray(Image.open(photo)) / 255.0) ** 2.2
    files = []
    for name, seconds in (("a", 0.25), ("b", 0.5), ("c", 1.0)):
        exif = Image.Exif()
        exif[0x8769] = {0x829A: IFDRational(seconds)}
        files.append(tmp_path / f"{name}.jpg")
        picture = np.round(np.clip(2 * light * seconds, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        Image.fromarray(picture).save(files[-1], exif=exif, quality=98)
    return files


@pytest.mark.parametrize(("order", "sign"), [("<", b"II*\0"), (">", b"MM\0*")])
def test_exposure_time_is_read_from_exif(order, sign):
    def block(tag, kind, top, bottom):
        first = struct.pack(order + "HHHIII", 1, 0x8769, 4, 1, 26, 0)
        below = struct.pack(order + "HHHIII", 1, tag, kind, 1, 44, 0)
        return sign + struct.pack(order + "I", 8) + first + below + struct.pack(order + "ii", top, bottom)

    assert exposure_time(block(0x829A, 5, 1, 30)) == pytest.approx(1 / 30)
    assert exposure_time(block(0x9201, 10, -1, 1)) == 2
    damaged = (None, b"", b"II*\0" + b"\xff" * 20)
    for wrong in (*damaged, block(0x829A, 5, 1, 0), block(0x829A, 5, 0, 1), block(1, 5, 1, 1)):
        assert exposure_time(wrong) is None


def test_times_are_typed_listed_or_looked_up(tmp_path):
    files = [tmp_path / "b.png", tmp_path / "a.png"]
    assert exposure_times("1/2, 2", files, [], "x") == [0.5, 2]
    table = tmp_path / "list.txt"
    table.write_text("# Filename exposure 1/shutter f/stop\na.png 32 0.03125 8\nb.png 16 0.0625 8\n")
    assert exposure_times(str(table), files, [], "x") == [16, 32]
    table.write_text("# name 1/shutter\na.png 4\nb.png 2\n")
    assert exposure_times(str(table), files, [], "x") == [0.5, 0.25]
    table.write_text("a.png 1/4\n")
    with pytest.raises(ControlError, match=r"got none for b\.png"):
        exposure_times(str(table), files, [], "x")
    table.write_text("3\n4\n")
    assert exposure_times(str(table), files, [], "x") == [3, 4]
    table.write_text(json.dumps({"log_exposure": [[1, 2], [3, 4]]}))
    assert read_numbers(str(table)) == [1, 2, 3, 4]


def test_merging_asks_the_photographs_and_writes_light(cli, stack, tmp_path):
    result = cli("merge-hdr", *stack, "-o", tmp_path / "m.exr")
    assert result.code == 0, result.err
    typed = cli("merge-hdr", *stack, "-o", tmp_path / "t.exr", "--times", "1/4,1/2,1")
    assert typed.code == 0, typed.err
    merged = read(tmp_path / "m.exr")
    assert merged.about.depth == "float32"
    assert (merged.image - read(tmp_path / "t.exr").image).abs().max() == 0
    assert cli("tonemap", tmp_path / "m.exr", "-o", tmp_path / "m.png").code == 0
    assert cli("fuse-exposures", *stack, "-o", tmp_path / "f.png").code == 0
    assert read(tmp_path / "f.png").about.depth == "uint8"
    response = cli("response-curve", *stack)
    (tmp_path / "r.json").write_text(response.out)
    again = cli("merge-hdr", *stack, "-o", tmp_path / "r.exr", "--response", tmp_path / "r.json")
    assert again.code == 0, again.err
    assert (merged.image - read(tmp_path / "r.exr").image).abs().max() < 1e-3


def test_a_photograph_without_a_time_is_named(cli, photo, stack, tmp_path):
    result = cli("merge-hdr", *stack, photo, "-o", tmp_path / "m.exr")
    assert result.code == 2
    assert "photo.png does not tell its own" in result.err
    assert not (tmp_path / "m.exr").exists()
