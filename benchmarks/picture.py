"""The picture everything is measured on: a mosaic of scikit-image's photographs, the same on every machine."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "retina", "hubble_deep_field")
TILE = 1000
"""Pixels on each side of a piece of the mosaic: the photographs are enlarged 1 to 3 times, as a zoom does."""
GRAIN = 0.012
"""Standard deviation of the noise laid over, as of a camera at a low speed: enlarged pictures alone are too smooth."""
SEED = 2


@lru_cache(maxsize=1)
def photograph(height: int, width: int) -> np.ndarray:
    """Return the mosaic as float32 (height, width, 3) in 0..1, read-only."""
    rows, columns = -(-height // TILE), -(-width // TILE)
    wanted = [_piece(i) for i in range(min(rows * columns, 2 * len(PHOTOGRAPHS)))]
    whole = np.empty((rows * TILE, columns * TILE, 3), np.float32)
    for row in range(rows):
        for column in range(columns):
            part = wanted[(row * columns + column) % len(wanted)]
            whole[row * TILE:(row + 1) * TILE, column * TILE:(column + 1) * TILE] = part
    whole = whole[:height, :width]
    noise = np.random.default_rng(SEED).standard_normal(whole.shape, np.float32)
    picture = np.clip(whole + GRAIN * noise, 0, 1)
    picture.setflags(write=False)
    return picture


def photograph8(height: int, width: int) -> np.ndarray:
    """Return the mosaic as uint8."""
    return np.rint(photograph(height, width) * 255).astype(np.uint8)


def photograph16(height: int, width: int) -> np.ndarray:
    """Return the mosaic as uint16."""
    return np.rint(photograph(height, width) * 65535).astype(np.uint16)


def planes(picture: np.ndarray):   # type: ignore[no-untyped-def]
    """Return (H, W, 3) as a contiguous tensor (1, 3, H, W)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(picture, -1, 0))[None])


def folder_of_photos(folder: Path, count: int, height: int, width: int) -> Path:
    """Write `count` different JPEG photographs (turned and shifted mosaics) as a camera would, once."""
    target = folder / f"photos-{count}x{height}x{width}"
    if target.is_dir():
        return target
    import pyvips

    making = target.with_suffix(f".{os.getpid()}")
    making.mkdir(parents=True)
    picture = photograph8(height, width)
    for i in range(count):
        turned = np.roll(picture, (i * height // count // 8 * 8, i * 37 % width), (0, 1))
        turned = turned[::-1] if i % 2 else turned
        image = pyvips.Image.new_from_array(np.ascontiguousarray(turned)).copy(interpretation="srgb")
        image.jpegsave(str(making / f"photo{i:02d}.jpg"), Q=92, subsample_mode="on")
    making.rename(target)
    return target


def tiff16(folder: Path, height: int, width: int) -> Path:
    """Write a 16-bit TIFF of the mosaic repeated over the size, once, without ever holding it whole."""
    target = folder / f"mosaic-{height}x{width}.tif"
    if target.is_file():
        return target
    import pyvips

    picture = photograph16(min(height, 3000), min(width, 4000))
    image = pyvips.Image.new_from_array(picture).copy(interpretation="rgb16")
    image = image.replicate(-(-width // image.width), -(-height // image.height)).crop(0, 0, width, height)
    making = target.with_suffix(f".{os.getpid()}.tif")
    image.tiffsave(str(making))
    making.rename(target)
    return target


@lru_cache(maxsize=16)
def _piece(index: int) -> np.ndarray:
    """Return one photograph enlarged to fill a tile; every second round is mirrored."""
    from PIL import Image
    from skimage import data

    picture = getattr(data, PHOTOGRAPHS[index % len(PHOTOGRAPHS)])()[..., :3]
    height, width = picture.shape[:2]
    side = min(height, width)
    square = picture[(height - side) // 2:(height + side) // 2, (width - side) // 2:(width + side) // 2]
    if index >= len(PHOTOGRAPHS):
        square = square[:, ::-1]
    enlarged = Image.fromarray(np.ascontiguousarray(square)).resize((TILE, TILE), Image.Resampling.LANCZOS)
    return np.asarray(enlarged, np.float32) / 255
