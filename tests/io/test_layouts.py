"""Layouts of TIFF files: tiles, pyramids and 64-bit offsets hold the pixels that strips hold."""

import numpy as np
import pytest
import pyvips
from PIL import Image

import photochrom
from photochrom.engine.files import Options, run_file
from photochrom.io.formats import TiffLayout

STEP = photochrom.Step(photochrom.negative)


@pytest.fixture
def source(tmp_path):
    picture = np.random.default_rng(0).integers(0, 65536, (600, 700, 3), dtype=np.uint16)
    pyvips.Image.new_from_array(picture).copy(interpretation="rgb16").tiffsave(str(tmp_path / "a.tif"))
    return tmp_path / "a.tif", 65535 - picture


@pytest.mark.parametrize("gathered", [True, False], ids=["gathered", "streamed"])
@pytest.mark.parametrize(("layout", "pages"), [
    (TiffLayout(), 1), (TiffLayout(big=True), 1), (TiffLayout(tiled=True), 1), (TiffLayout(pyramid=True), 3),
    (TiffLayout(True, True, True), 3)])
def test_layouts_hold_the_same_pixels(source, tmp_path, monkeypatch, layout, pages, gathered):
    from photochrom.io import sink

    monkeypatch.setattr(sink, "GATHER_BYTES", sink.GATHER_BYTES if gathered else 0)
    path, expected = source
    run_file(STEP, path, tmp_path / "out.tif", Options(tiff=layout))
    head = (tmp_path / "out.tif").read_bytes()[:4]
    assert head == (b"II+\0" if layout.big else b"II*\0")
    image = pyvips.Image.new_from_file(str(tmp_path / "out.tif"))
    assert np.array_equal(image.numpy(), expected)
    assert (image.get("n-pages") if image.get_typeof("n-pages") else 1) == pages
    if pages > 1:
        half = pyvips.Image.new_from_file(str(tmp_path / "out.tif"), page=1)
        assert (half.width, half.height) == (350, 300)


def test_other_formats_do_not_heed_it(source, tmp_path):
    run_file(STEP, source[0], tmp_path / "out.png", Options(tiff=TiffLayout(True, True, True)))
    assert Image.open(tmp_path / "out.png").size == (700, 600)
