"""Pictures that many tests share."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """A warm photograph, (100, 150, 3), uint8."""
    return np.ascontiguousarray(skimage.data.coffee()[::4, ::4])


@pytest.fixture(scope="session")
def rocket() -> np.ndarray:
    """A dusk photograph, (107, 160, 3), uint8."""
    return np.ascontiguousarray(skimage.data.rocket()[::4, ::4])
