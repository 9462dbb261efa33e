"""Bad and unusual files through the command: one sentence or a stated result, and nothing half-written."""

import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import pixels

NOISE = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def cut(source, target, share=0.6):
    data = source.read_bytes()
    target.write_bytes(data[:int(len(data) * share)])


def bad_files(folder):
    """Make one file of every kind that must be refused; return words its sentence must hold, by name."""
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("dear diary")
    (folder / "folder.png").mkdir()
    for name in ("a.jpg", "a.png", "a.tif"):
        Image.fromarray(NOISE).save(folder / name)
        cut(folder / name, folder / f"cut-{name}")
        (folder / name).unlink()
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                                      + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
    return {"missing.png": "no such file", "empty.png": "empty", "text.jpg": "text.jpg", "folder.png": "folder",
            "cut-a.jpg": "cut-a.jpg", "cut-a.png": "cut-a.png", "cut-a.tif": "cut-a.tif", "bomb.png": "100000"}


@pytest.mark.parametrize("name", ["missing.png", "empty.png", "text.jpg", "folder.png", "cut-a.jpg", "cut-a.png",
                                  "cut-a.tif", "bomb.png"])
def test_a_file_that_is_no_picture_is_one_sentence(cli, tmp_path, name):
    words = bad_files(tmp_path)[name]
    before = sorted(path.name for path in tmp_path.iterdir())
    result = cli("negative", tmp_path / name, "-o", tmp_path / "out.png")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert words in result.err
    assert result.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_folder_of_bad_files_still_gives_the_good_one(cli, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    bad_files(folder)
    Image.fromarray(NOISE).save(folder / "good.png")
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "negative"\n')
    result = cli("run", tmp_path / "r.toml", folder, "-o", tmp_path / "out")
    assert result.code == 1
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["good.png"]
    assert "6 of 7 pictures failed" in result.err
    assert np.array_equal(pixels(tmp_path / "out" / "good.png"), 255 - NOISE.astype(int))


def unusual_files(folder):
    """Make one file of every unusual kind; return by name how PIL sees its colours."""
    rgb = Image.fromarray(NOISE)
    grey = rgb.convert("L")
    files = {
        "palette.png": rgb.quantize(16), "one-bit.png": grey.convert("1"), "cmyk.jpg": rgb.convert("CMYK"),
        "grey-alpha.png": Image.merge("LA", [grey, grey]), "grey.jpg": grey,
    }
    for name, picture in files.items():
        picture.save(folder / name)
    for name in ("pages.tif", "animated.gif", "animated.webp"):
        options = {"lossless": True} if name.endswith("webp") else {}
        rgb.save(folder / name, save_all=True, append_images=[rgb.rotate(180), rgb.rotate(90, expand=False)], **options)
    return [*files, "pages.tif", "animated.gif", "animated.webp"]


@pytest.mark.parametrize("name", ["palette.png", "one-bit.png", "cmyk.jpg", "grey-alpha.png", "grey.jpg", "pages.tif",
                                  "animated.gif", "animated.webp"])
def test_an_unusual_file_gives_a_picture(cli, tmp_path, name):
    assert name in unusual_files(tmp_path)
    result = cli("negative", tmp_path / name, "-o", tmp_path / "out.png")
    assert result.code == 0, result.err
    picture = Image.open(tmp_path / "out.png")
    assert picture.size == (48, 64)
    original = Image.open(tmp_path / name)
    if name.startswith(("pages", "animated")):
        assert "first of 3" in result.err
    if name == "grey-alpha.png":
        assert picture.mode == "LA"
        assert np.array_equal(np.asarray(picture)[..., 1], np.asarray(original)[..., 1])
    if name != "cmyk.jpg":
        expected = 255 - np.asarray(original.convert("RGB")).astype(int)
        assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - expected).max() <= 1


def test_values_that_are_not_finite_are_counted(cli, tmp_path):
    import pyvips

    values = np.full((20, 30, 3), 0.5, np.float32)
    values[0, 0, 0], values[1, 1, 1] = np.nan, np.inf
    pyvips.Image.new_from_memory(values.data, 30, 20, 3, "float").write_to_file(str(tmp_path / "in.tif"))
    result = cli("gaussian", tmp_path / "in.tif", "-o", tmp_path / "out.tif")
    assert result.code == 0
    assert "2 samples were not finite" in result.err
    assert np.isfinite(pyvips.Image.new_from_file(str(tmp_path / "out.tif")).numpy()).all()


def test_a_full_disk_leaves_nothing(cli, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)],
                                       capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "in.png")
        result = cli("negative", tmp_path / "in.png", "-o", disk / "out.png")
        assert result.code == 1
        assert "full" in result.err
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("name", ["with blank.png", "it's [n=2].png", "100% größe.png", "-dash.png", "line\nbreak.png"])
def test_odd_names(cli, tmp_path, name):
    Image.fromarray(NOISE).save(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(tmp_path / name)
    (tmp_path / "out").mkdir()
    result = cli("negative", tmp_path / name, "-o", tmp_path / "out" / name)
    assert result.code == 0, result.err
    assert np.array_equal(pixels(tmp_path / "out" / name), 255 - NOISE.astype(int))
