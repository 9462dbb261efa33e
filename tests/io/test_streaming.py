"""Reading and writing by strips: same result, bounded memory, clean failures."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from photochrom import io
from photochrom.io import sink

from .helpers import picture

FORMATS = [("png", d) for d in ("uint8", "uint16")] + [("tif", d) for d in ("uint8", "uint16", "float32")]


def strips_of(array, rows):
    for y in range(0, len(array), rows):
        yield array[y : y + rows]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("ending", "depth"), FORMATS)
def test_streamed_file_equals_gathered_file(tmp_path, monkeypatch, ending, depth, channels, alpha):
    about = io.About(depth=depth, channels=channels, alpha=alpha, exif=None, density=(300, 300))
    encoder = io.encoder_for(about, f"x.{ending}")
    rng = np.random.default_rng(0)
    shape = (701, 403, encoder.bands)
    a = rng.random(shape, np.float32) if depth == "float32" else rng.integers(0, 256, shape).astype(encoder.dtype)
    io.save_strips(tmp_path / f"a.{ending}", encoder, *shape[:2], strips_of(a, 64))
    monkeypatch.setattr(sink, "GATHER_BYTES", 0)
    io.save_strips(tmp_path / f"b.{ending}", encoder, *shape[:2], strips_of(a, 64))
    for name in ("a", "b"):
        with io.open_source(tmp_path / f"{name}.{ending}") as source:
            assert source.dtype == encoder.dtype
            assert source.about.density == (300, 300)
            np.testing.assert_array_equal(np.concatenate([source.rows(y, y + 1) for y in range(701)]), a)


@pytest.mark.parametrize("ending", ["jpg", "webp", "avif"])
def test_streamed_lossy_file_equals_gathered_file(tmp_path, monkeypatch, ending):
    encoder = io.encoder_for(io.About(), f"x.{ending}")
    a = picture(300, 200)
    io.save_strips(tmp_path / f"a.{ending}", encoder, 300, 200, [a])
    monkeypatch.setattr(sink, "GATHER_BYTES", 0)
    io.save_strips(tmp_path / f"b.{ending}", encoder, 300, 200, strips_of(a, 7))
    assert torch.equal(io.read(tmp_path / f"a.{ending}").image, io.read(tmp_path / f"b.{ending}").image)


@pytest.mark.parametrize("gather", [0, 1 << 30])
@pytest.mark.parametrize("ending", ["tif", "png", "jpg", "exr"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError, SystemExit])
def test_failure_of_the_strips_comes_out_as_itself(tmp_path, monkeypatch, kind, ending, gather):
    monkeypatch.setattr(sink, "GATHER_BYTES", gather)
    encoder = io.encoder_for(io.About(), f"x.{ending}")

    def strips():
        yield np.zeros((8, 4000, 3), encoder.dtype)
        raise kind("mine")

    with pytest.raises(kind, match="mine"):
        io.save_strips(tmp_path / f"a.{ending}", encoder, 4000, 4000, strips())
    assert os.listdir(tmp_path) == []
    assert not [t for t in threading.enumerate() if t.name == "photochrom-save"]


@pytest.mark.parametrize("gather", [0, 1 << 30])
def test_wrong_strips_are_refused(tmp_path, monkeypatch, gather):
    monkeypatch.setattr(sink, "GATHER_BYTES", gather)
    encoder = io.encoder_for(io.About(), "x.tif")
    for strips in ([np.zeros((7, 9, 3), np.uint8)], [np.zeros((9, 9, 3), np.uint8)], [np.zeros((8, 9, 4), np.uint8)]):
        with pytest.raises(ValueError, match="save_strips"):
            io.save_strips(tmp_path / "a.tif", encoder, 8, 9, strips)
    assert os.listdir(tmp_path) == []


def test_several_threads_at_once(tmp_path):
    want = {}
    for i in range(6):
        io.write(io.Photo(torch.rand(1, 3, 200, 300), None, io.About()), tmp_path / f"{i}.png")
        want[i] = io.read(tmp_path / f"{i}.png").image
    bad = []

    def work(i):
        for n in range(3):
            photo = io.read(tmp_path / f"{i}.png")
            io.write(photo, tmp_path / f"{i}_{n}.png")
            if not torch.equal(io.read(tmp_path / f"{i}_{n}.png").image, want[i]):
                bad.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert bad == []


def test_import_is_light():
    code = (
        "import sys, photochrom.io; print([m for m in ('torch', 'pyvips', 'OpenImageIO', 'PIL') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


COPY = """
import sys, photochrom.io as io
def peak():
    return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM')) / 1024
import torch
with io.open_source(sys.argv[1]) as s:
    e = io.encoder_for(s.about, sys.argv[2])
    s.decode(s.rows(0, 1)); before = peak()
    def strips():
        for y in range(1, s.height, 64):
            r = s.rows(y, min(s.height, y + 64)); image, alpha = s.decode(r); yield e.encode(image, alpha)
    io.save_strips(sys.argv[2], e, s.height - 1, s.width, strips())
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
def test_memory_does_not_grow_with_the_picture(tmp_path):
    """60 and 120 megapixels of 16 bits (360 and 720 MB of samples) within the same 300 MB."""
    encoder = io.encoder_for(io.About(depth="uint16"), "x.tif")
    for h in (6000, 12000):
        row = np.arange(30000, dtype=np.uint16).reshape(1, 10000, 3)
        source, out = tmp_path / f"{h}.tif", tmp_path / f"{h}o.tif"
        io.save_strips(source, encoder, h, 10000, (np.repeat(row, 100, 0) for _ in range(h // 100)))
        done = subprocess.run([sys.executable, "-c", COPY, source, out], capture_output=True, text=True, check=True)
        assert float(done.stdout) < 300
