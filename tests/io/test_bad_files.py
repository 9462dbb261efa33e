"""Bad input: one plain sentence each, nothing destroyed, nothing left behind."""

import os
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom import io
from photochrom.core.errors import FileError


def said(error):
    """The sentence, checked to be one: a single line, a full stop, no library talk."""
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    for word in ("vips", "unable to call", "Traceback", "OpenImageIO", "errno"):
        assert word not in text.replace("installed libvips", "")
    return text


def read_fails(path):
    with pytest.raises(FileError) as error:
        io.read(path)
    return said(error)


def photo(h=8, w=8, **about):
    return io.Photo(torch.rand(1, 3, h, w), None, io.About(**about))


def noisy(path, **options):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)).save(path, **options)


def test_missing_folder_empty_text(tmp_path):
    assert "no such file" in read_fails(tmp_path / "none.png")
    assert "folder" in read_fails(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "empty" in read_fails(tmp_path / "empty.png")
    (tmp_path / "text.jpg").write_text("Dear diary, today über alles.\n")
    text = read_fails(tmp_path / "text.jpg")
    assert "text.jpg" in text
    assert "JPEG" in text
    assert "got text" in text
    (tmp_path / "noise.png").write_bytes(bytes(range(256)))
    assert "unknown" in read_fails(tmp_path / "noise.png")
    assert "not a folder" in read_fails(tmp_path / "text.jpg" / "a.png")


@pytest.mark.parametrize("part", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "gif", "avif", "exr", "hdr"])
def test_cut_short(tmp_path, ending, part):
    name = tmp_path / f"a.{ending}"
    if ending in ("exr", "hdr"):
        io.write(photo(200, 300, depth="float32"), name)
    else:
        noisy(name)
    data = name.read_bytes()
    name.write_bytes(data[: int(len(data) * part)])
    assert f"a.{ending}" in read_fails(name)


def test_cut_short_deflated_tiff_and_progressive_jpeg(tmp_path):
    for name, options in (("a.tif", {"compression": "tiff_deflate"}), ("a.jpg", {"progressive": True})):
        noisy(tmp_path / name, **options)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
        read_fails(tmp_path / name)


def test_damaged_png_is_not_half_decoded(tmp_path):
    noisy(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    (tmp_path / "a.png").write_bytes(data)
    assert "damaged" in read_fails(tmp_path / "a.png")


def test_a_source_read_by_rows_says_where_it_broke(tmp_path):
    noisy(tmp_path / "a.tif")
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: len(data) // 2])
    with io.open_source(tmp_path / "a.tif") as source, pytest.raises(FileError) as error:
        [source.rows(y, y + 50) for y in range(0, 200, 50)]
    assert "of 200" in said(error)


def bomb_png(path, width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


def bomb_tiff(path, width, height):
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, 100)]
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags) + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + body + bytes(100))


@pytest.mark.parametrize(("name", "make"), [("a.png", bomb_png), ("a.tif", bomb_tiff)])
def test_too_many_pixels(tmp_path, name, make):
    make(tmp_path / name, 100_000, 100_000)
    text = read_fails(tmp_path / name)
    assert "100000 x 100000" in text
    assert "1000 megapixels" in text
    with pytest.raises(FileError):
        io.describe(tmp_path / name)
    noisy(tmp_path / "b.png")
    with pytest.raises(FileError), io.open_source(tmp_path / "b.png", limit=59_999):
        pass
    with io.open_source(tmp_path / "b.png", limit=60_000):
        pass


def test_integer_samples_of_32_bits(tmp_path):
    Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8)).save(tmp_path / "a.tif")
    assert "32-bit" in read_fails(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "name", ["with space.png", "qu'o\"te.png", "br[page=1].tif", "p%20d%s.jpg", "new\nline.png", "ünï.webp", "-x.png"]
)
def test_strange_names(tmp_path, name):
    io.write(photo(), tmp_path / name)
    assert io.read(tmp_path / name).image.shape == (1, 3, 8, 8)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_that_are_not_utf8(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    io.write(photo(), name)
    assert io.read(name).image.shape == (1, 3, 8, 8)
    with open(name, "wb") as f:
        f.write(b"hello\n")
    assert "\\udce9" in read_fails(name)


def test_output_is_refused(tmp_path):
    source = tmp_path / "a.png"
    io.write(photo(), source)
    before = source.read_bytes()
    cases = [
        (source, {}, "exists already"),
        (tmp_path, {}, "ending"),
        (tmp_path / "x.xyz", {}, ".png"),
        (tmp_path / "x", {}, "no ending"),
        (tmp_path / "x.gif", {}, "not written"),
        (tmp_path / "none" / "x.png", {}, "does not exist"),
        (source / "x.png", {}, "is a file"),
        (source, {"overwrite": True, "protect": (source,)}, "same file"),
        (tmp_path / "x.png", {"quality": 0}, "1 to 100"),
        (tmp_path / "x.jpg", {"depth": "uint16"}, "uint8"),
    ]
    (tmp_path / "d.png").mkdir()
    cases.append((tmp_path / "d.png", {"overwrite": True}, "folder"))
    for path, options, word in cases:
        with pytest.raises(FileError) as error:
            io.write(photo(), path, **options)
        assert word in said(error), word
    assert source.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["a.png", "d.png"]


def test_links_do_not_hide_the_input(tmp_path):
    source = tmp_path / "a.png"
    io.write(photo(), source)
    (tmp_path / "link.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    for name in ("link.png", "hard.png"):
        with pytest.raises(FileError) as error:
            io.write(photo(), tmp_path / name, overwrite=True, protect=(source,))
        assert "same file" in said(error)


def test_too_long_for_webp(tmp_path):
    with pytest.raises(FileError) as error:
        io.write(photo(2, 20000), tmp_path / "a.webp")
    assert "16383" in said(error)


def test_overwriting_replaces_the_whole_file(tmp_path):
    io.write(photo(100, 100), tmp_path / "a.png")
    io.write(photo(), tmp_path / "a.png", overwrite=True)
    assert io.read(tmp_path / "a.png").image.shape == (1, 3, 8, 8)
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_changed_file_is_read_anew(tmp_path):
    for n in (8, 9):
        io.write(photo(n, n), tmp_path / "a.png", overwrite=True)
        assert io.read(tmp_path / "a.png").image.shape[-1] == n


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileError) as error:
        io.write(photo(), tmp_path / "a.png")
    assert "permission" in said(error)


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 300 kB, where one may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=300k", "x", str(place)]).returncode:
        pytest.skip("no permission to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "exr", "hdr"])
def test_full_disk(full_disk, ending):
    io.write(photo(), full_disk / "keep.png")
    big = photo(500, 600, depth="uint8") if ending in ("jpg", "webp") else photo(500, 600, depth="float32")
    with pytest.raises(FileError) as error:
        io.write(big, full_disk / f"a.{ending}", quality=100)
    assert "the disk is full" in said(error)
    assert os.listdir(full_disk) == ["keep.png"]


def test_not_finite_is_replaced_and_said(tmp_path):
    import pyvips

    a = np.full((4, 5, 3), 0.25, np.float32)
    a[0, 0], a[1, 1, 1], a[2, 2, 0] = np.nan, np.inf, -np.inf
    pyvips.Image.new_from_array(a).tiffsave(str(tmp_path / "a.tif"))
    got = io.read(tmp_path / "a.tif")
    assert got.image[0, :, 0, 0].tolist() == [0, 0, 0]
    assert float(got.image[0, 1, 1, 1]) == 65504
    assert float(got.image[0, 0, 2, 2]) == -65504
    assert any(n.startswith("5 samples were not finite") for n in got.about.notes)


def test_heic_says_what_is_missing(tmp_path):
    """A HEIC header around nothing: either the decoder is missing or the data is; both are a sentence."""
    (tmp_path / "a.heic").write_bytes(struct.pack(">I4s4sI4s", 24, b"ftyp", b"heic", 0, b"mif1") + b"heic" + bytes(64))
    assert "a.heic" in read_fails(tmp_path / "a.heic")
