"""JPEG there and back, in memory."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]


def through_jpeg(levels: np.ndarray, quality: int, subsampling: Subsampling) -> np.ndarray:
    """Compress a picture and read it back.

    Args:
        levels: (1 or 3, H, W) uint8: grey, or red, green and blue.
        quality: 1 to 100.
        subsampling: of colour.

    Returns:
        The same shape, uint8.

    Example:
        >>> int(through_jpeg(np.full((1, 8, 8), 77, np.uint8), 10, "4:2:0")[0, 0, 0])
        78
    """
    from PIL import Image

    grey = levels.shape[0] == 1
    picture = Image.fromarray(levels[0] if grey else np.ascontiguousarray(levels.transpose(1, 2, 0)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    read = np.array(Image.open(file))
    return read[None] if grey else np.ascontiguousarray(read.transpose(2, 0, 1))
