"""PBM, PGM and PPM: every kind that is read, the two that are written, and what is said of damaged ones."""

import numpy as np
import pytest
from PIL import Image

from photochrom import io
from photochrom.core.errors import FileError

from .helpers import picture


def stored(photo):
    """The samples a picture came with, by the definition of the door."""
    top = np.iinfo(photo.about.depth).max
    return np.round(np.moveaxis(photo.image[0].double().numpy(), 0, -1) * top).astype(int)


@pytest.mark.parametrize(("name", "data", "expected"), [
    ("binary grey", b"P5\n3 1\n255\n\x00\x80\xff", [[0], [128], [255]]),
    ("plain grey", b"P2\n# a remark\n3 1\n255\n0 128\n255\n", [[0], [128], [255]]),
    ("plain colour", b"P3\n1 1\n255\n1 2 3\n", [[1, 2, 3]]),
    # A maximum of 15: 5 of 15 is 85 of 255.
    ("few levels", b"P6\n1 1\n15\n\x00\x05\x0f", [[0, 85, 255]]),
    # White is 0 in a bitmap.
    ("bitmap", b"P4\n3 1\n\xa0", [[0], [255], [0]]),
    ("sixteen bits", b"P5\n2 1\n65535\n\x01\x02\xff\xff", [[258], [65535]]),
])
def test_kinds_that_are_read(tmp_path, name, data, expected):
    path = tmp_path / "a.pnm"
    path.write_bytes(data)
    photo = io.read(path)
    assert stored(photo)[0].tolist() == expected
    assert photo.about.depth == ("uint16" if name == "sixteen bits" else "uint8")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("grey", [True, False])
def test_what_is_written_comes_back_bit_for_bit(tmp_path, dtype, grey):
    wide = picture().astype(dtype) * (257 if dtype == np.uint16 else 1)
    wide[0, 0], wide[0, 1] = 0, np.iinfo(dtype).max
    array = wide[..., :1] if grey else wide
    magic = b"P5" if grey else b"P6"
    source, target = tmp_path / "a.ppm", tmp_path / "b.ppm"
    head = b"%s\n%d %d\n%d\n" % (magic, array.shape[1], array.shape[0], np.iinfo(dtype).max)
    source.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())
    io.write(io.read(source), target)
    assert target.read_bytes() == source.read_bytes()


def test_another_program_reads_what_is_written(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.png")
    io.write(io.read(tmp_path / "a.png"), tmp_path / "b.ppm")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.ppm")), picture())


def test_what_it_cannot_hold_is_said(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.new("RGBA", (4, 4), (9, 9, 9, 0)).save(tmp_path / "a.png", exif=exif)
    notes = " ".join(io.write(io.read(tmp_path / "a.png"), tmp_path / "b.ppm"))
    assert "Netpbm holds no alpha" in notes
    assert "without camera data" in notes


@pytest.mark.parametrize("data", [
    b"P6\n20 20\n255\n" + bytes(100), b"P3\n2 2\n255\n1 2 3", b"P6\n", b"P6\n0 3\n255\n", b"P6\n-2 3\n255\n",
    b"P6\n900000 900000\n255\n" + bytes(100), b"P5\n2 2\n99999999\n" + bytes(16),
], ids=["cut", "plain-cut", "no-size", "zero", "negative", "huge", "top"])
def test_a_damaged_file_is_one_sentence(tmp_path, data):
    path = tmp_path / "bad.ppm"
    path.write_bytes(data)
    with pytest.raises(FileError) as error:
        io.read(path)
    assert "bad.ppm" in str(error.value)
    assert "\n" not in str(error.value)
