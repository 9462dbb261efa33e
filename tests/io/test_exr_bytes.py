"""OpenEXR files hold nothing that differs from run to run."""

import time
from pathlib import Path

import numpy as np

import photochrom
from photochrom import io


def test_the_same_picture_is_the_same_file_at_any_time(tmp_path: Path) -> None:
    """OpenImageIO would write the second at which a file is made."""
    from PIL import Image

    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(tmp_path / "in.png")
    photo = io.read(tmp_path / "in.png")
    photochrom.write(photo, tmp_path / "one.exr")
    time.sleep(1.1)
    photochrom.write(photo, tmp_path / "two.exr")
    assert (tmp_path / "one.exr").read_bytes() == (tmp_path / "two.exr").read_bytes()
