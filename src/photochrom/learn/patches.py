"""Patches of training pictures: the pictures are degraded once and kept in memory, patches are cut for every batch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photochrom.color.ycbcr import rgb_to_ycbcr
from photochrom.core.errors import ControlError, FileError
from photochrom.io import read
from photochrom.learn.config import Config
from photochrom.learn.degradation import Degradation

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}


@dataclass(frozen=True)
class Batch:
    """What one step of training is given."""

    given: Tensor
    """(B, C, h, w)"""
    wanted: Tensor
    """(B, C, H, W)"""
    scale: int


def picture_files(folders: Iterable[str | os.PathLike[str]], what: str) -> list[Path]:
    """List the pictures of folders.

    Args:
        folders: each is searched with what is below it; where it holds files called `*_HR.*`, only those are taken.
        what: `training` or `validation`, for messages.

    Returns:
        Files in the order of their names.

    Raises:
        FileError: no such folder, or no picture in it.
    """
    found: list[Path] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise FileError(f"{folder}: expected a folder of {what} pictures, there is no such folder")
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
        originals = [path for path in files if path.stem.endswith("_HR")]
        if not files:
            raise FileError(f"{folder}: expected {what} pictures, the folder holds none")
        found += originals or files
    return found


def original(path: Path, channels: str) -> Tensor:
    """Read a picture as a network is trained on it.

    Args:
        path: the file.
        channels: `y` (luma of 16/255 to 235/255), `gray` (luma of 0 to 1), `rgb`.

    Returns:
        (1, 1 or 3, H, W), rounded to 8 bits as the papers do.
    """
    image = read(path).image
    if channels == "rgb":
        return (image if image.shape[1] == 3 else image.expand(-1, 3, -1, -1)).contiguous()
    if image.shape[1] == 3:
        image = rgb_to_ycbcr(image, levels="studio" if channels == "y" else "full")[:, :1]
    elif channels == "y":
        image = 16 / 255 + image * (219 / 255)
    return (image * 255).round() / 255


def cropped(image: Tensor, scale: int) -> Tensor:
    """Return a picture without the rows and columns beyond a multiple of the scale."""
    height, width = (side - side % scale for side in image.shape[-2:])
    return image[..., :height, :width]


class Patches:
    """Pictures in memory, from which batches are cut.

    What step N is given follows from the seed, the process and N alone: a training that goes on after a break
    needs to know nothing but the number of its step.
    """

    def __init__(self, originals: Sequence[Tensor], config: Config, rank: int = 0) -> None:
        self.data, self.seed, self.rank = config.data, config.run.seed, rank
        self.degradation = Degradation(config.degrade)
        self.pairs: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        self.shares: dict[int, np.ndarray] = {}
        for scale in self.data.scales:
            pairs = [self._pair(image, scale) for image in originals]
            pairs = [(given, wanted) for given, wanted in pairs if min(given.shape[1:]) >= self.data.patch]
            if not pairs:
                raise ControlError(f"train: no training picture has room for a patch of {self.data.patch} x "
                                   f"{self.data.patch} pixels at scale {scale}")
            room = np.array([np.prod([side - self.data.patch + 1 for side in given.shape[1:]])
                             for given, _ in pairs], float)
            self.pairs[scale], self.shares[scale] = pairs, np.cumsum(room) / room.sum()

    def _pair(self, image: Tensor, scale: int) -> tuple[np.ndarray, np.ndarray]:
        image = cropped(image, scale).contiguous()
        given = self.degradation.whole(image, scale)
        return given[0].numpy(), image[0].numpy()

    def batch(self, step: int) -> Batch:
        """Cut the batch of a step.

        Args:
            step: its number.

        Returns:
            Patches as the network is given them and as they should become.
        """
        chance = np.random.Generator(np.random.Philox(key=[self.seed, self.rank], counter=[0, 0, 0, step]))
        scales = self.data.scales
        scale = scales[int(chance.integers(len(scales)))] if len(scales) > 1 else scales[0]
        pairs, side, count = self.pairs[scale], self.data.patch, self.data.batch
        times = pairs[0][1].shape[1] // pairs[0][0].shape[1]
        which = np.searchsorted(self.shares[scale], chance.random(count))
        places, turns = chance.random((count, 2)), chance.integers(0, 8, count)
        channels = pairs[0][0].shape[0]
        given = np.empty((count, channels, side, side), np.float32)
        wanted = np.empty((count, channels, side * times, side * times), np.float32)
        for at, number in enumerate(which):
            low, high = pairs[min(number, len(pairs) - 1)]
            y = int(places[at, 0] * (low.shape[1] - side + 1))
            x = int(places[at, 1] * (low.shape[2] - side + 1))
            turn = int(turns[at]) if self.data.turns else 0
            given[at] = _turned(low[:, y:y + side, x:x + side], turn)
            wanted[at] = _turned(high[:, y * times:(y + side) * times, x * times:(x + side) * times], turn)
        return Batch(self.degradation.patches(torch.from_numpy(given), scale, chance), torch.from_numpy(wanted), scale)


def _turned(patch: np.ndarray, turn: int) -> np.ndarray:
    """Return one of the eight ways in which a square can lie."""
    if turn & 1:
        patch = patch[:, ::-1]
    if turn & 2:
        patch = patch[:, :, ::-1]
    return patch.transpose(0, 2, 1) if turn & 4 else patch
